"""The state store in one SQLite file.

``commit`` is the heart: one transaction that writes the batches to deliver, the
digests now known, the bytes kept aside, the ledger and the checkpoint, under the
epoch of this start.  Nothing else moves a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path

from filelock import FileLock
from sqlite_utils import Database

from collector.core import fault, state
from collector.core.checkpoint import Checkpoint
from collector.core.dedup import pack
from collector.core.ledger import Account
from collector.core.model import Batch, Clock, Micros, Window
from collector.core.policy import Usage
from collector.core.store import Commit, DeadLetter
from collector.errors import StateError
from collector.persistence import accounts, database, stored
from collector.persistence.database import Connect
from collector.persistence.spool import SqliteSpool


class SqliteStore:
    """The store of one collector process; see ``core.store.Store`` for the contract."""

    def __init__(self, folder: Path, lock: FileLock, clock: Clock, connect: Connect) -> None:
        self._lock = lock
        with ExitStack() as opened:
            self._writer = opened.enter_context(closing(database.open_for_writing(folder, connect)))
            self._reader = opened.enter_context(closing(database.open_for_reading(folder, connect)))
            self.spool = SqliteSpool(self._writer, self._reader, clock)
            opened.pop_all()

    @classmethod
    def open(cls, folder: Path, clock: Clock, connect: Connect = database.connect) -> SqliteStore:
        """Own the folder and open its store; raises ``StateError``."""
        lock = database.take_lock(folder)
        try:
            return cls(folder, lock, clock, connect)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Close the file and give the folder free."""
        self._reader.close()
        self._writer.close()
        self._lock.release()

    def checkpoint(self, source: str) -> Checkpoint | None:
        """The stored checkpoint, or None for a source never seen."""
        found = self.stored_state(source)
        return None if found is None else stored.read_checkpoint(source, found)

    def stored_state(self, source: str) -> state.State | None:
        """The state as it is stored, before upgrades."""
        with self._writer.reading() as db:
            row = db.execute("SELECT state FROM checkpoint WHERE source = ?", [source]).fetchone()
        return None if row is None else stored.read_state(source, row[0])

    def known(self, source: str, slot: int) -> Iterable[bytes]:
        """The packed digests stored for one hour slot."""
        with self._reader.reading() as db:
            rows = db.execute(
                "SELECT digests FROM known WHERE source = ? AND slot = ?", [source, slot]
            ).fetchall()
        return [row[0] for row in rows]

    def account(self, source: str, hour: Window) -> Account:
        """The ledger's row of one UTC hour; an empty one when there is none."""
        with self._writer.reading() as db:
            return accounts.read(db, source, hour)

    def usual(self, source: str, hour: Window) -> int | None:
        """How many events an hour usually has: the median of the complete ones before it."""
        with self._writer.reading() as db:
            return accounts.usual(db, source, hour)

    def commit(self, commit: Commit) -> None:
        """Make all of it durable; on return it survives a power cut."""
        for entry in commit.entries:
            if not entry.counts.balanced():
                raise StateError(
                    211, f"the account of {commit.source} does not add up", "please report this"
                )
        fault.point("tx.begin")
        with self._writer.transaction() as db:
            fault.point("tx.spool")
            added = sum(self.spool.add(db, batch) for batch in commit.batches)
            fault.point("tx.dedup")
            for slot, digests in commit.digests.items():
                db.execute(
                    "INSERT INTO known (source, slot, committed, digests) VALUES (?, ?, ?, ?)",
                    [commit.source, slot, commit.observed, pack(digests)],
                )
            for letter in commit.dead_letters:
                _keep_aside(db, letter)
            for entry in commit.entries:
                accounts.write(db, commit.source, entry, commit.observed)
            fault.point("tx.checkpoint")
            _save_checkpoint(db, commit.source, commit.checkpoint, commit.observed)
            fault.point("tx.commit.before")
        self.spool.grown(added)
        fault.point("tx.commit.after")

    def unannounced(self, limit: int) -> list[tuple[str, Account]]:
        """Ledger rows whose state changed since it was last announced, with their sources."""
        with self._writer.reading() as db:
            return accounts.unannounced(db, limit)

    def announce(self, batch: Batch, changes: Iterable[tuple[str, Account]] = ()) -> None:
        """Spool a batch of our own making, which no checkpoint goes with.

        ``changes`` are the ledger rows that it tells of.
        """
        with self._writer.transaction() as db:
            added = self.spool.add(db, batch)
            accounts.announce(db, changes)
        self.spool.grown(added)

    def reset(self, source: str, checkpoint: Checkpoint, now: Micros, reason: str) -> None:
        """Start a source anew: its state, known ids and ledger in one transaction."""
        with self._writer.transaction() as db:
            row = db.execute("SELECT state FROM checkpoint WHERE source = ?", [source]).fetchone()
            db.execute("DELETE FROM known WHERE source = ?", [source])
            db.execute("DELETE FROM ledger WHERE source = ?", [source])
            db.execute("DELETE FROM delivered WHERE source = ?", [source])
            _save_checkpoint(db, source, checkpoint, now)
            db.execute(
                "INSERT INTO history (changed, source, reason, previous, current)"
                " VALUES (?, ?, ?, ?, ?)",
                [now, source, reason, row and row[0], stored.write(checkpoint)],
            )

    def correct(self, source: str, checkpoint: Checkpoint, now: Micros) -> None:
        """Replace a checkpoint outside a pull; known ids and ledger stay."""
        with self._writer.transaction() as db:
            _save_checkpoint(db, source, checkpoint, now)

    def forget(self, source: str, committed_before: Micros, keep_from_slot: int) -> None:
        """Drop digests that no re-read can need: older by commit, and before the kept slots."""
        with self._writer.transaction() as db:
            db.execute(
                "DELETE FROM known WHERE source = ? AND committed < ? AND slot < ?",
                [source, committed_before, keep_from_slot],
            )
            fault.point("gc.dedup")

    def give_back_space(self) -> None:
        """Return free pages to the file system, a bounded number at a time."""
        with self._writer.reading() as db:
            fault.point("gc.spool")
            db.execute("PRAGMA incremental_vacuum(4096)").fetchall()

    def usage(self, input_name: str) -> Usage:
        """The calls an input has used."""
        with self._writer.reading() as db:
            row = db.execute(
                "SELECT day, calls, not_before FROM usage WHERE input = ?", [input_name]
            ).fetchone()
        return Usage() if row is None else Usage(*row)

    def save_usage(self, input_name: str, usage: Usage) -> None:
        """Keep the calls an input has used."""
        with self._writer.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?)",
                [input_name, usage.day, usage.calls, usage.not_before],
            )


def _save_checkpoint(db: Database, source: str, checkpoint: Checkpoint, now: Micros) -> None:
    db.execute(
        "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)",
        [source, stored.write(checkpoint), now],
    )


def _keep_aside(db: Database, letter: DeadLetter) -> None:
    db.execute(
        "INSERT INTO dead_letter (observed, source, tag, output, reason, raw)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [letter.observed, letter.source, letter.tag, letter.output, letter.reason, letter.raw],
    )
