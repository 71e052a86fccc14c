"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from collector.app.examining import accepted
from collector.clock import SystemClock
from collector.config.load import find
from collector.config.models import Settings

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration. Default: $CONFIG_FILE, else config.yaml.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def settings(config: Path | None) -> Settings:
    """The settings of the chosen file; raises ``InvalidConfig``."""
    return accepted(find(config, os.environ), os.environ, SystemClock().now())
