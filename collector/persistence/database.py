"""Opening the SQLite file: durable, private, one writer, and loud when it is damaged."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlite_utils import Database

from collector.errors import StateError
from collector.persistence.migrations import schema

FILE_NAME = "collector.db"
LOCK_NAME = "collector.lock"
PAGE_SIZE = 16 * 1024
BUSY_TIMEOUT_MS = 5_000

_DAMAGED = "keep a copy of the file aside, then restore a backup or start with an empty folder"


def take_lock(folder: Path) -> FileLock:
    """Own the state folder; raises ``StateError`` when another process does."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_NAME, mode=0o600)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StateError(
            201,
            f"another collector is using the state folder {folder}",
            "wait for it to end, or give this one its own persistence.config.directory_name",
        ) from error
    except OSError as error:
        raise StateError(
            202,
            f"the state folder {folder} cannot be used: {error.strerror}",
            "make the folder writable for the user that runs the collector",
        ) from error
    return lock


def exists(folder: Path) -> bool:
    """Whether there is a state file in the folder."""
    return (folder / FILE_NAME).exists()


def open_for_writing(folder: Path) -> Database:
    """The database, migrated to today's schema, with a new epoch."""
    path = folder / FILE_NAME
    with errors_of(path):
        database = _connect(path)
        _refuse_newer(database, path)
        schema.apply(database)
        with database.atomic():
            database.execute(
                "INSERT INTO meta VALUES ('epoch', '1')"
                " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
            )
            database.execute(
                "INSERT OR IGNORE INTO meta VALUES ('store_id', ?)", [uuid.uuid4().hex[:12]]
            )
        path.chmod(0o600)
        return database


def open_for_reading(folder: Path) -> Database:
    """A second connection that never writes; the file must exist."""
    path = folder / FILE_NAME
    with errors_of(path):
        if not path.exists():
            raise StateError(
                203, f"there is no state in {folder}", "run the collector once, or name the folder"
            )
        database = _connect(path)
        database.execute("PRAGMA query_only = ON")
        _refuse_newer(database, path)
        return database


def _connect(path: Path) -> Database:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000
    )
    for pragma in (
        f"page_size = {PAGE_SIZE}",  # a measured middle: see docs/decisions
        "auto_vacuum = INCREMENTAL",  # a spool that was large gives its space back
        "journal_mode = WAL",
        "synchronous = FULL",  # NORMAL loses the last commit in a power cut
        "journal_size_limit = 67108864",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return Database(connection)


def _refuse_newer(database: Database, path: Path) -> None:
    ours = {step.name for step in schema.pending(database)} | {
        step.name for step in schema.applied(database)
    }
    known = {step.name for step in schema._migrations}  # noqa: SLF001 - no public list exists
    if ours - known:
        steps = ", ".join(sorted(ours - known))
        raise StateError(
            204,
            f"{path.name} was written by a newer release (it has {steps})",
            "run that release, or start with another state folder",
        )


@contextmanager
def errors_of(path: Path | str) -> Iterator[None]:
    """Turn what SQLite raises into a ``StateError`` that says what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StateError(*_operational(error, path)) from error
    except sqlite3.DatabaseError as error:
        raise StateError(205, f"{path} is damaged or no state file: {error}", _DAMAGED) from error


def _operational(error: sqlite3.OperationalError, path: Path | str) -> tuple[int, str, str]:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return 206, f"the disk under {path} is full", "free some space; pulling goes on by itself"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return 207, f"{path} is locked by another program", "close the program that has it open"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return 208, f"{path} cannot be opened or written: {error}", "check owner and permissions"
    return 209, f"{path} failed: {error}", "check the disk; nothing that was confirmed is lost"


class Guarded:
    """A database with its lock.

    One ``Database`` shared by two threads turns the second thread's transaction
    into a savepoint of the first's, so every use goes through here.
    """

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._path = path

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """All of the block's writes, or none."""
        with self._lock, errors_of(self._path), self._database.atomic():
            yield self._database

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """The database for queries."""
        with self._lock, errors_of(self._path):
            yield self._database

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._database.close()
