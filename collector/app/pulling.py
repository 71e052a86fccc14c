"""The pulling side: the jobs of all wanted services, and what they need now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import msgspec

from collector.app.backpressure import SpoolGate
from collector.app.inputs import services
from collector.app.jobs import Job
from collector.app.outcome import Outcome
from collector.app.selection import Selection
from collector.app.services import ServiceJob, Wiring
from collector.config.models import Settings
from collector.core.gate import Marks
from collector.core.log import Log
from collector.core.model import Clock
from collector.core.times import HOUR
from collector.persistence.sqlite import SqliteStore

HOUSEKEEPING_SECONDS = 3600.0
_FORGET_AFTER = 48 * HOUR


class Pulling:
    """All pulling jobs of one process."""

    def __init__(
        self, wiring: Wiring, selection: Selection, outcome: Outcome, stop: Callable[[], None]
    ) -> None:
        """Read and mend the state of each wanted service (``pre_pull``)."""
        self._store = wiring.store
        self._clock = wiring.clock
        self.jobs = [
            Job(service, outcome, wiring.clock, stop, waits=not wiring.once)
            for service in _services(wiring, selection)
        ]

    def look(self) -> None:
        """Use credentials that were replaced."""
        for job in self.jobs:
            job.look()

    def forget(self) -> None:
        """Drop the ids that can no longer come; raises ``StateError``."""
        now = self._clock.now()
        for job in self.jobs:
            keep_from = job.service.intake.needed_from() // HOUR
            self._store.forget(job.service.source_id, now - _FORGET_AFTER, keep_from)

    def rests(self, seconds: float) -> bool:
        """Wait so many real seconds in all for what runs; whether nothing runs any more."""
        deadline = time.monotonic() + seconds
        return all(job.rests(deadline - time.monotonic()) for job in self.jobs)


def _services(wiring: Wiring, selection: Selection) -> list[ServiceJob]:
    return [
        job
        for name, chosen in wiring.settings.inputs.items()
        if chosen.enabled and selection.has_input(name)
        for job in services(
            msgspec.structs.replace(wiring, wanted=partial(selection.has_source, name)), name
        )
    ]


def spool_gate(
    settings: Settings, store: SqliteStore, clock: Clock, log: Log, *, gives_up: bool
) -> SpoolGate:
    """The gate of this process; ``gives_up``: after the stall limit without progress."""
    globals_ = settings.globals
    return SpoolGate(
        lambda: store.spool.size,
        Marks(globals_.spool.max_bytes),
        clock,
        log,
        patience=globals_.stall_limit_in_seconds if gives_up else None,
    )
