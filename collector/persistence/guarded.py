"""A connection that several threads share, and that only today's owner writes through."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from collector.errors import StateError
from collector.persistence.failures import errors_of, is_busy, is_io_error
from collector.persistence.seals import seal

BUSY_TIMEOUT_MS = 5_000
"""How long another program's transaction is waited for."""
_TURN_MS = 8


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
        *,
        shared: bool = False,
    ) -> None:
        """``shared``: other processes of ours write to it, too, and often."""
        self._database = database
        self._path = path
        self._reconnect = reconnect
        self._suspect = False
        self._epoch = epoch
        self._shared = shared
        self._lock = threading.Lock()
        self._file = _identity(path)

    @property
    def epoch(self) -> str:
        """The number of this start; empty where nothing is written."""
        return self._epoch or ""

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """All of the block's writes, or none; another program's transaction is waited for.

        Raises ``StateError`` once a later start has taken over, whatever the lock
        file says, and when the file was removed or replaced: what is written to one that
        is open and has no name any more is lost with this process.
        """
        with self.reading() as database:
            self._hold_file()
            self._begin(database)
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

    def _begin(self, database: Database) -> None:
        """Take the write lock; raises ``sqlite3.OperationalError`` after waiting in vain."""
        if self._shared:
            _take_turn(database)
        else:
            # A plain BEGIN takes the write lock at the first write, where SQLite cannot wait.
            database.execute("BEGIN IMMEDIATE")

    def _hold_file(self) -> None:
        try:
            found = _identity(self._path)
        except OSError:
            return  # nobody knows; the file is open all the same, and SQLite tells when it fails
        if found != self._file:
            raise StateError(
                217,
                f"{self._path} was removed or replaced while it was in use",
                "put a backup in its place, or start with an empty folder: services then begin at "
                "their configured start, and records come twice",
            )

    def _hold_epoch(self) -> None:
        if meta(self._database, "epoch") != self._epoch:
            raise StateError(
                212, "another collector has taken over this state", "keep only one of them running"
            )


def _identity(path: Path) -> tuple[int, int] | None:
    """By what the system tells files apart; None where there is none."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _take_turn(database: Database) -> None:
    """``BEGIN IMMEDIATE`` among processes that write often.

    SQLite's own waiting looks ever less often, in the end ten times a second: beside
    writers that follow each other closely, it may find none of the gaps.  A wait of
    eight milliseconds, made again and again, looks about 400 times a second.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    database.execute(f"PRAGMA busy_timeout = {_TURN_MS}")
    try:
        while not _begun(database, last=time.monotonic() >= deadline):
            pass
    finally:
        database.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


def _begun(database: Database, *, last: bool) -> bool:
    """Whether the write lock is ours now; raises what SQLite raises, at the ``last`` try always."""
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if last or not is_busy(error):
            raise
        return False
    return True


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
