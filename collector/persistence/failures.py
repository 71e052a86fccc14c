"""What SQLite and the file system raise, as errors that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.errors import StateError
from collector.persistence.damage import DAMAGED

DISK_FULL = 206
LOCKED = 207
UNWRITABLE = 208
IO_ERROR = 209
PASSING = frozenset({DISK_FULL, LOCKED, IO_ERROR})
"""The numbers of what passes without a person, or when the operator has acted: the same
work may be done again, by the same process.  Everything else needs a restart."""

_DAMAGED = "keep a copy of the file aside, then restore a backup or start with an empty folder"
_PERMISSIONS = "check owner and permissions"


def damaged(path: Path | str, reason: object) -> StateError:
    """The file is not one of ours, or no longer."""
    return StateError(DAMAGED, f"{path} is damaged or no state file: {reason}", _DAMAGED)


@contextmanager
def errors_of(path: Path | str) -> Iterator[None]:
    """Turn what is raised over the state file into a ``StateError``."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _operational(error, path) from error
    except sqlite3.ProgrammingError as error:
        raise StateError(213, f"{path} is closed: {error}", "start the collector again") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise damaged(path, error) from error
    except OSError as error:
        cause = f"{path} cannot be opened or written: {error.strerror}"
        raise StateError(UNWRITABLE, cause, _PERMISSIONS) from error


def is_io_error(error: sqlite3.OperationalError) -> bool:
    """Whether the disk failed, so that nobody knows what of the last write is on it."""
    return _code(error) == sqlite3.SQLITE_IOERR


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another connection holds the lock that is needed."""
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: sqlite3.OperationalError) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _operational(error: sqlite3.OperationalError, path: Path | str) -> StateError:
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        remedy = "free some space; pulling goes on by itself"
        return StateError(DISK_FULL, f"the disk under {path} is full", remedy)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        remedy = "close the program that has it open"
        return StateError(LOCKED, f"{path} is locked by another program", remedy)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StateError(UNWRITABLE, f"{path} cannot be opened or written: {error}", _PERMISSIONS)
    if code == sqlite3.SQLITE_IOERR:
        remedy = "check the disk; nothing that was confirmed is lost"
        return StateError(IO_ERROR, f"{path} failed: {error}", remedy)
    # Python's own module gives no code to text that is not UTF-8.
    if code == 0 or str(error).startswith("no such"):
        return damaged(path, error)
    return StateError(214, f"{path} cannot be used: {error}", "please report this")
