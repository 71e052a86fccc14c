"""State stores behind one face, with the questions that only a test asks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from collector.core.checkpoint import Checkpoint
from collector.core.model import Batch, Micros
from collector.core.store import Store
from collector.persistence.database import FILE_NAME, LOCK_NAME
from collector.persistence.seals import seal
from collector.persistence.spool import SqliteSpool
from collector.persistence.sqlite import SqliteStore
from tests.fakes.clock import ManualClock

START: Micros = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""


class FullStore(Store, Protocol):
    """All that a store offers: to pullers, to senders and to the program."""

    spool: SqliteSpool

    def reset(self, source: str, checkpoint: Checkpoint, now: Micros, reason: str) -> None:
        """Start a source anew."""
        ...

    def correct(self, source: str, checkpoint: Checkpoint, now: Micros) -> None:
        """Replace a checkpoint outside a pull."""
        ...

    def forget(self, source: str, committed_before: Micros, keep_from_slot: int) -> None:
        """Drop digests that no re-read can need."""
        ...

    def announce(self, batch: Batch) -> None:
        """Spool a batch that no checkpoint goes with."""
        ...

    def give_back_space(self) -> bool:
        """Return some free space to the file system; whether there is more."""
        ...

    def close(self) -> None:
        """Close the store."""
        ...


class State(Protocol):
    """One place where a kind of store keeps its state."""

    clock: ManualClock

    def open(self) -> FullStore:
        """Open the store as its one owner."""
        ...

    def usurp(self) -> FullStore:
        """Open it although it has an owner, whose lock is lost."""
        ...

    def break_writes_to(self, table: str) -> None:
        """Let every later insert into ``table`` fail, inside its transaction."""
        ...

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """The rows of ``dead_letter`` (source, output, reason, raw), ``ledger`` or ``history``."""
        ...


_QUERIES = {
    "dead_letter": "SELECT source, output, reason, raw FROM dead_letter ORDER BY id",
    "ledger": "SELECT source, start, state, reason, received, spooled, duplicate, filtered,"
    " dead_lettered FROM ledger ORDER BY source, start",
    "history": "SELECT source, reason FROM history ORDER BY id",
}


class SqliteState:
    """A folder with a SQLite file."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(START)
        self.folder = folder
        self.file = folder / FILE_NAME

    def open(self) -> SqliteStore:
        """Open the store as its one owner."""
        return SqliteStore.open(self.folder, self.clock)

    def usurp(self) -> SqliteStore:
        """Open it although it has an owner: the lock file was removed."""
        (self.folder / LOCK_NAME).unlink()
        return self.open()

    def break_writes_to(self, table: str) -> None:
        """Set a trigger that raises."""
        self.run(
            f"CREATE TRIGGER broken BEFORE INSERT ON {table}"
            " BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
        )

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """The rows of a table, as another program sees them."""
        return self.run(_QUERIES[table])

    def write_state(self, source: str, text: str) -> None:
        """Store this text as a source's state, sealed as another release would."""
        row = (source, text, START)
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?)",
                [*row, seal("checkpoint", *row)],
            )

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """One statement over a connection of its own."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            return connection.execute(sql).fetchall()
