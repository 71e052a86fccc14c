"""Batches that everybody has: their rows stay until the next ones take over their pages.

SQLite goes through its list of free pages for each page that it takes.  A confirmation
frees thousands of pages at once, and beside so long a list a commit costs a third more
(docs/performance.md).  So the row of a large batch is only marked as spent, and deleted
by a commit that writes about as many bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlite_utils import Database

from collector.persistence.database import PAGE_SIZE
from collector.persistence.seals import seal

LARGE_BYTES = 64 * 1024
"""A smaller batch has few pages, and is deleted at once."""
MAX_BYTES = 64 * 1024 * 1024
"""So much may lie about: as much as is confirmed at a time."""
SPARE_PAGES = 64
"""So many are kept free for ids, accounts and dead letters: a list so short costs nothing."""


def release(db: Database, batches: Iterable[int]) -> dict[int, int]:
    """Keep these batches no longer; their bytes, 0 where an output still waits for one."""
    room = MAX_BYTES - _total(db)
    released: dict[int, int] = {}
    for batch in batches:
        size = released[batch] = _size(db, batch)
        if not size:
            continue
        if size < LARGE_BYTES or size > room:
            _delete(db, batch)
        else:
            db.execute(
                "INSERT INTO spent VALUES (?, ?, ?)", [batch, size, seal("spent", batch, size)]
            )
            room -= size
    return released


def make_room(db: Database, sizes: Iterable[int] = ()) -> None:
    """Delete the oldest spent batches, for batches of so many bytes that come in.

    While any is left the file need not grow for what is written: on a full disk it could not.
    """
    wanted = SPARE_PAGES + sum(size // PAGE_SIZE + 1 for size in sizes)
    while _free_pages(db) < wanted:
        (oldest,) = db.execute("SELECT min(batch) FROM spent").fetchone()
        if oldest is None:
            return
        _forget(db, oldest)


def clear(db: Database) -> None:
    """Delete them all: their pages are free then, and can be given back."""
    for (batch,) in db.execute("SELECT batch FROM spent").fetchall():
        _forget(db, batch)


def waiting_bytes(db: Database) -> int:
    """The bytes of the batches that somebody waits for."""
    # One statement: between two, others may commit.
    query = (
        "SELECT (SELECT coalesce(sum(bytes), 0) FROM spool)"
        " - (SELECT coalesce(sum(bytes), 0) FROM spent)"
    )
    return int(db.execute(query).fetchone()[0])


def _free_pages(db: Database) -> int:
    return int(db.execute("PRAGMA freelist_count").fetchone()[0])


def _total(db: Database) -> int:
    return int(db.execute("SELECT coalesce(sum(bytes), 0) FROM spent").fetchone()[0])


def _size(db: Database, batch: int) -> int:
    """The bytes of a batch that nobody waits for."""
    query = f"SELECT bytes FROM spool WHERE id = ? AND NOT EXISTS {_AWAITED}"  # noqa: S608
    row = db.execute(query, [batch, batch]).fetchone()
    return 0 if row is None else int(row[0])


_AWAITED = "(SELECT 1 FROM pending WHERE batch = ?)"


def _delete(db: Database, batch: int) -> None:
    # Whatever is marked: what somebody waits for stays.
    query = f"DELETE FROM spool WHERE id = ? AND NOT EXISTS {_AWAITED}"  # noqa: S608
    db.execute(query, [batch, batch])


def _forget(db: Database, batch: int) -> None:
    _delete(db, batch)
    db.execute("DELETE FROM spent WHERE batch = ?", [batch])
