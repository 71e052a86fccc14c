"""Checksums of rows: to SQLite a flipped bit in a text or a blob is no damage.

Each row that decides what is collected or delivered carries the checksum of its
table and its values.  The small tables are checked as a whole when the file is
opened, the others row by row as they are read.
"""

from __future__ import annotations

import sqlite3
from typing import TypeAlias

from sqlite_utils import Database
from zlib_ng import zlib_ng

Value: TypeAlias = int | str | bytes | None

SMALL = {
    "meta": "key, value",
    "checkpoint": "source, state, changed",
    "pending": "output, lane, batch",
    "position": "output, lane, value",
    "spent": "batch, bytes",
    "usage": "input, day, calls, not_before",
    "kept_aside": "source, output, records, bytes, dropped, dropped_bytes",
}
"""The tables that are checked at the start, with the columns under their seal."""


def seal(table: str, *values: Value) -> int:
    """The checksum of a row: CRC-32 over the table's name, the values, and then the blobs."""
    facts = [len(value) if isinstance(value, bytes) else value for value in values]
    checksum = zlib_ng.crc32(repr((table, facts)).encode())
    for value in values:
        if isinstance(value, bytes):
            checksum = zlib_ng.crc32(value, checksum)
    return checksum


def check(table: str, *values: Value, sealed: object) -> None:
    """Raise ``sqlite3.DatabaseError`` unless the row is as it was written."""
    if seal(table, *values) != sealed:
        raise sqlite3.DatabaseError(f"a row of {table} is not as it was written")


def check_small_tables(database: Database) -> None:
    """Check every row of the small tables."""
    for table, columns in SMALL.items():
        query = f"SELECT {columns}, seal FROM {table}"  # noqa: S608 - names of ours
        for *values, sealed in database.execute(query):
            check(table, *values, sealed=sealed)


def check_digests(database: Database) -> None:
    """Check every row of known ids."""
    query = "SELECT source, slot, committed, digests, seal FROM known"
    for *values, sealed in database.execute(query):
        check("known", *values, sealed=sealed)
