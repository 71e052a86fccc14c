"""How the vendor writes the time in a record.

PoD gateways date in their local zone, with an offset with or without a colon
(docs/vendor-notes.md, PoD 6); CASB writes UTC milliseconds as a number or as
text (docs/vendor-notes.md, CASB A5).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from collector.core.model import Micros
from collector.core.times import HOUR, SECOND, from_datetime, to_datetime


def is_summer(instant: Micros) -> bool:
    """Whether European daylight saving is on: last Sundays of March to October, 01:00 UTC."""
    year = to_datetime(instant).year
    return _last_sunday(year, 3) <= instant < _last_sunday(year, 10)


@lru_cache(maxsize=256)
def _last_sunday(year: int, month: int) -> Micros:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return from_datetime(last - timedelta(days=last.isoweekday() % 7))


def gateway_stamp(offset_hours: int, *, daylight_saving: bool) -> Callable[[Micros], bytes]:
    """A writer of ``2026-01-01T01:02:03.000004+0100`` in the gateway's zone."""

    @lru_cache(maxsize=4096)
    def hour_text(hour: int) -> tuple[str, str]:
        instant = hour * HOUR
        shift = offset_hours + (1 if daylight_saving and is_summer(instant) else 0)
        local = to_datetime(instant + shift * HOUR)
        sign = "-" if shift < 0 else "+"
        return local.strftime("%Y-%m-%dT%H"), f"{sign}{abs(shift):02d}00"

    def write(instant: Micros) -> bytes:
        hour, rest = divmod(instant, HOUR)
        seconds, micros = divmod(rest, SECOND)
        prefix, offset = hour_text(hour)
        return f"{prefix}:{seconds // 60:02d}:{seconds % 60:02d}.{micros:06d}{offset}".encode()

    return write


def with_colon(stamp: bytes) -> bytes:
    """The same time with ``+01:00`` in place of ``+0100``."""
    return stamp[:-2] + b":" + stamp[-2:]


def zulu_millis(instant: Micros) -> bytes:
    """``2026-01-01T00:00:00.000Z``, as CASB dates its events."""
    text = to_datetime(instant).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return text.encode() + b"Z"
