"""The batches committed last, so that a sender which keeps up need not read them back."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from collector.core.model import SpooledBatch

_MAX_BYTES = 8 * 1024 * 1024


class Recent:
    """Batches in memory, up to ``max_bytes`` of records; the oldest go first.

    They are the store's, byte for byte: what is not here is read from there.
    """

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._batches: dict[int, SpooledBatch] = {}
        self._size = 0
        self._lock = threading.Lock()

    def keep(self, committed: Iterable[SpooledBatch]) -> None:
        """Take in batches that are durable now."""
        with self._lock:
            for batch in committed:
                self._batches[batch.id] = batch
                self._size += len(batch.body)
            while self._size > self._max_bytes:
                self._drop(next(iter(self._batches)))

    def get(self, batch: int) -> SpooledBatch | None:
        """The batch with this id, when it is still here."""
        with self._lock:
            return self._batches.get(batch)

    def drop(self, batch: int) -> None:
        """Nobody waits for this batch any more."""
        with self._lock:
            self._drop(batch)

    def _drop(self, batch: int) -> None:
        found = self._batches.pop(batch, None)
        self._size -= 0 if found is None else len(found.body)
