"""The account of each source and span of time: what came, and what became of it.

``received = spooled + duplicate + filtered + dead_lettered`` holds exactly for
every row; a commit whose counts do not balance is refused.

Rows are UTC hours of event time; what an archive hour gives is counted in that
hour whatever its time says, and events without a time in the hour in which they
were observed.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from collector.core.model import NO_TIME, Counts, Event, Micros, Window
from collector.core.times import HOUR, floor_hour, hour_of

OPEN = "open"
COMPLETE = "complete"
UNRECOVERABLE = "unrecoverable"
STATES = (OPEN, COMPLETE, UNRECOVERABLE)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A change to one row: counts to add, and the state it is now in (None: as it was)."""

    span: Window
    counts: Counts = Counts()
    state: str | None = None
    reason: str | None = None


def entries(
    received: Iterable[Event],
    fresh: Iterable[Event],
    rejected: int,
    observed: Micros,
    window: Window | None,
) -> list[Entry]:
    """The rows that one page changes: its events by hour, or all in the one ``window``."""
    rows: dict[Window, list[int]] = {}

    def row(event_time: Micros) -> list[int]:
        span = window or hour_of(observed if event_time == NO_TIME else event_time)
        return rows.setdefault(span, [0, 0, 0])

    for event in received:
        row(event.time)[0] += 1
    for event in fresh:
        row(event.time)[1] += 1
    if rejected:
        row(NO_TIME)[2] += rejected
    return [
        Entry(
            span=span,
            counts=Counts(
                received=came + kept_aside,
                spooled=new,
                duplicate=came - new,
                dead_lettered=kept_aside,
            ),
        )
        for span, (came, new, kept_aside) in rows.items()
    ]


def closed(window: Window) -> list[Entry]:
    """The span has been read to its end: each UTC hour that ended within it is complete."""
    first = floor_hour(window.start)
    return [
        Entry(span=Window(start, start + HOUR), state=COMPLETE)
        for start in range(first, window.end, HOUR)
        if start + HOUR <= window.end
    ]


def lost(hour: Window, reason: str) -> Entry:
    """The vendor can no longer give this hour."""
    return Entry(span=hour, state=UNRECOVERABLE, reason=reason)
