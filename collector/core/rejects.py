"""Which bytes that hold no record were kept aside before.

The vendor repeats them like records: after a reconnect, from the archive, page by page.
They have no id and no time, so they are known by a digest of their bytes and of what is
wrong with them, for the UTC day on which they came and the next; each repeat begins that
time anew.  Bytes that were sent twice cannot be told from a repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

from collector.core.dedup import TIMELESS_SLOT
from collector.core.digest_set import DigestSet
from collector.core.digests import SIZE, pack
from collector.core.model import Micros, Rejected
from collector.core.times import DAY
from collector.core.work import Aside

MOST_A_DAY = 200_000
"""Digests of one day that are known, in 8 MiB; beyond it a repeat is kept aside again."""


class KnownRejects:
    """The digests of two days in memory, filled by ``load`` as ``core.known.Known`` is.

    ``repeated`` False: the sender gives nothing twice, so all is kept.
    """

    def __init__(self, load: Callable[[int], Iterable[bytes]], *, repeated: bool = True) -> None:
        self._load = load
        self._repeated = repeated
        self._days: dict[int, DigestSet] = {}

    def fresh(self, rejected: Sequence[Rejected], now: Micros) -> Aside:
        """Split off what is new; nothing is remembered before ``remember``."""
        if not rejected or not self._repeated:
            return Aside(rejected)
        today, yesterday = slot(now), slot(now - DAY)
        self._hold(today, yesterday)
        found = [_digest(each) for each in rejected]
        of_today = self._days[today].held(found)
        earlier = self._days[yesterday].held(found)
        distinct = dict(zip(found, rejected, strict=True))
        added = [key for key in distinct if key not in of_today]
        new = [distinct[key] for key in added if key not in earlier]
        room = max(MOST_A_DAY - len(self._days[today]), 0)
        slots = {today: added[:room]} if added[:room] else {}
        return Aside(new, len(rejected) - len(new), slots)

    def remember(self, slots: dict[int, list[bytes]]) -> None:
        """Take in what was just made durable."""
        for each, added in slots.items():
            self._days[each].update(pack(added))

    def forget(self) -> None:
        """Empty the memory, after the stored digests may have changed."""
        self._days.clear()

    def _hold(self, *slots: int) -> None:
        self._days = {
            each: self._days[each] if each in self._days else DigestSet(self._load(each))
            for each in slots
        }


def slot(arrival: Micros) -> int:
    """Where the digests of a day's rejects lie: before the slots of all events."""
    return TIMELESS_SLOT - 1 - arrival // DAY


def _digest(rejected: Rejected) -> bytes:
    # The reason tells how long it was where only the beginning is kept.
    state = blake2b(rejected.reason.encode(errors="replace"), digest_size=SIZE)
    state.update(b"\0")
    state.update(rejected.raw)
    return state.digest()
