"""Instants as whole microseconds since 1970-01-01 UTC, and their text forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from collector.core.model import NO_TIME, Micros, Window

SECOND: Micros = 1_000_000
HOUR: Micros = 3600 * SECOND
DAY: Micros = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_datetime(moment: datetime) -> Micros:
    """An aware datetime as an instant; a naive one is taken as UTC, as the vendor means it."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return since.days * DAY + since.seconds * SECOND + since.microseconds


def to_datetime(instant: Micros) -> datetime:
    """An instant as an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=instant)


def parse(text: str) -> Micros:
    """ISO 8601 in the spellings seen on the wire; no zone means UTC.

    Offsets come with and without a colon (docs/vendor-notes.md, PoD 6).
    Raises ``ValueError`` when the text is no time.
    """
    return from_datetime(datetime.fromisoformat(text))


def isoformat(instant: Micros) -> str:
    """``2026-01-01T00:00:00Z``, with microseconds only where there are any."""
    return isobytes(instant).decode()


def isoformat_or_none(instant: Micros) -> str | None:
    """What ``isoformat`` gives; None for ``NO_TIME``."""
    return None if instant == NO_TIME else isoformat(instant)


def isobytes(instant: Micros) -> bytes:
    """What ``isoformat`` gives, as ASCII."""
    seconds, fraction = divmod(instant, SECOND)
    if fraction:
        return b"%b.%06dZ" % (_written_second(seconds), fraction)
    return b"%bZ" % _written_second(seconds)


# Records of one page share their seconds.
@lru_cache(maxsize=4096)
def _written_second(seconds: int) -> bytes:
    """The second's text without a zone."""
    return to_datetime(seconds * SECOND).replace(tzinfo=None).isoformat().encode()


def minute(instant: Micros) -> str:
    """``YYYY-MM-DDTHH:MM``, rounded down: what CASB's ``startTime`` takes."""
    return to_datetime(instant).strftime("%Y-%m-%dT%H:%M")


def floor_second(instant: Micros) -> Micros:
    """The instant without its fraction of a second."""
    return instant - instant % SECOND


def floor_hour(instant: Micros) -> Micros:
    """The start of the UTC hour that holds the instant."""
    return instant - instant % HOUR


def ceil_hour(instant: Micros) -> Micros:
    """The instant itself when it starts a UTC hour, else the start of the next."""
    return floor_hour(instant + HOUR - 1)


def next_midnight(instant: Micros) -> Micros:
    """The first UTC midnight after the instant."""
    return instant - instant % DAY + DAY


def hour_of(instant: Micros) -> Window:
    """The UTC hour that holds the instant."""
    start = floor_hour(instant)
    return Window(start, start + HOUR)
