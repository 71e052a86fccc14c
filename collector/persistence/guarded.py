"""A connection that several threads share, and that only today's owner writes through."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from collector.errors import StateError
from collector.persistence.failures import errors_of, is_io_error
from collector.persistence.seals import seal


class Guarded:
    """A database with its lock and, where it is written, the epoch of this start.

    One ``Database`` shared by two threads turns the second thread's transaction
    into a savepoint of the first's, so every use goes through here.
    """

    def __init__(
        self,
        database: Database,
        path: Path,
        reconnect: Callable[[], Database],
        epoch: str | None = None,
    ) -> None:
        self._database = database
        self._path = path
        self._reconnect = reconnect
        self._suspect = False
        self._epoch = epoch
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """All of the block's writes, or none; another program's transaction is waited for.

        Raises ``StateError`` once a later start has taken over, whatever the lock
        file says.
        """
        with self.reading() as database:
            # A plain BEGIN takes the write lock at the first write, where SQLite cannot wait.
            database.execute("BEGIN IMMEDIATE")
            try:
                self._hold_epoch()
                yield database
                database.commit()
            finally:
                database.rollback()  # nothing is left to undo after a commit

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """The database for queries."""
        with self._lock, errors_of(self._path), self._sound() as database:
            yield database

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _sound(self) -> Iterator[Database]:
        """The connection; after an I/O error a new one, which reads what is on the disk."""
        if self._suspect:
            self._database.close()
            self._database = self._reconnect()
            self._suspect = False
        try:
            yield self._database
        except sqlite3.OperationalError as error:
            self._suspect = is_io_error(error)
            raise

    def _hold_epoch(self) -> None:
        if meta(self._database, "epoch") != self._epoch:
            raise StateError(
                212, "another collector has taken over this state", "keep only one of them running"
            )


def meta(database: Database, key: str) -> str:
    """A value of the table ``meta``."""
    row = database.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
    if row is None:
        raise sqlite3.DatabaseError(f"there is no {key}")
    return str(row[0])


def set_meta(database: Database, key: str, value: str) -> None:
    """Set a value of the table ``meta``."""
    database.execute(
        "INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", [key, value, seal("meta", key, value)]
    )
