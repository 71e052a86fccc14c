"""The times of records, in the forms that senders write."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, TypeAlias

from collector.core.events import CALENDAR_END, OUTSIDE, iso_time
from collector.core.model import Micros

Moment: TypeAlias = Callable[[Any], Micros]
"""The instant that a field says; raises ``ValueError``, ``TypeError`` or ``OverflowError``."""

_LONGEST = 32
"""Characters of a number in text that are read."""


def unix(digits: int) -> Moment:
    """Time since 1970-01-01 UTC in units of 10 to the power of minus ``digits`` seconds."""

    def moment(value: Any) -> Micros:
        number = _number(value)
        if isinstance(number, float):
            instant = round(number * 10.0 ** (6 - digits))
        else:
            instant = number * 10**6 // 10**digits
        if not 0 <= instant < CALENDAR_END:
            raise ValueError(OUTSIDE)
        return instant

    return moment


def _number(value: Any) -> int | float:
    if isinstance(value, str) and len(value) <= _LONGEST:
        return int(value) if value.isascii() and value.isdigit() else float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise TypeError("no number")


MOMENTS: MappingProxyType[str, Moment] = MappingProxyType(
    {
        "iso8601": iso_time,
        "unix": unix(0),
        "unix_ms": unix(3),
        "unix_us": unix(6),
        "unix_ns": unix(9),
    }
)
"""By the name of the form."""
