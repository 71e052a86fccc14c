"""The health of sources and outputs in SQLite, and a look at it that changes nothing.

Health decides nothing of what is collected or delivered: its rows bear no seal, and
one that cannot be read is passed over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Self

import msgspec
from sqlite_utils import Database

from collector.core import checkpoint
from collector.core.health import Health
from collector.core.model import NO_TIME, Micros
from collector.persistence import database, stored
from collector.persistence.guarded import Guarded

_decode = msgspec.json.Decoder(Health).decode


class HealthStore:
    """Where a running collector keeps health, a row a subject."""

    def __init__(self, writer: Guarded) -> None:
        self._writer = writer

    def load(self) -> dict[str, Health]:
        """What the last run left, by subject; raises ``StateError``."""
        with self._writer.reading() as db:
            return {subject: health for subject, health, _checked in _rows(db)}

    def save(self, rows: Mapping[str, Health], now: Micros) -> None:
        """Store these rows as of now; raises ``StateError``."""
        with self._writer.transaction() as db:
            for subject, health in rows.items():
                body = msgspec.json.encode(health).decode()
                db.execute("INSERT OR REPLACE INTO health VALUES (?, ?, ?)", [subject, now, body])

    def keep_only(self, subjects: Collection[str]) -> None:
        """Forget all other subjects; raises ``StateError``."""
        with self._writer.transaction() as db:
            for (subject,) in db.execute("SELECT subject FROM health").fetchall():
                if subject not in subjects:
                    db.execute("DELETE FROM health WHERE subject = ?", [subject])


class SubjectHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One row, with where its service stands.

    ``checked``: when it was stored; ``complete_until``: up to when nothing is
    outstanding; ``last_event``: the newest event's own time.  UTC microseconds;
    the last two are ``NO_TIME`` where there is no checkpoint.
    """

    subject: str
    health: Health
    checked: Micros
    complete_until: Micros = NO_TIME
    last_event: Micros = NO_TIME


class HealthReader:
    """A second connection to a state folder, for looks beside a running collector."""

    def __init__(self, folder: Path) -> None:
        """Open the state; raises ``StateError`` when there is none."""
        self._reader = database.open_for_reading(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def read(self) -> list[SubjectHealth]:
        """Every subject, sorted by name; raises ``StateError``."""
        with self._reader.reading() as db:
            rows = _rows(db)
            states = db.execute("SELECT source, state FROM checkpoint").fetchall()
        marks = {
            source: stored.read_checkpoint(source, stored.read_state(source, text))
            for source, text in states
        }
        return [_joined(*row, marks.get(row[0])) for row in rows]


def _rows(db: Database) -> list[tuple[str, Health, Micros]]:
    query = "SELECT subject, body, checked FROM health ORDER BY subject"
    found = []
    for subject, body, checked in db.execute(query).fetchall():
        try:
            found.append((subject, _decode(body), checked))
        except (msgspec.DecodeError, TypeError):
            continue
    return found


def _joined(
    subject: str, health: Health, checked: Micros, mark: checkpoint.Checkpoint | None
) -> SubjectHealth:
    if mark is None:
        return SubjectHealth(subject=subject, health=health, checked=checked)
    return SubjectHealth(
        subject=subject,
        health=health,
        checked=checked,
        complete_until=checkpoint.complete_until(mark),
        last_event=mark.last_event_time,
    )
