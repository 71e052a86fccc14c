"""A set of 16-byte digests in 20 to 40 bytes each, asked and filled a page at a time.

A Python set costs 91 bytes a digest (measured at ten million).  This is a hash table
with open addressing and double hashing (Knuth, The Art of Computer Programming,
vol. 3, 6.4) in two flat arrays, one for each half of the digests.  All digests of a
page take each step of their search together, so that the interpreter is paid by the
page, and the memory fetches the slots of many digests at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collector.core.digests import cut

_SMALLEST = 64
_FULL = 0.8
"""The share of slots in use at which the table doubles: 40 bytes a digest just after it."""
_MOVED = 16 * 1024
"""Slots whose digests are moved at once: what is needed for it stays in the caches."""
_ONE = np.uint64(1)

Halves: TypeAlias = NDArray[np.uint64]


class DigestSet:
    """Digests that only come; they are evenly distributed by their nature."""

    def __init__(self, blobs: Iterable[bytes] = ()) -> None:
        """Take in digests that stand end to end, none of them twice."""
        self._make(_SMALLEST)
        self._count = 0
        for blob in blobs:
            self.update(blob)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        used = self._first.nonzero()[0]
        halves = np.column_stack((self._first[used], self._second[used]))
        yield from cut(halves.tobytes())

    def held(self, digests: Sequence[bytes]) -> set[bytes]:
        """Those of the digests that are in the set."""
        first, second = _halves(b"".join(digests))
        place, step = first, second | _ONE
        asked = np.arange(len(first))
        found: set[bytes] = set()
        while asked.size:
            at = self._slots(place)
            there = self._first[at]
            same = there == first
            if same.any():
                same &= self._second[at] == second
                found.update([digests[number] for number in asked[same].tolist()])
                there[same] = 0  # their search is over
            on = there.nonzero()[0]  # an empty slot ends a search, too
            asked, first, second, step = asked[on], first[on], second[on], step[on]
            place = place[on] + step
        return found

    def update(self, packed: bytes) -> None:
        """Take in digests that stand end to end, none of which is in the set."""
        first, second = _halves(packed)
        self._count += len(first)
        while self._count > _FULL * len(self._first):
            self._grow()
        self._put(first, second)

    def _make(self, size: int) -> None:
        """An empty table; a slot whose first half is 0 is free."""
        self._first: Halves = np.zeros(size, np.uint64)
        self._second: Halves = np.zeros(size, np.uint64)
        self._mask = np.uint64(size - 1)

    def _slots(self, place: Halves) -> NDArray[np.int64]:
        return (place & self._mask).view(np.int64)

    def _grow(self) -> None:
        first, second = self._first, self._second
        self._make(2 * len(first))
        for start in range(0, len(first), _MOVED):
            part = slice(start, start + _MOVED)
            used = first[part].nonzero()[0]
            self._put(first[part][used], second[part][used])

    def _put(self, first: Halves, second: Halves) -> None:
        """Put each digest into the first free slot of its search."""
        place, step = first, second | _ONE
        while place.size:
            at = self._slots(place)
            free = (self._first[at] == 0).nonzero()[0]
            slots, low, high = at[free], first[free], second[free]
            self._first[slots], self._second[slots] = low, high
            # Of several that want one slot the last has it now; the others search on.
            searching = np.ones(len(at), np.bool_)
            searching[free] = (self._first[slots] != low) | (self._second[slots] != high)
            on = searching.nonzero()[0]
            first, second, step = first[on], second[on], step[on]
            place = place[on] + step


def _halves(packed: bytes) -> tuple[Halves, Halves]:
    """The halves of digests that stand end to end, as numbers.

    A first half of 0, which would mark a free slot, is taken as 1: of the 2^128 digests
    that makes as many pairs as there are second halves, and no other two the same.
    """
    halves = np.frombuffer(packed, np.uint64).reshape(-1, 2)
    return np.maximum(halves[:, 0], _ONE), halves[:, 1].copy()
