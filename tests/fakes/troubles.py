"""What really goes wrong at each fault point, and when."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from functools import partial

from collector.errors import StateError, Undelivered, UnreadableAnswer, VendorUnavailable

NTH = ("first", "second", "last")
DELAY_SECONDS = 7200.0
"""Longer than a token lives, and than a server remembers a session."""


def nth(which: str, last: int) -> int:
    """``first``, ``second`` or ``last`` as a number."""
    return {"first": 1, "second": 2, "last": last}[which]


def sqlite_error(code: int, text: str) -> sqlite3.OperationalError:
    """An error as SQLite raises it."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


_FULL = partial(sqlite_error, sqlite3.SQLITE_FULL, "database or disk is full")
_IO = partial(sqlite_error, sqlite3.SQLITE_IOERR, "disk I/O error")
_STATE = partial(StateError, 209, "the disk failed", "check it")
_RESET = partial(OSError, errno.ECONNRESET, "Connection reset by peer")
_NO_SPACE = partial(OSError, errno.ENOSPC, "No space left on device")
_DOWN = partial(VendorUnavailable, 500, "the vendor cannot answer", "wait")
_UNREADABLE = partial(UnreadableAnswer, 305, "the page is not JSON", "wait")
_UNDELIVERED = partial(Undelivered, 602, "the destination did not answer", "wait")

ERRORS: dict[str, Callable[[], Exception]] = {
    "token.request": _DOWN,
    "token.store": _DOWN,
    "page.request": _RESET,
    "page.headers": _RESET,
    "page.body": _RESET,
    "page.parse": _UNREADABLE,
    "dedup.check": _STATE,
    "event.flatten": MemoryError,
    "tx.begin": _STATE,
    "tx.spool": _FULL,
    "tx.dedup": _FULL,
    "tx.checkpoint": _FULL,
    "tx.commit.before": _IO,
    "tx.commit.after": _STATE,  # the answer is lost, not the commit
    "send.claim": _IO,
    "send.connect": _NO_SPACE,
    "send.write.before": _UNDELIVERED,
    "send.write.partial": _NO_SPACE,
    "send.write.after": _UNDELIVERED,
    "ack.wait": _UNDELIVERED,
    "ack.received": _UNDELIVERED,
    "tx.ack.before": _FULL,
    "tx.ack.after": _STATE,
    "rotate": _NO_SPACE,
    "gc.spool": _IO,
    "gc.dedup": _FULL,
    "shutdown": _UNDELIVERED,
}


def failing(name: str) -> Callable[[], None]:
    """Something that raises what goes wrong there."""

    def fail() -> None:
        error = ERRORS[name]()
        raise error

    return fail
