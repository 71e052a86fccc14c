"""A warning before dead letters are deleted, and an error whenever some were."""

from __future__ import annotations

from collector.core.log import Log
from collector.errors import StateError
from collector.persistence.sqlite import SqliteStore

_NEARLY = 0.8


class LetterWatch:
    """Looks at the dead letters now and then, and says what an operator must know, once."""

    def __init__(self, store: SqliteStore, max_bytes: int, log: Log) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._log = log
        self._dropped = self._now_dropped()
        self._warned = False

    def look(self) -> None:
        """Log what changed since the last look; a store that fails is told, not raised."""
        try:
            dropped = self._now_dropped()
            kept = sum(each.bytes for each in self._store.letter_totals())
        except StateError as error:
            self._log.error("%s", error)
            return
        if dropped > self._dropped:
            self._log.error(
                "The %d oldest dead letters were deleted to keep newer ones: they are lost -> "
                "replay or drop what is kept ('collector dead-letters'), or raise "
                "globals.dead_letters.max_bytes",
                dropped - self._dropped,
            )
        nearly = kept > self._max_bytes * _NEARLY
        if nearly and not self._warned:
            self._log.warning(
                "Dead letters take %d of %d bytes; beyond that the oldest are deleted -> replay "
                "or drop them ('collector dead-letters')",
                kept,
                self._max_bytes,
            )
        self._dropped, self._warned = dropped, nearly

    def _now_dropped(self) -> int:
        return sum(each.dropped for each in self._store.letter_totals())
