"""A worker process: it pulls for its own sources, and delivers nothing.

It works in the state that its supervisor has opened, under the supervisor's epoch:
when a later start has taken over, whatever a worker that is left still commits is
refused.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

from collector.app.backpressure import SpoolGate
from collector.app.credentials import Rereading
from collector.app.health import Board
from collector.app.health_monitor import LOOK_SECONDS
from collector.app.inspection import SourceInspector
from collector.app.internal import Announcer
from collector.app.jobs import Schedule, run_all_once
from collector.app.kernel import Kernel
from collector.app.outcome import COMPLETE, Outcome
from collector.app.pulling import HOUSEKEEPING_SECONDS, Pulling, spool_gate
from collector.app.selection import Selection
from collector.app.services import Wiring
from collector.clock import SystemClock
from collector.config.models import Settings
from collector.core.health import Signal
from collector.core.model import Frozen
from collector.errors import ConfigError, StateError
from collector.logs import component_logger
from collector.persistence.sqlite import SqliteStore

_GRACE = 0.9
"""Real seconds for pulls to come to rest after a stop: less than the supervisor waits."""
_CLOCK_SECONDS = 10.0

log = component_logger("MainProcess", "MainThread")


class Orders(Frozen, frozen=True):
    """What a supervisor tells a worker: the epoch to join, and the sources it owns.

    ``digest`` is that of the supervisor's settings; see ``settings_digest``.
    """

    epoch: str
    sources: list[str]
    once: bool
    digest: str


def settings_digest(settings: Settings) -> str:
    """A digest of all settings but the secrets, which may be replaced while we run."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()


def refuse_changed_settings(settings: Settings, orders: Orders) -> None:
    """Raise ``ConfigError`` when a worker would not work by its supervisor's settings.

    Its records would be owed to outputs that nobody serves.
    """
    if settings_digest(settings) != orders.digest:
        raise ConfigError(
            49,
            "the configuration has changed since the collector was started",
            "restart the collector to use it; until then this worker's sources wait",
        )


class Worker:
    """The pulls of some sources."""

    def __init__(
        self,
        settings: Settings,
        clock: SystemClock,
        orders: Orders,
        number: int,
        reread: Callable[[], Settings],
    ) -> None:
        """Join the supervisor's state; raises ``StateError`` and ``ConfigError``."""
        self._globals = settings.globals
        self._clock = clock
        self._once = orders.once
        self.outcome = Outcome()
        letter_bytes = settings.globals.dead_letters.max_bytes
        self._store = SqliteStore.join(
            settings.state_folder, orders.epoch, clock, letter_bytes=letter_bytes
        )
        try:
            gate = spool_gate(settings, self._store, clock, log, gives_up=orders.once)
            self._board = Board(self._store.health, clock)
            self._announcer = Announcer(
                settings, self._store, clock, gate, self._board, Kernel(), number
            )
            wiring = self._wiring(settings, gate, reread)
            selection = Selection(sources=orders.sources)
            self._pulling = Pulling(wiring, selection, self.outcome, clock.stop)
        except BaseException:
            self._store.close()
            raise
        services = [job.service for job in self._pulling.jobs]
        self._inspector = SourceInspector(self._board, services, gate, clock)

    def run(self) -> int:
        """Run until stopped; the exit code."""
        schedule = Schedule(self._pulling.jobs, self._clock)
        schedule.every(HOUSEKEEPING_SECONDS, self._forget, at_once=False)
        if self._globals.secrets.reread_in_seconds:
            seconds = self._globals.secrets.reread_in_seconds
            schedule.every(seconds, self._pulling.look, at_once=False)
        self._begin(schedule)
        while not self._clock.sleep(_CLOCK_SECONDS):
            schedule.follow_clock()
        schedule.shut_down()
        return self._rest()

    def run_once(self) -> int:
        """Take everything due; the exit code."""
        schedule = Schedule((), self._clock)
        self._begin(schedule)
        if not run_all_once(self._pulling.jobs, self._clock):
            self.outcome.interrupted()
        schedule.shut_down(wait=not self._clock.stopping())
        self._look()
        self._announce()
        self._forget()
        self._clock.stop()
        return self._rest()

    def _begin(self, schedule: Schedule) -> None:
        """Start what every run does, with what it does again and again beside its pulls."""
        period = self._globals.statistics_period_in_seconds
        schedule.every(period, self._announce, at_once=False)
        schedule.every(LOOK_SECONDS, self._look)
        schedule.start()

    def _wiring(
        self, settings: Settings, gate: SpoolGate, reread: Callable[[], Settings]
    ) -> Wiring:
        return Wiring(
            settings=settings,
            store=self._store,
            clock=self._clock,
            rng=random.Random(),  # noqa: S311 - spreads retries
            gate=gate,
            board=self._board,
            once=self._once,
            reread=Rereading(reread, self._clock),
            alone=False,
        )

    def _rest(self) -> int:
        self._board.end(Signal.STOP_ASKED)
        rested = self._pulling.rests(_GRACE)
        self._board.end(Signal.ENDED)
        self._save()
        if rested:
            self._store.close()
        return self.outcome.exit_code() if self._once else self.outcome.fatal() or COMPLETE

    def _look(self) -> None:
        if self._clock.stopping():
            return
        self._inspector.look(log)
        self._announcer.tell(self._board.news())
        self._save()

    def _announce(self) -> None:
        self._announcer.announce(self._pulling.jobs, None)

    def _forget(self) -> None:
        try:
            self._pulling.forget()
        except StateError as error:
            log.error("%s", error)

    def _save(self) -> None:
        try:
            self._board.save()
        except StateError as error:
            log.error("%s", error)
