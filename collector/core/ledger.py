"""The account of each source and hour: what came, what became of it, and how sure that is.

``received = spooled + duplicate + filtered + dead_lettered`` holds exactly for
every row; a commit whose counts do not balance is refused.

Rows are UTC hours of event time; what an archive hour gives is counted in that
hour whatever its time says, and events without a time in the hour in which they
were observed.  A row's states:

    open           being read, or read as far as the service stands, or live is being heard
    settling       read, but to be looked at once more before it counts
    complete       read to its end, or heard live without a break
    verified       looked at again: nothing was missing
    repaired       looked at again, or read after a break: something was missing
                   and is delivered now; ``repaired`` says how many
    partial        reading it broke off; it is still owed
    unrecoverable  the vendor no longer has it; ``reason`` says why

``digest`` is the sum modulo 2^128 of the digests of the events that were read: spooled,
filtered, or kept aside by a pipeline.  So two readings can be compared whatever their
order, and whatever became of the events.  Events without a time are left out: read once
more, they would be summed in another row than the one that counted them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from collector.core.model import NO_TIME, Counts, Event, Micros, Window
from collector.core.times import HOUR, floor_hour

T = TypeVar("T")

OPEN = "open"
SETTLING = "settling"
COMPLETE = "complete"
VERIFIED = "verified"
REPAIRED = "repaired"
PARTIAL = "partial"
UNRECOVERABLE = "unrecoverable"
STATES = (OPEN, SETTLING, COMPLETE, VERIFIED, REPAIRED, PARTIAL, UNRECOVERABLE)
DONE = frozenset({COMPLETE, VERIFIED, REPAIRED})

LIVE = "live"
REPAIR = "repair"
_MODULUS = 1 << 128


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A change to one row: counts to add, and the state it is now in (None: as it was).

    ``live`` and ``repaired`` are shares of ``spooled``; ``first`` and ``last``
    are event times; ``attempts`` counts readings that were begun and ended.
    """

    span: Window
    counts: Counts = Counts()
    live: int = 0
    repaired: int = 0
    attempts: int = 0
    digest: int = 0
    first: Micros = NO_TIME
    last: Micros = NO_TIME
    state: str | None = None
    reason: str | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One row as it stands."""

    span: Window
    state: str = OPEN
    reason: str | None = None
    counts: Counts = Counts()
    live: int = 0
    repaired: int = 0
    attempts: int = 0
    digest: int = 0
    first: Micros = NO_TIME
    last: Micros = NO_TIME


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One page, as the ledger needs it: its events, which of them are fresh, and their digests.

    Of the fresh, ``filtered`` are those that no output gets, and ``dead`` those that a
    pipeline keeps aside, as are so many ``rejected`` that are no events; so many more are
    ``repeated``: they were kept aside before.
    """

    events: Sequence[Event]
    fresh: Sequence[Event]
    digests: Sequence[bytes]
    filtered: Sequence[Event] = ()
    dead: Sequence[Event] = ()
    rejected: int
    repeated: int = 0
    observed: Micros
    mode: str


def entries(page: Received, window: Window | None) -> list[Entry]:
    """The rows that one page changes: its events by hour, or all in the one ``window``."""
    here = (window.start if window else page.observed) // HOUR
    rows = {here: page} if window is not None else _by_hour(page, here)
    return [
        _entry(slot, row, unread=slot == here)
        for slot, row in rows.items()
        if row.events or page.rejected or page.repeated
    ]


def _by_hour(page: Received, here: int) -> dict[int, Received]:
    """The page cut by the hours of its events; those without a time are counted ``here``."""

    def slot(event: Event) -> int:
        return here if event.time == NO_TIME else event.time // HOUR

    def grouped(found: Iterable[T], event: Callable[[T], Event]) -> dict[int, list[T]]:
        groups: dict[int, list[T]] = {}
        for each in found:
            groups.setdefault(slot(event(each)), []).append(each)
        return groups

    came = {here: [], **grouped(page.events, _itself)}
    filtered, dead = grouped(page.filtered, _itself), grouped(page.dead, _itself)
    new = grouped(zip(page.fresh, page.digests, strict=True), lambda each: each[0])
    return {
        hour: msgspec.structs.replace(
            page,
            events=events,
            fresh=[event for event, _digest in new.get(hour, ())],
            digests=[digest for _event, digest in new.get(hour, ())],
            filtered=filtered.get(hour, ()),
            dead=dead.get(hour, ()),
        )
        for hour, events in came.items()
    }


def _itself(event: Event) -> Event:
    return event


def _entry(slot: int, row: Received, *, unread: bool) -> Entry:
    """``unread``: what is no event is counted here, too."""
    moments = [event.time for event in row.fresh if event.time != NO_TIME]
    came, filtered, dead = len(row.events), len(row.filtered), len(row.dead)
    spooled = len(row.fresh) - filtered - dead
    rejected, repeated = (row.rejected, row.repeated) if unread else (0, 0)
    return Entry(
        span=Window(slot * HOUR, slot * HOUR + HOUR),
        counts=Counts(
            received=came + rejected + repeated,
            spooled=spooled,
            duplicate=came - len(row.fresh) + repeated,
            filtered=filtered,
            dead_lettered=rejected + dead,
        ),
        live=spooled if row.mode == LIVE else 0,
        repaired=spooled if row.mode == REPAIR else 0,
        digest=total(summed(row.fresh, row.digests)),
        first=min(moments, default=NO_TIME),
        last=max(moments, default=NO_TIME),
    )


def summed(events: Iterable[Event], digests: Iterable[bytes]) -> list[bytes]:
    """Of the digests of some events, those that the digest of a row is made of."""
    return [digest for event, digest in zip(events, digests, strict=True) if event.time != NO_TIME]


def total(digests: Iterable[bytes]) -> int:
    """The order-independent digest of some events."""
    return sum(int.from_bytes(digest) for digest in digests) % _MODULUS


def added(digest: int, other: int) -> int:
    """The digest of both together."""
    return (digest + other) % _MODULUS


def hours_in(window: Window) -> list[Window]:
    """Each UTC hour, from the one that holds the start, that ended within the window."""
    first = floor_hour(window.start)
    return [
        Window(start, start + HOUR)
        for start in range(first, window.end, HOUR)
        if start + HOUR <= window.end
    ]


def closed(window: Window, state: str = COMPLETE, reason: str | None = None) -> list[Entry]:
    """The span has been read to its end: each UTC hour that ended within it is in ``state``."""
    return [Entry(span=hour, state=state, reason=reason, attempts=1) for hour in hours_in(window)]


def looked_at(before: Account, fresh: int) -> Entry:
    """A row was read again: whether something had been missing."""
    state = REPAIRED if fresh or before.state == REPAIRED else VERIFIED
    return Entry(span=before.span, state=state, reason=None, attempts=1)


def broken_off(hour: Window, reason: str) -> Entry:
    """Reading an hour ended early; it is still owed."""
    return Entry(span=hour, state=PARTIAL, reason=reason, attempts=1)


def lost(hour: Window, reason: str) -> Entry:
    """The vendor can no longer give this hour."""
    return Entry(span=hour, state=UNRECOVERABLE, reason=reason)


def strikingly_few(count: int, usual: int | None, ratio: float) -> bool:
    """Whether so few events want a second look; ``usual`` is the hours' median before."""
    return count == 0 or (usual is not None and count < usual * ratio)
