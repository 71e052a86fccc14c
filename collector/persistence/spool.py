"""The spool: batches wait here until every output they are for has confirmed them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlite_utils import Database

from collector.core import fault
from collector.core.model import Batch, Clock, Refusal, SpooledBatch
from collector.persistence import accounts, letters, seals
from collector.persistence.guarded import Guarded, meta

_COLUMNS = "s.source, s.tag, s.lane, s.mode, s.count, s.first, s.last, s.bytes, s.hours"


class SqliteSpool:
    """The part of the store that senders see."""

    def __init__(self, writer: Guarded, reader: Guarded, clock: Clock, letter_bytes: int) -> None:
        self._clock = clock
        self._letter_bytes = letter_bytes
        self._writer = writer
        self._reader = reader
        self._changed = threading.Condition()
        with reader.reading() as db:
            self._store_id = meta(db, "store_id")
            self._bytes = int(db.execute("SELECT coalesce(sum(bytes), 0) FROM spool").fetchone()[0])

    @property
    def size(self) -> int:
        """How many bytes of records wait for an output."""
        with self._changed:
            return self._bytes

    def add(self, db: Database, batch: Batch) -> int:
        """Write a batch inside the caller's transaction; the bytes that it adds."""
        if not batch.outputs:
            return 0
        row: list[seals.Value] = [
            *(batch.source, batch.tag, batch.lane, batch.mode, batch.count),
            *(batch.first, batch.last, len(batch.body)),
            msgspec.json.encode(batch.hours).decode(),
        ]
        cursor = db.execute(
            "INSERT INTO spool"
            " (source, tag, lane, mode, count, first, last, bytes, hours, seal, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [*row, seals.seal("spool", *row, batch.body), batch.body],
        )
        for output in batch.outputs:
            owed = (output, batch.lane, cursor.lastrowid)
            db.execute(
                "INSERT INTO pending VALUES (?, ?, ?, ?)", [*owed, seals.seal("pending", *owed)]
            )
        return len(batch.body)

    def grown(self, added: int) -> None:
        """A transaction that added so many bytes is durable: wake the senders."""
        with self._changed:
            self._bytes += added
            self._changed.notify_all()

    def take(self, output: str, lane: str, after: int, max_bytes: int) -> list[SpooledBatch]:
        """The oldest batches still owed to an output, up to ``max_bytes`` but at least one."""
        query = (
            f"SELECT p.batch, s.bytes, s.seal, {_COLUMNS}, s.body"  # noqa: S608
            " FROM pending p LEFT JOIN spool s ON s.id = p.batch"
            " WHERE p.output = ? AND p.lane = ? AND p.batch > ? ORDER BY p.batch"
        )
        taken: list[SpooledBatch] = []
        size = 0
        with self._reader.reading() as db:
            fault.point("send.claim")
            for batch, length, sealed, *row in db.execute(query, [output, lane, after]):
                seals.check("spool", *row, sealed=sealed)
                size += length
                if taken and size > max_bytes:
                    break
                taken.append(self._batch(batch, sealed, *row))
        return taken

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
            # A confirmation may come twice; what it says counts once.
            owed = [batch for batch in batch_ids if _release(db, output, lane, batch)]
            for batch in owed:
                refused = [refusal for refusal in refusals if refusal.batch == batch]
                accounts.deliver(db, output, batch, refused)
                for refusal in refused:
                    letters.keep_refused(db, output, refusal, self._clock.now())
            if refusals:
                letters.make_room(db, self._letter_bytes)
            freed = sum(_free(db, batch) for batch in owed)
            if position is not None:
                row = (output, lane, position)
                db.execute(
                    "INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?)",
                    [*row, seals.seal("position", *row)],
                )
            fault.point("tx.ack.before")
        with self._changed:
            self._bytes -= freed
            self._changed.notify_all()
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
            while not self._owed(output, lane, after):
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return

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
            freed = sum(_free(db, batch) for _lane, batch, _count in rows)
        with self._changed:
            self._bytes -= freed
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

    def _batch(self, batch: int, sealed: int, *row: Any) -> SpooledBatch:
        source, tag, lane, mode, count, first, last, _bytes, _hours, body = row
        return SpooledBatch(
            id=batch,
            # A restored backup gives the same number again, but to other records.
            uid=f"{self._store_id}-{batch}-{sealed:08x}",
            source=source,
            tag=tag,
            lane=lane,
            mode=mode,
            count=count,
            first=first,
            last=last,
            body=body,
        )


def _release(db: Database, output: str, lane: str, batch: int) -> bool:
    """Forget that an output is owed a batch; whether it was."""
    released = db.execute(
        "DELETE FROM pending WHERE output = ? AND lane = ? AND batch = ? RETURNING 1",
        [output, lane, batch],
    ).fetchone()
    return released is not None


def _free(db: Database, batch: int) -> int:
    """Delete a batch that nobody is owed any more; the bytes freed."""
    freed = db.execute(
        "DELETE FROM spool WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM pending WHERE batch = ?1)"
        " RETURNING bytes",
        [batch],
    ).fetchone()
    return int(freed[0]) if freed else 0
