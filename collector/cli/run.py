"""``collector run``: collect and deliver."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from collector.app.collector import Collector
from collector.app.selection import Selection
from collector.cli.chosen import settings
from collector.cli.leaving import leave
from collector.cli.options import ConfigOption, InputsOption, ServicesOption
from collector.cli.process import open_log, reread, stop_on_signals
from collector.clock import SystemClock
from collector.config.names import refuse_unknown_choice

OnceOption = Annotated[
    bool,
    typer.Option(
        "--once",
        help="Take and deliver everything that is due, then exit: for cron. PoD services are "
        "then read from the archive.",
    ),
]


def run(
    config: ConfigOption = None,
    once: OnceOption = False,
    inputs: InputsOption = None,
    services: ServicesOption = None,
) -> None:
    """Collect and deliver, until stopped or, with --once, until nothing is due.

    The log goes to standard error. SIGTERM or Ctrl-C stops in order within two
    seconds; a second one, half a second later or more, stops at once. Nothing is
    lost either way: the next start goes on from the state.
    """
    found = settings(config)
    refuse_unknown_choice(found, inputs or (), services or ())
    os.umask(0o077)
    redactor = open_log(found, sys.stderr)
    clock = SystemClock()
    at_once: list[Callable[[], None]] = []
    stop_on_signals(clock, at_once)
    collector = Collector(
        found,
        clock,
        Selection(inputs or (), services or ()),
        once=once,
        reread=lambda: reread(config, redactor),
        worker=_worker(config),
    )
    at_once.append(collector.kill_workers)
    gc.freeze()  # what start-up has made stays to the end: it need not be looked through again
    code = collector.run_once() if once else collector.run()
    leave(code)


def _worker(config: Path | None) -> list[str]:
    """The command that starts a worker, but for its number: this program, as it was started."""
    program = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    chosen = [] if config is None else ["--config", str(config)]
    return [sys.executable, *program, "worker", *chosen]
