"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from collector.core import times
from collector.core.model import Micros
from collector.errors import ConfigError

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
InputsOption = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", metavar="NAME", help="Only this input; may be repeated."),
]
ServicesOption = Annotated[
    list[str] | None,
    typer.Option("--service", "-s", metavar="NAME", help="Only this service; may be repeated."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

NO_TIME = 20
"""The number of every error that a time on the command line cannot be taken."""
_LATEST = times.parse("9999-01-01T00:00:00Z")


def utc_time(text: str) -> Micros:
    """A time as an operator writes it; raises ``ConfigError``."""
    fix = 'write it as "2026-01-31T00:00:00Z"'
    try:
        instant = times.parse(text)
    except ValueError as error:
        raise ConfigError(NO_TIME, f"{text} is no time", fix) from error
    if not 0 <= instant <= _LATEST:
        raise ConfigError(NO_TIME, f"{text} is not in the years 1970 to 9998", fix)
    return instant
