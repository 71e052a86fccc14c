"""The look that is taken every few seconds at what tells nobody of itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from collector.app.backpressure import SpoolGate
from collector.app.delivery import Lane
from collector.app.health import Board
from collector.app.services import ServiceJob
from collector.core import health as rules
from collector.core.health import Fault, Kind, State
from collector.core.log import Log
from collector.core.model import Clock
from collector.senders.error_numbers import SPOOL_FULL

COLLECTOR = "collector"
"""The subject of what concerns no source and no output."""
SILENT = 309
"""The number of the fault that nothing comes."""
_DATA = "data"
_SPOOL = "spool"
_PAUSED = Fault(
    kind=Kind.FIRST_PARTY_GENERIC,
    number=SPOOL_FULL,
    cause="pulling is paused: the spool is full",
    remedy="see why an output does not take its records, or raise globals.spool.max_bytes",
)


class SourceInspector:
    """Notes progress of sources by the records that came, and silence.

    ``look`` is not to be called by two threads at once.
    """

    def __init__(
        self, board: Board, services: Iterable[ServiceJob], gate: SpoolGate, clock: Clock
    ) -> None:
        self._board = board
        self._services = {service.source_id: service for service in services}
        self._gate = gate
        self._clock = clock
        self._new_records = dict.fromkeys(self._services, 0)
        self._quiet_since = dict.fromkeys(self._services, clock.monotonic())

    def look(self, log: Log) -> None:
        """Tell the board what is to be seen now; silence goes to the log, too."""
        for source, service in self._services.items():
            self._look_at(source, service, log)

    def note_data(self) -> None:
        """Note what came since the last look, and judge nothing: all has come to rest."""
        for source, service in self._services.items():
            self._has_new(source, service)

    def _has_new(self, source: str, service: ServiceJob) -> bool:
        """Whether new records came since this was last asked, which is noted."""
        totals = service.intake.totals()
        new = totals.received - totals.duplicates
        if new <= self._new_records[source]:
            return False
        self._new_records[source] = new
        self._board.data(source)
        return True

    def _look_at(self, source: str, service: ServiceJob, log: Log) -> None:
        now = self._clock.monotonic()
        health = self._board.health(source)
        if self._has_new(source, service):
            self._quiet_since[source] = now
            self._board.progressed(source, _DATA)
        elif self._gate.paused or health.state is not State.COLLECTING:
            self._quiet_since[source] = now
        elif rules.is_silent(health, now - self._quiet_since[source], service.silence_limit):
            fault = _silence(now - self._quiet_since[source])
            log.error("PullError %d: %s: %s -> %s", SILENT, source, fault.cause, fault.remedy)
            self._board.failed(source, _DATA, fault)


class Inspector:
    """Notes how sources do (``SourceInspector``), outputs that fail, and a full spool.

    ``look`` is not to be called by two threads at once.
    """

    def __init__(
        self,
        board: Board,
        services: Iterable[ServiceJob],
        lanes: Sequence[Lane],
        gate: SpoolGate,
        clock: Clock,
    ) -> None:
        board.begin(COLLECTOR)
        for lane in lanes:
            board.begin(_subject(lane))
        self._board = board
        self._sources = SourceInspector(board, services, gate, clock)
        self._lanes = lanes
        self._gate = gate
        self._failures = {(lane.name, lane.lane): 0 for lane in self._lanes}
        self._paused = False

    def look(self, log: Log) -> None:
        """Tell the board what is to be seen now; silence goes to the log, too."""
        self._sources.look(log)
        for lane in self._lanes:
            self._look_at_output(lane)
        self._look_at_spool()

    def note_data(self) -> None:
        """Note the records that came since the last look."""
        self._sources.note_data()

    def _look_at_output(self, lane: Lane) -> None:
        counts = lane.stats.counts()
        key = (lane.name, lane.lane)
        failures = counts.failures - self._failures[key]
        self._failures[key] = counts.failures
        if counts.fault is None:
            self._board.progressed(_subject(lane), lane.lane)
        elif failures:
            self._board.failed(_subject(lane), lane.lane, counts.fault, failures)

    def _look_at_spool(self) -> None:
        paused = self._gate.paused
        if paused and not self._paused:
            self._board.failed(COLLECTOR, _SPOOL, _PAUSED)
        elif self._paused and not paused:
            self._board.progressed(COLLECTOR, _SPOOL)
        self._paused = paused


def _subject(lane: Lane) -> str:
    return f"output {lane.name}"


def _silence(seconds: float) -> Fault:
    return Fault(
        kind=Kind.THIRD_PARTY_GENERIC,
        number=SILENT,
        cause=f"the vendor answers, but no new record has come for {seconds / 3600:.1f} hours",
        remedy="see at the vendor whether there is something to collect, and whether the licence "
        "and the export are active; silence_limit_in_seconds says how long is normal",
    )
