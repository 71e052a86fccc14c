"""Which events are new.

An event is known by a 16-byte digest of (id, time), kept under the UTC hour of
its time: a replay carries the same id and time, so only that hour's digests
need to be looked at, and an hour is forgotten as a whole.  128 bits make a
false repeat, which would be a lost record, a matter of 1 in 10^25 for ten
million events; BLAKE2 resists ids chosen to collide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from collector.core import digests
from collector.core.ledger import Account
from collector.core.model import NO_TIME, Event
from collector.core.times import HOUR

TIMELESS_SLOT = NO_TIME // HOUR
"""The slot of events without a readable time: one before that of 1970."""

_empty = blake2b(digest_size=digests.SIZE)


def digest(event: Event) -> bytes:
    """What the event is known by."""
    state = _empty.copy()  # half the cost of a new one
    state.update(f"{event.time}\0{event.id}".encode())
    return state.digest()


class Fresh(NamedTuple):
    """The events not seen before, their digests in the same order, and the count of the others.

    ``slots`` holds, by slot, those of the digests that are to be stored.
    """

    events: Sequence[Event]
    digests: Sequence[bytes]
    slots: dict[int, list[bytes]]
    duplicates: int


def forgotten(row: Account, kept: Mapping[int, int]) -> bool:
    """Whether ids of what a row took are gone, by how many digests are ``kept`` in each slot.

    ``kept`` holds the slots from ``row.first`` to ``row.last`` and that of events without
    a time: there the ids lie, wherever their events were counted, and ids of neighbouring
    hours among them.  So the outermost two must hold some, and all together as many as
    were taken.  The dead are left out: not all of them were events.
    """
    taken = row.counts.spooled + row.counts.filtered
    if row.digest == 0 and taken == 0:
        return False
    outermost = {row.first // HOUR, row.last // HOUR}
    return not outermost <= kept.keys() or sum(kept.values()) < taken
