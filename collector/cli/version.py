"""``collector version``."""

from __future__ import annotations

import platform

from collector import __version__
from collector.cli.options import JsonOption
from collector.cli.screen import out, print_json


def version(as_json: JsonOption = False) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": __version__, "python": platform.python_version()})
    else:
        out.print(__version__, highlight=False)
