"""A puller over a store in memory, and the records it is fed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from collector.core.batching import Limits
from collector.core.checkpoint import Checkpoint, started
from collector.core.gate import OPEN, Gate
from collector.core.model import Event, Micros, Window
from collector.core.times import HOUR, SECOND, isoformat
from collector.core.work import Pipeline
from collector.pullers.base import Fetch, Source
from collector.pullers.intake import Destination, Intake
from collector.pullers.journal import Journal
from collector.pullers.pull import Puller
from tests.fakes.clock import ManualClock
from tests.fakes.log import MemoryLog
from tests.fakes.store import MemoryStore

START: Micros = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z, a whole hour."""

SOURCE_ID = "tenant#service"


def hours(first: int, last: int) -> Window:
    """The hours from ``first`` up to ``last`` after ``START``."""
    return Window(START + first * HOUR, START + last * HOUR)


def event(number: int, time: Micros = START, **fields: Any) -> Event:
    """An event with a number for an id."""
    return Event(f"id-{number}", time, as_json({"id": f"id-{number}", **fields}))


def as_json(value: Any) -> bytes:
    """JSON as the vendor writes it: compact."""
    return json.dumps(value, separators=(",", ":")).encode()


def message(number: int, time: Micros, **fields: Any) -> bytes:
    """A PoD record."""
    return as_json({"guid": f"g-{number}", "id": f"i-{number}", "ts": isoformat(time), **fields})


class Bench:
    """One source over a store that outlives its pullers.

    ``restart`` is a new process: all but the store, the clock and the log is lost.
    """

    def __init__(
        self,
        source: Source,
        now: Micros,
        *,
        start: Micros = START,
        store: MemoryStore | None = None,
        limits: Limits | None = None,
        metadata: bool = True,
        pipeline: Pipeline | None = None,
        period: float = 0.0,
        gate: Gate = OPEN,
        clock: ManualClock | None = None,
    ) -> None:
        self.source = source
        self.gate = gate
        self.clock = clock or ManualClock(now)
        self.store = store or MemoryStore()
        self.log = MemoryLog()
        self._start = start
        self._destination = Destination(
            input="tenant",
            source_id=SOURCE_ID,
            outputs=("archive",),
            limits=limits or Limits(),
            metadata=metadata,
            pipeline=pipeline,
        )
        self.journal = Journal(self.log, source.service, self.clock, period)
        self.rng = random.Random(7)
        self.restart()

    def restart(self) -> None:
        """Begin again from what the store holds."""
        checkpoint = self.store.checkpoint(SOURCE_ID) or started(self._start)
        self.intake = Intake(
            self.store, self.source, self._destination, checkpoint, self.clock, self.gate
        )

    def wake(self, now: Micros) -> None:
        """Begin again at that time, after the program was stopped."""
        self.clock = ManualClock(now)
        self.journal = Journal(self.log, self.source.service, self.clock)
        self.restart()

    def puller(self, fetch: Fetch) -> Puller:
        """The pull loop over a way to fetch."""
        return Puller(self.source, fetch, self.intake, self.journal, self.clock, self.rng)

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint as it is stored."""
        return self.intake.checkpoint

    def stand_at(self, checkpoint: Checkpoint) -> None:
        """Go on from this checkpoint."""
        self.intake.advance(lambda _before: checkpoint)

    def delivered(self, key: Callable[[dict[str, Any]], Any] = lambda r: r["id"]) -> list[Any]:
        """The keys of all records spooled, in order."""
        return [key(record) for record in self.store.records()]


MINUTE: Micros = 60 * SECOND
