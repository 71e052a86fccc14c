"""Health while the collector runs: what the last run left, a look every few seconds, the end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from collector.app import last_run
from collector.app.backpressure import SpoolGate
from collector.app.delivery import Delivery
from collector.app.health import Board
from collector.app.inspection import COLLECTOR, Inspector
from collector.app.internal import Announcer
from collector.app.jobs import Job
from collector.app.kernel import Kernel
from collector.app.last_run import Marker
from collector.config.models import Settings
from collector.core.health import Signal
from collector.core.model import Clock
from collector.errors import StateError
from collector.logs import component_logger
from collector.persistence.sqlite import SqliteStore

LOOK_SECONDS = 5.0
_LAST_RUN = "last run"

log = component_logger("MainProcess", "MainThread")


class HealthMonitor:
    """Keeps the health board up to date; raises ``StateError`` only when it is made."""

    def __init__(
        self,
        settings: Settings,
        store: SqliteStore,
        clock: Clock,
        gate: SpoolGate,
        folder: Path,
        kernel: Kernel | None = None,
        *,
        once: bool = False,
    ) -> None:
        self._once = once
        self._folder = folder
        self._clock = clock
        self._gate = gate
        self._kernel = kernel or Kernel()
        self.board = Board(store.health, clock)
        self.board.keep_only(subjects(settings))
        self.announcer = Announcer(settings, store, clock, gate, self.board, self._kernel)
        self._inspector: Inspector | None = None
        self._inspecting = threading.Lock()

    def begin(self, jobs: Sequence[Job], delivery: Delivery) -> None:
        """The run begins: tell how the last one ended, and leave the marker of this one."""
        services = [job.service for job in jobs]
        self._inspector = Inspector(self.board, services, delivery.lanes, self._gate, self._clock)
        fault = last_run.ending(last_run.found(self._folder), self._kernel.counts())
        if fault is not None:
            log.warning("InternalError %d: %s -> %s", fault.number, fault.cause, fault.remedy)
            self.board.failed(COLLECTOR, _LAST_RUN, fault)
        self.beat()

    def beat(self) -> None:
        """The run lasts."""
        try:
            kernel = self._kernel.counts()
            marker = Marker(alive=self._clock.now(), kernel=kernel, once=self._once)
            last_run.mark(self._folder, marker)
        except OSError as error:
            log.error("The marker of this run cannot be written: %s", error)

    def look(self) -> None:
        """See how everything fares, tell what changed, and store it."""
        if self._inspector is None or self._clock.stopping():
            return
        with self._inspecting:
            self._inspector.look(log)
        self.announcer.tell(self.board.news())
        self._save()

    def stopping(self) -> None:
        """The collector was asked to stop."""
        self.board.end(Signal.STOP_ASKED)
        self._save()

    def stopped(self) -> None:
        """All has come to rest; the store is still open."""
        if self._inspector is not None:
            with self._inspecting:
                self._inspector.note_data()
        self.board.end(Signal.ENDED)
        self._save()

    def leave(self) -> None:
        """The run ends in order."""
        last_run.clear(self._folder)

    def _save(self) -> None:
        try:
            self.board.save()
        except StateError as error:
            log.error("%s", error)


def subjects(settings: Settings) -> set[str]:
    """Everything whose health may be stored: what the configuration names."""
    sources = {
        f"{name}#{field}"
        for name, each in settings.inputs.items()
        for field in each.services.configured()
    }
    return sources | {f"output {name}" for name in settings.outputs} | {COLLECTOR}
