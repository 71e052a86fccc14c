"""A look at a state folder that changes nothing, for ``collector state show``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Self

import msgspec

from collector.core import checkpoint, times
from collector.core.checkpoint import Checkpoint
from collector.core.model import Micros
from collector.core.state import State
from collector.core.times import HOUR
from collector.persistence import database, letters, spent, stored

_LAST = "last_event_time_in_utc"


class ServiceState(msgspec.Struct, frozen=True, kw_only=True):
    """One service: its ``state`` as it is stored, and the same in words.

    ``last_event`` is ``-`` until it has taken a record: what is stored then is the start,
    which has its own name.
    """

    source: str
    state: State
    start: str
    last_event: str
    complete_until: str
    owed_hours: str
    changed: str

    @property
    def shown(self) -> State:
        """The state for other programs; null where the words say ``-``."""
        return self.state if self.last_event != "-" else {**self.state, _LAST: None}


class StateReport(msgspec.Struct, frozen=True, kw_only=True):
    """Where every service stands, and what waits."""

    services: list[ServiceState]
    waiting: list[tuple[str, str, int]]
    spool_bytes: int
    dead_letters: int
    dead_letter_bytes: int
    dead_letters_dropped: int

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The report of a state folder; raises ``StateError`` when there is none."""
        with closing(database.open_for_reading(folder)) as guarded, guarded.reading() as db:
            rows = db.execute("SELECT source, state, changed FROM checkpoint ORDER BY 1").fetchall()
            waiting = db.execute(
                "SELECT p.output, p.lane, sum(s.count) FROM pending p"
                " JOIN spool s ON s.id = p.batch GROUP BY 1, 2 ORDER BY 1, 2"
            ).fetchall()
            size = spent.waiting_bytes(db)
            kept = letters.totals(db)
        return cls(
            services=[
                service(source, stored.read_state(source, text), changed)
                for source, text, changed in rows
            ],
            waiting=waiting,
            spool_bytes=size,
            dead_letters=sum(each.records for each in kept),
            dead_letter_bytes=sum(each.bytes for each in kept),
            dead_letters_dropped=sum(each.dropped for each in kept),
        )

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-able values, the states under Devo's names."""
        return {
            "services": {each.source: each.shown for each in self.services},
            "waiting": [
                {"output": output, "lane": lane, "records": count}
                for output, lane, count in self.waiting
            ],
            "spool_bytes": self.spool_bytes,
            "dead_letters": self.dead_letters,
            "dead_letter_bytes": self.dead_letter_bytes,
            "dead_letters_dropped": self.dead_letters_dropped,
        }


def service(source: str, found: State, changed: Micros) -> ServiceState:
    """A stored state in words; raises ``StateError`` where it cannot be read."""
    mark = stored.read_checkpoint(source, found)
    owed = sum((each.end - each.start) // HOUR for each in mark.owed)
    taken = _has_taken(mark)
    return ServiceState(
        source=source,
        state=found,
        start=_shown(mark.initial_start_time),
        last_event=_shown(mark.last_event_time) if taken else "-",
        complete_until=_shown(checkpoint.complete_until(mark)),
        owed_hours=f"{owed} hours" if owed else "-",
        changed=_shown(changed),
    )


def _has_taken(mark: Checkpoint) -> bool:
    """Whether the time of a record stands there, and not the start in place of one."""
    return bool(mark.last_ids) or mark.last_event_time != mark.initial_start_time


def _shown(instant: Micros) -> str:
    """To the second: nobody reads microseconds in a table."""
    return times.isoformat(times.floor_second(instant))


def sources(folder: Path) -> set[str]:
    """The sources of which anything is stored, in a state that is open just now."""
    reader = database.open_for_reading(folder, checked=True)
    with closing(reader) as guarded, guarded.reading() as db:
        return {source for (source,) in db.execute("SELECT source FROM checkpoint").fetchall()}
