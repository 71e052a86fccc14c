"""What a source is: a value of pure functions, one per question the pull loop asks.

plan      which span is next, and the first request for it
read      an answer to its page of events
records   an event to the flat records to deliver
close     the checkpoint once the span has been read to its end
narrow    a span that turned out too large, cut in two (CASB alerts only)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from collector.core.checkpoint import Checkpoint
from collector.core.flatten import Flatten, as_it_came
from collector.core.ledger import Entry
from collector.core.model import Event, Micros, Page, Rejected, Request, Response, Window

Fetch = Callable[[Request], Iterator[Response]]
"""Send a request; one answer comes back over HTTP, several over a stream."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The next span to read, and how to ask for it.

    ``counted_in`` is the ledger row of everything that is read, or None when
    each event counts in the hour of its own time; ``look`` marks a second look.
    ``confined``: only events with a time in the window belong to it.
    """

    window: Window
    request: Request
    mode: str
    counted_in: Window | None = None
    keeps_cursor: bool = False
    look: bool = False
    confined: bool = False


class Settling(msgspec.Struct, frozen=True, kw_only=True):
    """When what was read is looked at once more; 0 is never.

    ``recheck``: how long after an hour that held no events, or fewer than
    ``few_ratio`` of the usual; ``late``: how long after the end of each hour
    of a window, for records that the vendor adds late.
    """

    few_ratio: float = 0.1
    recheck: Micros = 0
    late: Micros = 0


class Prepared(msgspec.Struct, frozen=True):
    """The checkpoint a pull starts from, and what the ledger is told of it."""

    checkpoint: Checkpoint
    entries: Sequence[Entry] = ()


def _as_it_is(checkpoint: Checkpoint, _now: Micros) -> Prepared:
    return Prepared(checkpoint)


def _refused_for_good(_checkpoint: Checkpoint, _status: int) -> Checkpoint | None:
    return None


def _never(_window: Window) -> None:
    return None


def _not_enough(_plan: Plan, _page: Page) -> bool:
    return False


def _still_unreadable(raw: bytes) -> Page:
    return Page(events=[], rejected=[Rejected(raw, "this service reads nothing again")])


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One service of one input; see the module's text.

    ``prepare`` runs before planning; ``refused`` answers a checkpoint to go on
    from when the vendor refuses a request, or None when there is no other way;
    ``enough`` ends a reading before its last page; ``reread`` reads bytes once more
    that were kept aside, ``restore`` those of one event that had been read, and had this
    time (None: as ``reread`` does).  ``dated``: events carry the sender's time, not that
    of our clock.  ``repeats``: the sender may give again what it gave.  ``max_pages`` 0: no
    limit.  ``lookback``: how far before the last complete moment it may ask once more.
    """

    service: str
    tag: str
    plan: Callable[[Checkpoint, Micros], Plan | None]
    read: Callable[[Response], Page]
    records: Flatten
    close: Callable[[Checkpoint, Plan], Checkpoint]
    prepare: Callable[[Checkpoint, Micros], Prepared] = _as_it_is
    refused: Callable[[Checkpoint, int], Checkpoint | None] = _refused_for_good
    narrow: Callable[[Window], tuple[Plan, Plan] | None] = _never
    enough: Callable[[Plan, Page], bool] = _not_enough
    reread: Callable[[bytes], Page] = _still_unreadable
    restore: Callable[[bytes, Micros], Page] | None = None
    dated: bool = True
    repeats: bool = True
    settling: Settling = Settling()
    max_pages: int = 0
    lookback: Micros = 0


def whole(records: Flatten) -> Callable[[Event], list[bytes]]:
    """The flat records of an event."""
    if records is as_it_came:
        return lambda event: [event.raw]
    return lambda event: records(event.raw)


def second_look(plan: Plan) -> Plan:
    """The plan as a second look at its hour, which is the ledger row of all it takes.

    Where a first reading counts events by their own times, a second one takes those of
    this hour alone.
    """
    confined = plan.counted_in is None
    return msgspec.structs.replace(plan, look=True, counted_in=plan.window, confined=confined)
