"""The spool: batches wait here until every output they are for has confirmed them."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlite_utils import Database

from collector.core import fault
from collector.core.model import Batch, Clock, Refusal, SpooledBatch
from collector.persistence import accounts, letters, seals, spent
from collector.persistence.guarded import Guarded, meta
from collector.persistence.packing import Packed, pack, unpack
from collector.persistence.recent import Recent

_LOOK_SECONDS = 0.05
"""How often a sender that waits looks for what other processes have committed."""
_COUNT_SECONDS = 1.0
_COUNT_SHARE = 20
"""The spool is counted again after a second, and after so many times what counting it took."""

_COLUMNS = "source, tag, lane, mode, count, first, last, bytes, hours"
_SIZE = _COLUMNS.split(", ").index("bytes")


class Prepared(NamedTuple):
    """A batch that an output waits for, in the form in which it will be stored."""

    batch: Batch
    packed: Packed


def prepared(batches: Iterable[Batch]) -> list[Prepared]:
    """The batches that somebody waits for; done before a transaction, for it takes its time."""
    return [Prepared(batch, pack(batch.body)) for batch in batches if batch.outputs]


class SqliteSpool:
    """The part of the store that senders see."""

    def __init__(
        self,
        writer: Guarded,
        reader: Guarded,
        clock: Clock,
        letter_bytes: int,
        *,
        shared: bool = False,
    ) -> None:
        """``shared``: other processes add batches and confirm them, too."""
        self._clock = clock
        self._letter_bytes = letter_bytes
        self._writer = writer
        self._reader = reader
        self._changed = threading.Condition()
        self._woken = False
        self._shared = shared
        self._recent = Recent(0) if shared else Recent()
        self._look_seconds = _LOOK_SECONDS if shared else math.inf
        with reader.reading() as db:
            self._store_id = meta(db, "store_id")
        self._count()

    @property
    def size(self) -> int:
        """How many bytes of records wait for an output; a second old where others add to it."""
        with self._changed:
            if self._shared and time.monotonic() >= self._count_at:
                self._count()
            return self._bytes

    def _count(self) -> None:
        began = time.monotonic()
        with self._reader.reading() as db:
            self._bytes = spent.waiting_bytes(db)
        now = time.monotonic()
        # Millions of small batches take seconds to count: that must not become all we do.
        self._count_at = now + max(_COUNT_SECONDS, (now - began) * _COUNT_SHARE)

    def add(self, db: Database, batches: Sequence[Prepared]) -> list[SpooledBatch]:
        """Write batches inside the caller's transaction; see ``grown``."""
        sizes = [len(each.packed.body) for each in batches]
        spent.make_room(db, sizes)
        added = [self._add(db, *each) for each in batches]
        # For the next ones: SQLite reads a page that one transaction frees and takes.
        spent.make_room(db, sizes)
        return added

    def _add(self, db: Database, batch: Batch, packed: Packed) -> SpooledBatch:
        row: list[seals.Value] = [
            *(batch.source, batch.tag, batch.lane, batch.mode, batch.count),
            *(batch.first, batch.last, len(batch.body)),
            msgspec.json.encode(batch.hours).decode(),
        ]
        sealed = seals.seal("spool", *row, packed.body)
        number = db.execute(
            f"INSERT INTO spool ({_COLUMNS}, seal, codec, body)"  # noqa: S608
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [*row, sealed, *packed],
        ).lastrowid
        assert number is not None  # noqa: S101 - a row was inserted
        for output in batch.outputs:
            owed = (output, batch.lane, number)
            db.execute(
                "INSERT INTO pending VALUES (?, ?, ?, ?)", [*owed, seals.seal("pending", *owed)]
            )
        return self._spooled(number, sealed, row, batch.body)

    def grown(self, added: Sequence[SpooledBatch]) -> None:
        """The transaction that added these batches is durable: wake the senders."""
        self._recent.keep(added)
        with self._changed:
            self._bytes += sum(len(batch.body) for batch in added)
            self._changed.notify_all()

    def take(self, output: str, lane: str, after: int, max_bytes: int) -> list[SpooledBatch]:
        """The oldest batches still owed to an output, up to ``max_bytes`` but at least one."""
        with self._reader.reading() as db:
            fault.point("send.claim")
            wanted = _first(db, output, lane, after, max_bytes)
            return [self._recent.get(batch) or self._read(db, batch) for batch in wanted]

    def confirm(
        self,
        output: str,
        lane: str,
        batch_ids: Sequence[int],
        refusals: Sequence[Refusal],
        position: str | None,
    ) -> None:
        """The output has these batches but for the refused records, which are kept aside."""
        with self._writer.transaction() as db:
            spent.make_room(db)
            # A confirmation may come twice; what it says counts once.
            owed = [batch for batch in batch_ids if _release(db, output, lane, batch)]
            for batch in owed:
                refused = [refusal for refusal in refusals if refusal.batch == batch]
                accounts.deliver(db, output, batch, refused)
                for refusal in refused:
                    letters.keep_refused(db, output, refusal, self._clock.now())
            if refusals:
                letters.make_room(db, self._letter_bytes)
            freed = spent.release(db, owed)
            if position is not None:
                row = (output, lane, position)
                db.execute(
                    "INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?)",
                    [*row, seals.seal("position", *row)],
                )
            fault.point("tx.ack.before")
        self._shrunk(freed)
        fault.point("tx.ack.after")

    def position(self, output: str, lane: str) -> str | None:
        """What the sender stored with its last confirmation."""
        with self._reader.reading() as db:
            row = db.execute(
                "SELECT value FROM position WHERE output = ? AND lane = ?", [output, lane]
            ).fetchone()
        return None if row is None else str(row[0])

    def wait(self, output: str, lane: str, after: int, seconds: float) -> None:
        """Return when something is owed after that batch, or after so many real seconds."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (self._woken or self._owed(output, lane, after)):
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                self._changed.wait(min(left, self._look_seconds))

    def wake(self) -> None:
        """From now on nobody waits: the program stops."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def abandon(self, output: str) -> int:
        """Owe an output nothing any more; how many records it will not get."""
        with self._writer.transaction() as db:
            rows = db.execute(
                "SELECT p.lane, p.batch, s.count FROM pending p JOIN spool s ON s.id = p.batch"
                " WHERE p.output = ?",
                [output],
            ).fetchall()
            for lane, batch, _count in rows:
                _release(db, output, lane, batch)
            freed = spent.release(db, [batch for _lane, batch, _count in rows])
        self._shrunk(freed)
        return sum(count for _lane, _batch, count in rows)

    def backlog(self) -> dict[tuple[str, str], int]:
        """How many records each output and lane still waits for."""
        with self._reader.reading() as db:
            rows = db.execute(
                "SELECT p.output, p.lane, sum(s.count) FROM pending p"
                " JOIN spool s ON s.id = p.batch GROUP BY 1, 2"
            ).fetchall()
        return {(output, lane): count for output, lane, count in rows}

    def _owed(self, output: str, lane: str, after: int) -> bool:
        with self._reader.reading() as db:
            query = "SELECT 1 FROM pending WHERE output = ? AND lane = ? AND batch > ? LIMIT 1"
            return db.execute(query, [output, lane, after]).fetchone() is not None

    def _shrunk(self, freed: Mapping[int, int]) -> None:
        """So many bytes of each batch are gone: none of one that somebody still waits for."""
        for batch, size in freed.items():
            if size:
                self._recent.drop(batch)
        with self._changed:
            self._bytes -= sum(freed.values())
            self._changed.notify_all()

    def _read(self, db: Database, batch: int) -> SpooledBatch:
        query = f"SELECT seal, codec, body, {_COLUMNS} FROM spool WHERE id = ?"  # noqa: S608
        found = db.execute(query, [batch]).fetchone()
        if found is None:
            raise sqlite3.DatabaseError("a batch that an output waits for is gone")
        sealed, codec, stored, *row = found
        seals.check("spool", *row, stored, sealed=sealed)
        body = unpack(Packed(codec, stored), row[_SIZE])
        return self._spooled(batch, sealed, row, body)

    def _spooled(self, number: int, sealed: int, row: Sequence[Any], body: bytes) -> SpooledBatch:
        source, tag, lane, mode, count, first, last, _bytes, _hours = row
        return SpooledBatch(
            id=number,
            # A restored backup gives the same number again, but to other records.
            uid=f"{self._store_id}-{number}-{sealed:08x}",
            source=source,
            tag=tag,
            lane=lane,
            mode=mode,
            count=count,
            first=first,
            last=last,
            body=body,
        )


def _first(db: Database, output: str, lane: str, after: int, max_bytes: int) -> list[int]:
    """The ids of the oldest batches owed; only their sizes are read."""
    query = (
        "SELECT p.batch, coalesce(s.bytes, 0) FROM pending p LEFT JOIN spool s ON s.id = p.batch"
        " WHERE p.output = ? AND p.lane = ? AND p.batch > ? ORDER BY p.batch"
    )
    wanted: list[int] = []
    left = max_bytes
    for batch, size in db.execute(query, [output, lane, after]):
        left -= size
        if wanted and left < 0:
            break
        wanted.append(batch)
    return wanted


def _release(db: Database, output: str, lane: str, batch: int) -> bool:
    """Forget that an output is owed a batch; whether it was."""
    released = db.execute(
        "DELETE FROM pending WHERE output = ? AND lane = ? AND batch = ? RETURNING 1",
        [output, lane, batch],
    ).fetchone()
    return released is not None
