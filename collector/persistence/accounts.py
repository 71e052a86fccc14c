"""The ledger's rows in SQLite.  Every function runs inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlite_utils import Database

from collector.core.ledger import DONE, UNRECOVERABLE, Account, Entry, added
from collector.core.model import NO_TIME, Counts, Micros, Refusal, Window
from collector.core.times import HOUR
from collector.persistence import seals

_COLUMNS = (
    "start, state, reason, received, spooled, duplicate, filtered, dead_lettered,"
    " live, repaired, attempts, digest, first, last"
)
_NEIGHBOURS = 24
"""How many complete hours before one say what is usual."""


def write(db: Database, source: str, entry: Entry, changed: Micros) -> None:
    """Apply a change to its row."""
    row = _applied(read(db, source, entry.span), entry)
    counts = row.counts
    values = [
        *(row.span.start, row.state, row.reason),
        *(counts.received, counts.spooled, counts.duplicate),
        *(counts.filtered, counts.dead_lettered),
        *(row.live, row.repaired, row.attempts, row.digest.to_bytes(16), row.first, row.last),
    ]
    db.execute(
        f"""INSERT INTO ledger (source, changed, announced, seal, {_COLUMNS})
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (source, start) DO UPDATE SET
            changed = excluded.changed, announced = min(announced, excluded.announced),
            state = excluded.state, reason = excluded.reason, received = excluded.received,
            spooled = excluded.spooled, duplicate = excluded.duplicate,
            filtered = excluded.filtered, dead_lettered = excluded.dead_lettered,
            live = excluded.live, repaired = excluded.repaired, attempts = excluded.attempts,
            digest = excluded.digest, first = excluded.first, last = excluded.last,
            seal = excluded.seal""",  # noqa: S608
        [source, changed, 1 if entry.state is None else 0, _sealed(source, values), *values],
    )


def read(db: Database, source: str, hour: Window) -> Account:
    """One row; an empty account when there is none."""
    found = db.execute(
        f"SELECT source, seal, {_COLUMNS} FROM ledger"  # noqa: S608
        " WHERE source = ? AND start = ?",
        [source, hour.start],
    ).fetchone()
    return Account(span=hour) if found is None else _account(found)


def usual(db: Database, source: str, hour: Window) -> int | None:
    """The median number of events in the complete hours before one; None when there are few."""
    states = ", ".join(f"'{state}'" for state in sorted(DONE))
    rows = db.execute(
        "SELECT spooled + filtered FROM ledger"  # noqa: S608
        f" WHERE source = ? AND start < ? AND state IN ({states})"
        " ORDER BY start DESC LIMIT ?",
        [source, hour.start, _NEIGHBOURS],
    ).fetchall()
    counts = sorted(row[0] for row in rows)
    return counts[len(counts) // 2] if len(counts) >= 3 else None


def between(db: Database, source: str, start: Micros, end: Micros) -> list[Account]:
    """The rows of a span, oldest first."""
    rows = db.execute(
        f"SELECT source, seal, {_COLUMNS} FROM ledger"  # noqa: S608
        " WHERE source = ? AND start >= ? AND start < ? ORDER BY start",
        [source, start, end],
    ).fetchall()
    return [_account(row) for row in rows]


def deliver(db: Database, output: str, batch: int, refusals: Iterable[Refusal]) -> None:
    """Count a batch's lines, less the refused ones, as delivered in the rows they belong to."""
    query = "SELECT source, hours FROM spool WHERE id = ?"
    source, hours = db.execute(query, [batch]).fetchone()
    for hour, lines in _delivered(msgspec.json.decode(hours), refusals):
        key = (source, hour * HOUR)
        before = delivered(db, source, key[1], key[1] + HOUR).get(key[1], {})
        row = (*key, output, before.get(output, 0) + lines)
        db.execute(
            "INSERT OR REPLACE INTO delivered VALUES (?, ?, ?, ?, ?)",
            [*row, seals.seal("delivered", *row)],
        )


def delivered(
    db: Database, source: str, start: Micros, end: Micros
) -> dict[Micros, dict[str, int]]:
    """Confirmed records by hour and output."""
    found: dict[Micros, dict[str, int]] = {}
    for hour, output, records, sealed in db.execute(
        "SELECT start, output, records, seal FROM delivered"
        " WHERE source = ? AND start >= ? AND start < ?",
        [source, start, end],
    ):
        seals.check("delivered", source, hour, output, records, sealed=sealed)
        found.setdefault(hour, {})[output] = records
    return found


def unannounced(db: Database, limit: int) -> list[tuple[str, Account]]:
    """Rows whose state changed since it was last announced."""
    rows = db.execute(
        f"SELECT source, seal, {_COLUMNS} FROM ledger WHERE announced = 0 LIMIT ?",  # noqa: S608
        [limit],
    ).fetchall()
    return [(row[0], _account(row)) for row in rows]


def announce(db: Database, rows: Iterable[tuple[str, Account]]) -> None:
    """These rows have been announced as they are."""
    for source, account in rows:
        db.execute(
            "UPDATE ledger SET announced = 1 WHERE source = ? AND start = ?",
            [source, account.span.start],
        )


def _delivered(
    hours: Sequence[tuple[int, int]], refusals: Iterable[Refusal]
) -> list[tuple[int, int]]:
    refused = sorted(refusal.index for refusal in refusals)
    counted = []
    begin = 0
    for row, lines in hours:
        missing = sum(begin <= index < begin + lines for index in refused)
        counted.append((row, lines - missing))
        begin += lines
    return counted


def _applied(row: Account, entry: Entry) -> Account:
    times = [time for time in (row.first, entry.first) if time != NO_TIME]
    # What the vendor could not give once may be given later, but never the other way round.
    settled = entry.state == UNRECOVERABLE and row.state in DONE
    state = row.state if entry.state is None or settled else entry.state
    return Account(
        span=row.span,
        state=state,
        reason=entry.reason if state == entry.state else row.reason,
        counts=row.counts + entry.counts,
        live=row.live + entry.live,
        repaired=row.repaired + entry.repaired,
        attempts=row.attempts + entry.attempts,
        digest=added(row.digest, entry.digest),
        first=min(times, default=NO_TIME),
        last=max(row.last, entry.last),
    )


def _sealed(source: str, values: Sequence[seals.Value]) -> int:
    return seals.seal("ledger", source, *values)


def _account(found: Sequence[Any]) -> Account:
    """The row of ``source, seal`` and ``_COLUMNS``."""
    source, sealed, *row = found
    seals.check("ledger", source, *row, sealed=sealed)
    start, state, reason, received, spooled, duplicate, filtered, dead, *rest = row
    live, repaired, attempts, digest, first, last = rest
    return Account(
        span=Window(start, start + HOUR),
        state=state,
        reason=reason,
        counts=Counts(
            received=received,
            spooled=spooled,
            duplicate=duplicate,
            filtered=filtered,
            dead_lettered=dead,
        ),
        live=live,
        repaired=repaired,
        attempts=attempts,
        digest=int.from_bytes(digest),
        first=first,
        last=last,
    )
