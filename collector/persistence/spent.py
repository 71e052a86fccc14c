"""Batches that everybody has: their rows stay until the next ones take over their pages.

SQLite goes through its list of free pages for each page that it takes.  A confirmation
frees thousands of pages at once, and beside so long a list a commit costs a third more
(docs/performance.md).  So the row of a large batch is only marked as spent, and deleted
by a commit that writes about as many bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlite_utils import Database

from collector.persistence.seals import seal

LARGE_BYTES = 64 * 1024
"""A smaller batch has few pages, and is deleted at once."""
MAX_BYTES = 64 * 1024 * 1024
"""So much may lie about: as much as is confirmed at a time."""


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


def make_room(db: Database, size: int) -> None:
    """Delete the oldest spent batches, for a batch of ``size`` bytes that comes in."""
    if size < LARGE_BYTES:
        return
    for batch, freed in db.execute("SELECT batch, bytes FROM spent ORDER BY batch").fetchall():
        if size <= 0:
            return
        _forget(db, batch)
        size -= freed


def clear(db: Database) -> None:
    """Delete them all: their pages are free then, and can be given back."""
    for (batch,) in db.execute("SELECT batch FROM spent").fetchall():
        _forget(db, batch)


def waiting_bytes(db: Database) -> int:
    """The bytes of the batches that somebody waits for."""
    spooled = "SELECT coalesce(sum(bytes), 0) FROM spool"
    return int(db.execute(spooled).fetchone()[0]) - _total(db)


def _total(db: Database) -> int:
    return int(db.execute("SELECT coalesce(sum(bytes), 0) FROM spent").fetchone()[0])


def _size(db: Database, batch: int) -> int:
    """The bytes of a batch that nobody waits for."""
    query = "SELECT bytes FROM spool WHERE id = ?1"
    row = db.execute(f"{query} AND NOT EXISTS {_AWAITED}", [batch]).fetchone()
    return 0 if row is None else int(row[0])


_AWAITED = "(SELECT 1 FROM pending WHERE batch = ?1)"


def _delete(db: Database, batch: int) -> None:
    # Whatever is marked: what somebody waits for stays.
    db.execute(f"DELETE FROM spool WHERE id = ?1 AND NOT EXISTS {_AWAITED}", [batch])  # noqa: S608


def _forget(db: Database, batch: int) -> None:
    _delete(db, batch)
    db.execute("DELETE FROM spent WHERE batch = ?", [batch])
