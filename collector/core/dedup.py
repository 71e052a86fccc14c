"""Which events are new.

An event is known by a 16-byte digest of (id, time), kept under the UTC hour of
its time: a replay carries the same id and time, so only that hour's digests
need to be looked at, and an hour is forgotten as a whole.  128 bits make a
false repeat, which would be a lost record, a matter of 1 in 10^25 for ten
million events; BLAKE2 resists ids chosen to collide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import NamedTuple

from collector.core.model import NO_TIME, Event
from collector.core.times import HOUR

DIGEST_SIZE = 16
TIMELESS_SLOT = -1
"""The slot of events without a readable time."""


class Key(NamedTuple):
    """An event's place in the index: hours since 1970, and its digest."""

    slot: int
    digest: bytes


def key(event: Event) -> Key:
    """The key under which the event is known."""
    digest = blake2b(b"%d\0%b" % (event.time, event.id.encode()), digest_size=DIGEST_SIZE)
    slot = TIMELESS_SLOT if event.time == NO_TIME else event.time // HOUR
    return Key(slot, digest.digest())


class Fresh(NamedTuple):
    """The events not seen before, their keys in the same order, and the count of the others."""

    events: list[Event]
    keys: list[Key]
    duplicates: int

    @property
    def digests(self) -> dict[int, list[bytes]]:
        """The digests by slot, as they are stored."""
        slots: dict[int, list[bytes]] = {}
        for slot, digest in self.keys:
            slots.setdefault(slot, []).append(digest)
        return slots


class Known:
    """The index in memory: a set of digests per slot, filled by ``load``.

    ``load(slot)`` answers the stored digests of a slot, packed; slots beyond
    ``max_slots`` are let go, least recently used first, and loaded again when
    asked for.  What is true is what is stored; this is its cache.
    """

    def __init__(self, load: Callable[[int], Iterable[bytes]], max_slots: int = 8) -> None:
        self._load = load
        self._max_slots = max_slots
        self._slots: dict[int, set[bytes]] = {}

    def fresh(self, events: Iterable[Event]) -> Fresh:
        """Split off what is new; nothing is remembered before ``remember``."""
        new: list[Event] = []
        keys: list[Key] = []
        here: set[bytes] = set()
        duplicates = 0
        for event in events:
            found = key(event)
            if found.digest in here or found.digest in self._slot(found.slot):
                duplicates += 1
                continue
            here.add(found.digest)
            keys.append(found)
            new.append(event)
        return Fresh(new, keys, duplicates)

    def remember(self, digests: dict[int, list[bytes]]) -> None:
        """Take in what was just made durable."""
        for slot, added in digests.items():
            if slot in self._slots:
                self._slots[slot].update(added)

    def forget(self) -> None:
        """Empty the cache, after the stored digests were removed or replaced."""
        self._slots.clear()

    def _slot(self, slot: int) -> set[bytes]:
        found = self._slots.pop(slot, None)
        if found is None:
            found = unpack(self._load(slot))
            while len(self._slots) >= self._max_slots:
                del self._slots[next(iter(self._slots))]
        self._slots[slot] = found
        return found


def pack(digests: Iterable[bytes]) -> bytes:
    """Digests as one blob."""
    return b"".join(digests)


def unpack(blobs: Iterable[bytes]) -> set[bytes]:
    """The digests of stored blobs."""
    return {
        blob[at : at + DIGEST_SIZE] for blob in blobs for at in range(0, len(blob), DIGEST_SIZE)
    }
