"""Names that a command is given, and that must mean something."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from collector.errors import ConfigError

NUMBER = 28
"""Of the error that a name means nothing."""


def refuse_unknown(
    kind: str, name: str, configured: Iterable[str], stored: Iterable[str], what: str
) -> None:
    """Raise ``ConfigError`` for a name that is neither configured nor in the state.

    ``what``: what the state has of the names that are no longer configured.
    """
    known, rest = sorted(configured), sorted(set(stored).difference(configured))
    if name in known or name in rest:
        return
    close = get_close_matches(name, [*known, *rest], n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    others = f"; no longer configured, with {what}: {', '.join(rest)}" if rest else ""
    remedy = f"{meant}configured: {', '.join(known) or 'none'}{others}"
    raise ConfigError(NUMBER, f"no {kind} is called {name}", remedy)
