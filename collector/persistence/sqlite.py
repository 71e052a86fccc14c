"""The state store in one SQLite file.

``commit`` is the heart: one transaction that writes the batches to deliver, the
digests now known, the bytes kept aside, the ledger and the checkpoint, under the
epoch of this start.  Nothing else moves a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from filelock import FileLock
from sqlite_utils import Database

from collector.core import fault, state
from collector.core.checkpoint import Checkpoint
from collector.core.ledger import Account
from collector.core.model import Batch, Clock, Micros, Window
from collector.core.policy import Usage
from collector.core.store import Commit
from collector.errors import StateError
from collector.persistence import accounts, damage, database, known, letters, seals, spent, stored
from collector.persistence.database import Connect
from collector.persistence.guarded import Guarded
from collector.persistence.health import HealthStore
from collector.persistence.letters import Filter, Letter, Totals
from collector.persistence.spool import SqliteSpool, prepared

LETTER_BYTES = 1024 * 1024 * 1024
"""How many bytes of dead letters are kept unless the caller says otherwise."""


class SqliteStore:
    """The store of one collector process; see ``core.store.Store`` for the contract."""

    def __init__(
        self,
        folder: Path,
        lock: FileLock | None,
        clock: Clock,
        connect: Connect,
        letter_bytes: int,
        open_writer: Callable[[], Guarded],
        *,
        shared: bool,
    ) -> None:
        self._lock = lock
        self._letter_bytes = letter_bytes
        with ExitStack() as opened:
            self._writer = opened.enter_context(closing(open_writer()))
            reader = database.open_for_reading(folder, connect, checked=True)
            self._reader = opened.enter_context(closing(reader))
            self.spool = SqliteSpool(self._writer, self._reader, clock, letter_bytes, shared=shared)
            self.health = HealthStore(self._writer)
            opened.pop_all()

    @classmethod
    def open(
        cls,
        folder: Path,
        clock: Clock,
        connect: Connect = database.connect,
        letter_bytes: int = LETTER_BYTES,
        *,
        start_anew: bool = False,
        shared: bool = False,
    ) -> SqliteStore:
        """Own the folder and open its store; raises ``StateError``.

        ``letter_bytes``: how many bytes of dead letters are kept.  ``start_anew``:
        make a new store also where a damaged one was set aside.  ``shared``: other
        processes will ``join``.
        """
        lock = database.take_lock(folder)
        try:
            if not start_anew:
                damage.refuse_silence(folder / database.FILE_NAME)
            writer = partial(database.open_for_writing, folder, connect, shared=shared)
            return cls(folder, lock, clock, connect, letter_bytes, writer, shared=shared)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open_existing(cls, folder: Path, clock: Clock) -> SqliteStore:
        """Open a store that was made before; raises ``StateError``, and makes none."""
        database.refuse_absent(folder)
        return cls.open(folder, clock)

    @classmethod
    def join(
        cls,
        folder: Path,
        epoch: str,
        clock: Clock,
        connect: Connect = database.connect,
        letter_bytes: int = LETTER_BYTES,
    ) -> SqliteStore:
        """A second process at the store that another has opened, in its epoch.

        When that one is gone and a later start has taken over, every write raises
        ``StateError``.
        """
        writer = partial(database.join, folder, epoch, connect)
        return cls(folder, None, clock, connect, letter_bytes, writer, shared=True)

    @property
    def epoch(self) -> str:
        """The number of this start, for those who join it."""
        return self._writer.epoch

    def close(self) -> None:
        """Close the file and give the folder free."""
        self._reader.close()
        self._writer.close()
        if self._lock is not None:
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
            return known.read(db, source, slot)

    def known_counts(self, source: str, first: int, last: int) -> dict[int, int]:
        """How many digests are stored, by slot, in those of a span that hold any."""
        with self._reader.reading() as db:
            return known.counts(db, source, first, last)

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
        batches = prepared(commit.batches)
        with self._writer.transaction() as db:
            fault.point("tx.spool")
            added = self.spool.add(db, batches)
            fault.point("tx.dedup")
            for slot, digests in commit.digests.items():
                known.add(db, commit.source, slot, commit.observed, digests)
            self._keep_aside(db, commit)
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
            added = self.spool.add(db, prepared([batch]))
            accounts.announce(db, changes)
        self.spool.grown(added)

    def reset(self, source: str, checkpoint: Checkpoint, now: Micros, reason: str) -> None:
        """Start a source anew: its state, known ids and ledger in one transaction."""
        with self._writer.transaction() as db:
            row = db.execute("SELECT state FROM checkpoint WHERE source = ?", [source]).fetchone()
            db.execute("DELETE FROM known WHERE source = ?", [source])
            db.execute("DELETE FROM ledger WHERE source = ?", [source])
            db.execute("DELETE FROM delivered WHERE source = ?", [source])
            letters.uncount(db, source)
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
            known.forget(db, source, committed_before, keep_from_slot)
            fault.point("gc.dedup")

    def dead_letters(self, wanted: Filter, after: int, limit: int) -> list[Letter]:
        """The dead letters over an id that fit, oldest first."""
        with self._writer.reading() as db:
            return letters.find(db, wanted, after, limit)

    def dead_letter(self, letter_id: int) -> bytes | None:
        """The bytes of a dead letter, or None when there is no such."""
        with self._writer.reading() as db:
            return letters.raw(db, letter_id)

    def newest_letter(self) -> int:
        """The highest id of a dead letter; 0 when there is none."""
        with self._writer.reading() as db:
            return letters.newest(db)

    def letter_totals(self) -> list[Totals]:
        """How many dead letters there are and were, by source and output."""
        with self._writer.reading() as db:
            return letters.totals(db)

    def count_letters(self, wanted: Filter) -> int:
        """How many dead letters fit."""
        with self._writer.reading() as db:
            return letters.count(db, wanted)

    def drop_letters(self, wanted: Filter) -> None:
        """Forget the dead letters that a person gave up."""
        with self._writer.transaction() as db:
            letters.drop(db, wanted)

    def send_again(self, refused: Iterable[Letter]) -> None:
        """Spool refused records for the outputs that refused them; they are dead no more."""
        with self._writer.transaction() as db:
            added = []
            for letter in refused:
                added += self.spool.add(db, prepared([letters.as_batch(db, letter)]))
                letters.remove(db, letter.id)
        self.spool.grown(added)

    def give_back_space(self) -> bool:
        """Return free pages to the file system, a bounded number; whether there are more."""
        with self._writer.transaction() as db:
            spent.clear(db)
        with self._writer.reading() as db:
            fault.point("gc.spool")
            # Each page is a step of this statement, and ``execute`` takes only the first.
            db.executescript("PRAGMA incremental_vacuum(4096)")
            return int(db.execute("PRAGMA freelist_count").fetchone()[0]) > 0

    def usage(self, input_name: str) -> Usage:
        """The calls an input has used."""
        with self._writer.reading() as db:
            row = db.execute(
                "SELECT day, calls, not_before FROM usage WHERE input = ?", [input_name]
            ).fetchone()
        return Usage() if row is None else Usage(*row)

    def save_usage(self, input_name: str, usage: Usage) -> None:
        """Keep the calls an input has used."""
        row = (input_name, usage.day, usage.calls, usage.not_before)
        with self._writer.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?)",
                [*row, seals.seal("usage", *row)],
            )

    def _keep_aside(self, db: Database, commit: Commit) -> None:
        for letter_id in commit.replayed:
            letters.remove(db, letter_id)
        for letter in commit.dead_letters:
            letters.keep(db, letter)
        if commit.dead_letters:
            letters.make_room(db, self._letter_bytes)


def _save_checkpoint(db: Database, source: str, checkpoint: Checkpoint, now: Micros) -> None:
    row = (source, stored.write(checkpoint), now)
    db.execute(
        "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?)",
        [*row, seals.seal("checkpoint", *row)],
    )
