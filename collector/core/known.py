"""The index of known events in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from collector.core.dedup import Fresh, digest
from collector.core.digest_set import DigestSet
from collector.core.digests import pack
from collector.core.model import Event
from collector.core.times import HOUR


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
