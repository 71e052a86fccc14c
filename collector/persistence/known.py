"""The known ids in SQLite: packed digests, one row per commit and hour slot.

Every function runs inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sqlite_utils import Database

from collector.core import digests
from collector.core.digests import pack
from collector.core.model import Micros
from collector.core.times import DAY, HOUR
from collector.persistence import seals

_READ_AGAIN = 40 * DAY
"""No vendor keeps what is older; such times are most often those of clocks never set."""


def read(db: Database, source: str, slot: int) -> list[bytes]:
    """The packed digests of one slot."""
    rows = db.execute(
        "SELECT committed, digests, seal FROM known WHERE source = ? AND slot = ?", [source, slot]
    ).fetchall()
    for committed, packed, sealed in rows:
        seals.check("known", source, slot, committed, packed, sealed=sealed)
        if len(packed) % digests.SIZE:
            raise sqlite3.DatabaseError("a row of known ids holds a part of one")
    return [row[1] for row in rows]


def counts(db: Database, source: str, first: int, last: int) -> dict[int, int]:
    """How many digests are stored, by slot, in those of a span that hold any."""
    # The length of a blob stands before it: none is read.
    rows = db.execute(
        "SELECT slot, sum(length(digests)) FROM known"
        " WHERE source = ? AND slot BETWEEN ? AND ? GROUP BY slot",
        [source, first, last],
    ).fetchall()
    return {slot: size // digests.SIZE for slot, size in rows}


def add(db: Database, source: str, slot: int, committed: Micros, new: Sequence[bytes]) -> None:
    """Store what one commit makes known in a slot."""
    row = (source, slot, committed, pack(new))
    db.execute(
        "INSERT INTO known (source, slot, committed, digests, seal) VALUES (?, ?, ?, ?, ?)",
        [*row, seals.seal("known", *row)],
    )


def forget(db: Database, source: str, committed_before: Micros, keep_from_slot: int) -> None:
    """Drop what was committed before, in the slots before those to keep.

    A slot goes as a whole, when its newest row is old enough: of an hour that is known
    in part, a re-read would take the rest for new.  Rows of slots that are far too old
    to be read again go one by one: events without a time, or with that of a clock never
    set, may come for ever, and the slot's newest row would never be old.  Those that
    were committed since the first hour to keep began may be of one that is kept.
    """
    one_by_one = (committed_before - _READ_AGAIN) // HOUR
    since = min(committed_before, keep_from_slot * HOUR)
    db.execute(
        "DELETE FROM known WHERE source = ? AND slot < ? AND committed < ?",
        [source, min(one_by_one, keep_from_slot), since],
    )
    db.execute(
        "DELETE FROM known WHERE source = ? AND slot BETWEEN ? AND ? AND slot"
        " IN (SELECT slot FROM known WHERE source = ? GROUP BY slot HAVING max(committed) < ?)",
        [source, one_by_one, keep_from_slot - 1, source, committed_before],
    )
