"""Which token has a session of which type, and where its live stream stood.

One session per (token, type); a session that ended without the vendor noticing
is held for a while (docs/vendor-notes.md, PoD 2 and 3).
"""

from __future__ import annotations

from typing import TypeAlias

from collector.core.model import Frozen, Micros
from collector.core.times import SECOND
from collector.simulator.history import Timeline
from collector.simulator.options import SimulatorOptions

Key: TypeAlias = tuple[str, ...]
"""(token, type), and the mode where archive sessions do not share the slot."""

OPEN: Micros = 2**62


class Position(Frozen, frozen=True, kw_only=True):
    """Where a live stream stood when its session ended."""

    place: int
    dropped: Micros


class SessionTable:
    """The open and the lately ended sessions."""

    def __init__(self, options: SimulatorOptions) -> None:
        """Start with none."""
        self._options = options
        self._held_until: dict[Key, Micros] = {}
        self._positions: dict[Key, Position] = {}

    def take(self, key: Key, now: Micros) -> bool:
        """Open a session, unless one is held."""
        if now < self._held_until.get(key, now):
            return False
        self._held_until[key] = OPEN
        return True

    def release(self, key: Key, now: Micros, *, noticed: bool) -> None:
        """End a session: at once, or after a while when the vendor did not notice."""
        held = 0.0 if noticed else self._options.dead_session_seconds
        self._held_until[key] = now + round(held * SECOND)

    def resume(self, key: Key, timeline: Timeline, now: Micros) -> int:
        """The place in the order of appearance from which a live session goes on."""
        memory = round(self._options.live_memory_seconds * SECOND)
        position = self._positions.get(key)
        if position is None or now - position.dropped > memory:
            return timeline.first_since(now - memory)
        return max(0, position.place - self._options.live_overlap)

    def remember(self, key: Key, place: int, now: Micros) -> None:
        """Keep where a live session ended."""
        self._positions[key] = Position(place=place, dropped=now)
