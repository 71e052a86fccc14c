"""``collector health``: whether a collector is alive; a container asks it every half a minute."""

from __future__ import annotations

import typer

from collector.app.heartbeat import alive, barred
from collector.app.outcome import INTERNAL
from collector.cli.chosen import settings
from collector.cli.options import ConfigOption
from collector.cli.screen import err, out, plain
from collector.clock import SystemClock


def health(config: ConfigOption = None) -> None:
    """Exit 0 when a collector is running over this state folder and is not stuck.

    For the HEALTHCHECK of a container.
    """
    state = settings(config).state_folder
    ago = alive(state, SystemClock().now())
    if ago is None:
        reason = barred(state) or "no collector is running over this state folder"
        err.print(plain(reason), soft_wrap=True)
        raise typer.Exit(INTERNAL)
    out.print(f"alive: last sign {ago:.0f} seconds ago", highlight=False)
