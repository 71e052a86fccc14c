"""Dead letters: what could not be read, and what a destination refuses for good.

They are kept with their reason until a person replays or drops them.  Their bytes
are bounded: the oldest are deleted, and counted (docs/decisions/0010).  Every
function runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlite_utils import Database

from collector.core.model import NO_TIME, Batch, Micros, Refusal
from collector.core.store import DeadLetter
from collector.core.times import HOUR
from collector.persistence import seals

_FACTS = "id, observed, source, tag, lane, output, hour, time, reason"
_HOUR = 5
"""Where the hour stands among the facts under the seal, which the id is not."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter without its bytes.

    ``output`` is None when the vendor's answer could not be read, or a pipeline keeps
    the event aside: then ``event`` is its digest.  ``hour`` begins the ledger's row in
    which it counts; ``NO_TIME``: in none, for its service was reset since, and no event
    is known by ``event``.  ``time`` is that of the event, or of the batch it was in.
    """

    id: int
    observed: Micros
    source: str
    tag: str
    lane: str
    output: str | None
    hour: Micros
    time: Micros
    reason: str
    size: int
    event: bytes | None = None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which dead letters; None is any.  ``reason`` is a part of it, in any case."""

    source: str | None = None
    output: str | None = None
    reason: str | None = None
    ids: tuple[int, ...] | None = None


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Dead letters of one source and output (None: unreadable): kept, and made to give way."""

    source: str
    output: str | None
    records: int
    bytes: int
    dropped: int
    dropped_bytes: int


def keep(db: Database, letter: DeadLetter) -> None:
    """Keep bytes aside that could not be read, or an event that a pipeline keeps aside."""
    number = _insert(
        db,
        *(letter.observed, letter.source, letter.tag, letter.lane, letter.output),
        *(letter.hour, letter.time, letter.reason, letter.raw),
    )
    if letter.event is not None:
        row = (number, letter.event)
        sealed = seals.seal("dead_event", *row)
        db.execute("INSERT INTO dead_event VALUES (?, ?, ?)", [*row, sealed])


def keep_refused(db: Database, output: str, refusal: Refusal, observed: Micros) -> None:
    """Keep a record aside that an output refused, while its batch is still there."""
    source, tag, lane, hours, first = db.execute(
        "SELECT source, tag, lane, hours, first FROM spool WHERE id = ?", [refusal.batch]
    ).fetchone()
    hour = _hour(msgspec.json.decode(hours), refusal.index)
    _insert(db, observed, source, tag, lane, output, hour, first, refusal.reason, refusal.raw)


def make_room(db: Database, max_bytes: int) -> None:
    """Let the oldest go until the rest fits; the newest always stays."""
    kept = sum(each.bytes for each in totals(db))
    newest = db.execute("SELECT max(id) FROM dead_letter").fetchone()[0]
    while kept > max_bytes:
        oldest = db.execute("SELECT min(id) FROM dead_letter").fetchone()[0]
        if oldest == newest:
            return
        kept -= _take_out(db, oldest, dropped=1)


def remove(db: Database, letter_id: int) -> None:
    """Take one out that was replayed, or that a person dropped."""
    _take_out(db, letter_id, dropped=0)


def drop(db: Database, wanted: Filter) -> None:
    """Take all out that fit."""
    conditions, values = _conditions(wanted)
    rows = db.execute(f"SELECT id FROM dead_letter WHERE id > 0{conditions}", values)  # noqa: S608
    for (letter_id,) in rows.fetchall():
        remove(db, letter_id)


def find(db: Database, wanted: Filter, after: int, limit: int) -> list[Letter]:
    """The dead letters over an id that fit, oldest first."""
    conditions, values = _conditions(wanted)
    rows = db.execute(
        f"SELECT {_FACTS}, length(raw) FROM dead_letter"  # noqa: S608 - values are bound
        f" WHERE id > ?{conditions} ORDER BY id LIMIT ?",
        [after, *values, limit],
    ).fetchall()
    return [_letter((*row, _event(db, row[0]))) for row in rows]


def count(db: Database, wanted: Filter) -> int:
    """How many fit."""
    conditions, values = _conditions(wanted)
    query = f"SELECT count(*) FROM dead_letter WHERE id > 0{conditions}"  # noqa: S608 - as above
    return int(db.execute(query, values).fetchone()[0])


def raw(db: Database, letter_id: int) -> bytes | None:
    """The bytes of one, or None when there is no such."""
    query = f"SELECT {_FACTS}, seal, raw FROM dead_letter WHERE id = ?"  # noqa: S608
    row = db.execute(query, [letter_id]).fetchone()
    if row is None:
        return None
    *facts, sealed, content = row
    seals.check("dead_letter", *facts[1:], content, sealed=sealed)
    return bytes(content)


def as_batch(db: Database, letter: Letter) -> Batch:
    """A refused record as a batch for the output that refused it."""
    if letter.output is None:
        raise ValueError(f"no output has refused the dead letter {letter.id}")
    return Batch(
        source=letter.source,
        tag=letter.tag,
        lane=letter.lane,
        mode="replay",
        count=1,
        body=(raw(db, letter.id) or b"") + b"\n",
        first=letter.time,
        last=letter.time,
        outputs=(letter.output,),
        hours=() if letter.hour == NO_TIME else ((letter.hour // HOUR, 1),),
    )


def uncount(db: Database, source: str) -> None:
    """The ids and rows of a source are forgotten: its letters count in no hour any more."""
    ids = db.execute("SELECT id FROM dead_letter WHERE source = ?", [source]).fetchall()
    for (letter_id,) in ids:
        _uncount(db, letter_id)


def _uncount(db: Database, letter_id: int) -> None:
    query = f"SELECT {_FACTS}, seal, raw FROM dead_letter WHERE id = ?"  # noqa: S608
    _id, *facts, sealed, content = db.execute(query, [letter_id]).fetchone()
    if seals.seal("dead_letter", *facts, content) != sealed:
        return  # damaged: a new seal would hide it, and a reset must not fail for it
    facts[_HOUR] = NO_TIME
    db.execute(
        "UPDATE dead_letter SET hour = ?, seal = ? WHERE id = ?",
        [NO_TIME, seals.seal("dead_letter", *facts, content), letter_id],
    )


def newest(db: Database) -> int:
    """The highest id so far; 0 when there is none."""
    return int(db.execute("SELECT coalesce(max(id), 0) FROM dead_letter").fetchone()[0])


def totals(db: Database) -> list[Totals]:
    """How many there are, by source and output."""
    query = "SELECT source, output, records, bytes, dropped, dropped_bytes FROM kept_aside"
    return [_totals(*row) for row in db.execute(query).fetchall()]


def _totals(source: str, output: str, *counts: int) -> Totals:
    records, size, dropped, dropped_bytes = counts
    return Totals(
        source=source,
        output=output or None,
        records=records,
        bytes=size,
        dropped=dropped,
        dropped_bytes=dropped_bytes,
    )


def _event(db: Database, letter_id: int) -> bytes | None:
    query = "SELECT digest, seal FROM dead_event WHERE letter = ?"
    row = db.execute(query, [letter_id]).fetchone()
    if row is None:
        return None
    seals.check("dead_event", letter_id, row[0], sealed=row[1])
    return bytes(row[0])


def _letter(row: tuple[Any, ...]) -> Letter:
    names = Letter.__struct_fields__
    return Letter(**dict(zip(names, row, strict=True)))


def _conditions(wanted: Filter) -> tuple[str, list[int | str]]:
    parts = list(_parts(wanted))
    text = "".join(f" AND {part}" for part, _values in parts)
    return text, [value for _part, values in parts for value in values]


def _parts(wanted: Filter) -> Iterator[tuple[str, tuple[int | str, ...]]]:
    if wanted.source is not None:
        yield "source = ?", (wanted.source,)
    if wanted.output is not None:
        yield "output = ?", (wanted.output,)
    if wanted.reason is not None:
        yield "instr(lower(reason), lower(?)) > 0", (wanted.reason,)
    if wanted.ids is not None:
        ids = msgspec.json.encode(wanted.ids).decode()
        yield "id IN (SELECT value FROM json_each(?))", (ids,)


def _insert(db: Database, *values: Any) -> int | None:
    """Insert one; its id."""
    *facts, content = values
    number = db.execute(
        "INSERT INTO dead_letter"
        " (observed, source, tag, lane, output, hour, time, reason, seal, raw)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [*facts, seals.seal("dead_letter", *values), content],
    ).lastrowid
    _observed, source, _tag, _lane, output, *_rest = facts
    _count(db, source, output, records=1, size=len(content))
    return number


def _take_out(db: Database, letter_id: int, *, dropped: int) -> int:
    """Delete one; the bytes freed."""
    row = db.execute(
        "DELETE FROM dead_letter WHERE id = ? RETURNING source, output, length(raw)", [letter_id]
    ).fetchone()
    if row is None:
        return 0
    db.execute("DELETE FROM dead_event WHERE letter = ?", [letter_id])
    source, output, size = row
    _count(db, source, output, records=-1, size=-size, dropped=dropped)
    return int(size)


def _count(
    db: Database, source: str, output: str | None, *, records: int, size: int, dropped: int = 0
) -> None:
    key = (source, output or "")
    found = db.execute(
        "SELECT records, bytes, dropped, dropped_bytes FROM kept_aside"
        " WHERE source = ? AND output = ?",
        key,
    ).fetchone()
    before = found or (0, 0, 0, 0)
    added = (records, size, dropped, -size * dropped)
    row = [*key, *(old + new for old, new in zip(before, added, strict=True))]
    db.execute(
        "INSERT OR REPLACE INTO kept_aside VALUES (?, ?, ?, ?, ?, ?, ?)",
        [*row, seals.seal("kept_aside", *row)],
    )


def _hour(runs: list[tuple[int, int]], index: int) -> Micros:
    """The start of the ledger row in which a line counts; ``NO_TIME`` when in none."""
    for hour, lines in runs:
        if index < lines:
            return hour * HOUR
        index -= lines
    return NO_TIME
