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
from collector.core.flatten import Flatten
from collector.core.ledger import Entry
from collector.core.model import Event, Micros, Page, Request, Response, Window

Fetch = Callable[[Request], Iterator[Response]]
"""Send a request; one answer comes back over HTTP, several over a stream."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The next span to read, and how to ask for it.

    ``counted_in`` is the ledger row of everything that is read, or None when
    each event counts in the hour of its own time.
    """

    window: Window
    request: Request
    mode: str
    counted_in: Window | None = None
    keeps_cursor: bool = False


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


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One service of one input; see the module's text.

    ``prepare`` runs before planning; ``refused`` answers a checkpoint to go on
    from when the vendor refuses a request, or None when there is no other way.
    ``max_pages`` 0: no limit.
    """

    service: str
    tag: str
    plan: Callable[[Checkpoint, Micros], Plan | None]
    read: Callable[[Response], Page]
    records: Flatten
    close: Callable[[Checkpoint, Plan, Micros], Checkpoint]
    prepare: Callable[[Checkpoint, Micros], Prepared] = _as_it_is
    refused: Callable[[Checkpoint, int], Checkpoint | None] = _refused_for_good
    narrow: Callable[[Window], tuple[Plan, Plan] | None] = _never
    max_pages: int = 0


def whole(records: Flatten) -> Callable[[Event], list[bytes]]:
    """The flat records of an event."""
    return lambda event: records(event.raw)
