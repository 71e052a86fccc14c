"""What is inside an error of the HTTP libraries: they wrap the socket's several times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_MAX_CAUSES: Final = 16
"""The libraries may make a ring of them."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, the outermost first."""
    each: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if each is None:
            return
        yield each
        each = each.__cause__ or each.__context__ or _wrapped(each)


def _wrapped(error: BaseException) -> BaseException | None:
    """What an error holds that tells no cause, as some of urllib3's do."""
    held = error.args[0] if error.args else None
    return held if isinstance(held, BaseException) else None
