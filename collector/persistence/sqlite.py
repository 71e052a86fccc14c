"""The state store in one SQLite file.

``commit`` is the heart: one transaction that writes the batches to deliver, the
digests now known, the bytes kept aside, the ledger and the checkpoint, under the
epoch of this start.  Nothing else moves a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
from filelock import FileLock
from sqlite_utils import Database

from collector.core import state
from collector.core.checkpoint import Checkpoint
from collector.core.dedup import pack
from collector.core.ledger import OPEN, Entry
from collector.core.model import Batch, Clock, Micros
from collector.core.policy import Usage
from collector.core.store import Commit, DeadLetter
from collector.errors import StateError
from collector.persistence import database
from collector.persistence.spool import SqliteSpool

_encode = msgspec.json.encode
_decode = msgspec.json.decode


class SqliteStore:
    """The store of one collector process; see ``core.store.Store`` for the contract."""

    def __init__(self, folder: Path, lock: FileLock, clock: Clock) -> None:
        self._lock = lock
        path = folder / database.FILE_NAME
        self._writer = database.Guarded(database.open_for_writing(folder), path)
        self._reader = database.Guarded(database.open_for_reading(folder), path)
        with self._writer.reading() as db:
            self._epoch = _meta(db, "epoch")
            store_id = _meta(db, "store_id")
        self.spool = SqliteSpool(self._writer, self._reader, store_id, clock)

    @classmethod
    def open(cls, folder: Path, clock: Clock) -> SqliteStore:
        """Own the folder and open its store; raises ``StateError``."""
        lock = database.take_lock(folder)
        try:
            return cls(folder, lock, clock)
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
        stored = self.stored_state(source)
        if stored is None:
            return None
        try:
            return state.from_state(stored)
        except ValueError as error:
            raise StateError(
                210,
                f"the state of {source} cannot be used: {error}",
                "run the release that wrote it, or reset this service with 'collector state reset'",
            ) from error

    def stored_state(self, source: str) -> state.State | None:
        """The state as it is stored, before upgrades."""
        with self._writer.reading() as db:
            row = db.execute("SELECT state FROM checkpoint WHERE source = ?", [source]).fetchone()
        return None if row is None else _decode(row[0])

    def known(self, source: str, slot: int) -> Iterable[bytes]:
        """The packed digests stored for one hour slot."""
        with self._reader.reading() as db:
            rows = db.execute(
                "SELECT digests FROM known WHERE source = ? AND slot = ?", [source, slot]
            ).fetchall()
        return [row[0] for row in rows]

    def commit(self, commit: Commit) -> None:
        """Make all of it durable; on return it survives a power cut."""
        for entry in commit.entries:
            if not entry.counts.balanced():
                raise StateError(
                    211, f"the account of {commit.source} does not add up", "please report this"
                )
        with self._writer.transaction() as db:
            self._hold_epoch(db)
            added = sum(self.spool.add(db, batch) for batch in commit.batches)
            for slot, digests in commit.digests.items():
                db.execute(
                    "INSERT INTO known (source, slot, committed, digests) VALUES (?, ?, ?, ?)",
                    [commit.source, slot, commit.observed, pack(digests)],
                )
            for letter in commit.dead_letters:
                _keep_aside(db, letter)
            for entry in commit.entries:
                _account(db, commit.source, entry)
            _save_checkpoint(db, commit.source, commit.checkpoint, commit.observed)
        self.spool.grown(added)

    def announce(self, batch: Batch) -> None:
        """Spool a batch of our own making (metrics, traces), which no checkpoint goes with."""
        with self._writer.transaction() as db:
            self._hold_epoch(db)
            added = self.spool.add(db, batch)
        self.spool.grown(added)

    def reset(self, source: str, checkpoint: Checkpoint, now: Micros, reason: str) -> None:
        """Start a source anew: its state, known ids and ledger in one transaction."""
        with self._writer.transaction() as db:
            self._hold_epoch(db)
            row = db.execute("SELECT state FROM checkpoint WHERE source = ?", [source]).fetchone()
            db.execute("DELETE FROM known WHERE source = ?", [source])
            db.execute("DELETE FROM ledger WHERE source = ?", [source])
            _save_checkpoint(db, source, checkpoint, now)
            db.execute(
                "INSERT INTO history (changed, source, reason, previous, current)"
                " VALUES (?, ?, ?, ?, ?)",
                [now, source, reason, row and row[0], _encode(state.to_state(checkpoint)).decode()],
            )

    def correct(self, source: str, checkpoint: Checkpoint, now: Micros) -> None:
        """Replace a checkpoint outside a pull; known ids and ledger stay."""
        with self._writer.transaction() as db:
            self._hold_epoch(db)
            _save_checkpoint(db, source, checkpoint, now)

    def forget(self, source: str, committed_before: Micros, keep_from_slot: int) -> None:
        """Drop digests that no re-read can need: older by commit, and before the kept slots."""
        with self._writer.transaction() as db:
            db.execute(
                "DELETE FROM known WHERE source = ? AND committed < ? AND slot < ?",
                [source, committed_before, keep_from_slot],
            )

    def give_back_space(self) -> None:
        """Return free pages to the file system, a bounded number at a time."""
        with self._writer.reading() as db:
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

    def _hold_epoch(self, db: Database) -> None:
        """Refuse to write once a later start has taken over, whatever the lock file says."""
        if _meta(db, "epoch") != self._epoch:
            raise StateError(
                212, "another collector has taken over this state", "keep only one of them running"
            )


def _meta(db: Database, key: str) -> str:
    return str(db.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()[0])


def _save_checkpoint(db: Database, source: str, checkpoint: Checkpoint, now: Micros) -> None:
    text = _encode(state.to_state(checkpoint)).decode()
    db.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)", [source, text, now])


def _keep_aside(db: Database, letter: DeadLetter) -> None:
    db.execute(
        "INSERT INTO dead_letter (observed, source, tag, output, reason, raw)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [letter.observed, letter.source, letter.tag, letter.output, letter.reason, letter.raw],
    )


def _account(db: Database, source: str, entry: Entry) -> None:
    counts = entry.counts
    db.execute(
        """INSERT INTO ledger VALUES (?1, ?2, ?3, coalesce(?4, ?5), ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT (source, start, "end") DO UPDATE SET
            state = coalesce(?4, state), reason = coalesce(?6, reason),
            received = received + ?7, spooled = spooled + ?8, duplicate = duplicate + ?9,
            filtered = filtered + ?10, dead_lettered = dead_lettered + ?11""",
        [
            *(source, entry.span.start, entry.span.end, entry.state, OPEN, entry.reason),
            *(counts.received, counts.spooled, counts.duplicate),
            *(counts.filtered, counts.dead_lettered),
        ],
    )
