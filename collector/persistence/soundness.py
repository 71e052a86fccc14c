"""Whether a state file is sound, as far as that is cheap; the rest shows when it is read.

What is checked at each start takes a second at most for a small file, and for a
large one time for its small tables and one look at each batch that waits.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path

from sqlite_utils import Database

from collector.persistence import seals
from collector.persistence.migrations import schema

SMALL_BYTES = 256 * 1024 * 1024
"""Up to this size each page and each known id is looked at when the file is opened."""


def check_pages(database: Database, path: Path) -> None:
    """Have SQLite look at every page of a small file; raises ``sqlite3.DatabaseError``."""
    if path.stat().st_size > SMALL_BYTES:
        return
    (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(" ".join(found.split()))


def check_rows(database: Database, path: Path) -> None:
    """Check tables and rows that everything rests on; raises ``sqlite3.DatabaseError``."""
    for name in sorted(_ours() - _objects(database)):
        raise sqlite3.DatabaseError(f"a table or index is not as it was made: {name[1]}")
    seals.check_small_tables(database)
    _check_waiting(database)
    if path.stat().st_size <= SMALL_BYTES:
        seals.check_digests(database)


def _check_waiting(database: Database) -> None:
    """Nobody waits for a batch that is gone; a batch for which nobody waits is marked as spent."""
    lost = "SELECT 1 FROM pending WHERE NOT EXISTS (SELECT 1 FROM spool WHERE id = batch)"
    kept = (
        "SELECT 1 FROM spool WHERE NOT EXISTS (SELECT 1 FROM pending WHERE batch = id)"
        " AND NOT EXISTS (SELECT 1 FROM spent WHERE batch = id)"
    )
    for query in (lost, kept):
        if database.execute(f"{query} LIMIT 1").fetchone() is not None:
            raise sqlite3.DatabaseError("the spool does not fit what outputs wait for")


@cache
def _ours() -> frozenset[tuple[str, str, str]]:
    """The tables and indexes of today's schema."""
    model = Database(memory=True)
    schema.apply(model)
    found = _objects(model)
    model.close()
    return frozenset(each for each in found if not each[1].startswith("_"))


def _objects(database: Database) -> frozenset[tuple[str, str, str]]:
    query = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
    return frozenset(database.execute(query).fetchall())
