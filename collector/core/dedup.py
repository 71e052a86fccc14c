"""Which events are new.

An event is known by a 16-byte digest of (id, time), kept under the UTC hour of
its time: a replay carries the same id and time, so only that hour's digests
need to be looked at, and an hour is forgotten as a whole.  128 bits make a
false repeat, which would be a lost record, a matter of 1 in 10^25 for ten
million events; BLAKE2 resists ids chosen to collide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from collector.core import digests
from collector.core.digests import DigestSet
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


class Known:
    """The index in memory: a set of digests per slot, filled by ``load``.

    ``load(slot)`` answers the stored digests of a slot, packed; slots beyond
    ``max_slots`` are let go, least recently used first, and loaded again when
    asked for.  What is true is what is stored; this is its cache.
    """

    def __init__(self, load: Callable[[int], Iterable[bytes]], max_slots: int = 8) -> None:
        self._load = load
        self._max_slots = max_slots
        self._slots: dict[int, DigestSet] = {}

    def fresh(self, events: Sequence[Event], again: bytes | None = None) -> Fresh:
        """Split off what is new; nothing is remembered before ``remember``.

        ``again``: the one event is new once more though it is known, by this digest.  That
        is not stored: it is still, or its hour is forgotten, and would look as if it were kept.
        """
        if again is not None:
            (event,) = events
            return Fresh([event], [again], {}, 0)
        found = list(map(digest, events))
        slots = _by_slot(events, found)
        seen = set[bytes]().union(*(self._slot(each).held(slots[each]) for each in slots))
        if not seen and len(set(found)) == len(found):
            return Fresh(events, found, slots, 0)
        return _without(seen, events, found)

    def remember(self, slots: dict[int, list[bytes]]) -> None:
        """Take in what was just made durable."""
        for each, added in slots.items():
            if each in self._slots:
                self._slots[each].update(pack(added))

    def forget(self) -> None:
        """Empty the cache, after the stored digests were removed or replaced."""
        self._slots.clear()

    def _slot(self, wanted: int) -> DigestSet:
        found = self._slots.pop(wanted, None)
        if found is None:
            found = DigestSet(self._load(wanted))
            while len(self._slots) >= self._max_slots:
                del self._slots[next(iter(self._slots))]
        self._slots[wanted] = found
        return found


def _by_slot(events: Sequence[Event], found: list[bytes]) -> dict[int, list[bytes]]:
    hours = [event.time // HOUR for event in events]
    if len(set(hours)) == 1:
        return {hours[0]: found}
    slots: dict[int, list[bytes]] = {}
    for hour, each in zip(hours, found, strict=True):
        slots.setdefault(hour, []).append(each)
    return slots


def forgotten(row: Account, kept: Mapping[int, int]) -> bool:
    """Whether ids of what a row took are gone, by how many digests are ``kept`` in each slot.

    ``kept`` holds the slots from ``row.first`` to ``row.last`` and that of events without
    a time: there the ids lie, wherever their events were counted, and ids of neighbouring
    hours among them.  So the outermost two must hold some, and all together as many as
    were taken.  The dead are left out: not all of them were events.
    """
    if row.digest == 0:
        return False
    outermost = {row.first // HOUR, row.last // HOUR}
    taken = row.counts.spooled + row.counts.filtered
    return not outermost <= kept.keys() or sum(kept.values()) < taken


def _without(seen: set[bytes], events: Sequence[Event], found: Sequence[bytes]) -> Fresh:
    """What is new where some of it is not: known, or twice in the page."""
    new: list[Event] = []
    kept: list[bytes] = []
    for event, each in zip(events, found, strict=True):
        if each not in seen:
            seen.add(each)
            new.append(event)
            kept.append(each)
    return Fresh(new, kept, _by_slot(new, kept), len(events) - len(new))


def pack(found: Iterable[bytes]) -> bytes:
    """Digests as one blob."""
    return b"".join(found)


def unpack(blobs: Iterable[bytes]) -> set[bytes]:
    """The digests of stored blobs."""
    return {each for blob in blobs for each in digests.cut(blob)}
