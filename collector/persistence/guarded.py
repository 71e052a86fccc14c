"""A connection that several threads share, and that only today's owner writes through."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from collector.errors import StateError
from collector.persistence.failures import errors_of


class Guarded:
    """A database with its lock and, where it is written, the epoch of this start.

    One ``Database`` shared by two threads turns the second thread's transaction
    into a savepoint of the first's, so every use goes through here.
    """

    def __init__(self, database: Database, path: Path, epoch: str | None = None) -> None:
        self._database = database
        self._path = path
        self._epoch = epoch
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """All of the block's writes, or none; another program's transaction is waited for.

        Raises ``StateError`` once a later start has taken over, whatever the lock
        file says.
        """
        with self._lock, errors_of(self._path):
            # A plain BEGIN takes the write lock at the first write, where SQLite cannot wait.
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._hold_epoch()
                yield self._database
                self._database.commit()
            finally:
                self._database.rollback()  # nothing is left to undo after a commit

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """The database for queries."""
        with self._lock, errors_of(self._path):
            yield self._database

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._database.close()

    def _hold_epoch(self) -> None:
        if meta(self._database, "epoch") != self._epoch:
            raise StateError(
                212, "another collector has taken over this state", "keep only one of them running"
            )


def meta(database: Database, key: str) -> str:
    """A value of the table ``meta``."""
    return str(database.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()[0])
