"""The running collector: start, run for ever or once, stop."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from collector.app import heartbeat
from collector.app.certificates import WATCH_SECONDS, CertificateWatch
from collector.app.credentials import Rereading
from collector.app.delivery import Delivery, warn_of_unconfigured_outputs
from collector.app.health_monitor import LOOK_SECONDS, HealthMonitor
from collector.app.heartbeat import EVERY_SECONDS
from collector.app.inputs import warn_of_renamed_inputs
from collector.app.jobs import Job, Schedule, run_all_once
from collector.app.letters import LetterWatch
from collector.app.opening import open_store, set_aside
from collector.app.outcome import COMPLETE, Outcome
from collector.app.pulling import HOUSEKEEPING_SECONDS, Pulling, spool_gate
from collector.app.selection import NOTHING, Selection
from collector.app.services import Wiring
from collector.app.worker_pool import NoWorkers, WorkerPool
from collector.clock import SystemClock
from collector.config.cautions import cautions
from collector.config.models import Settings
from collector.core.model import LANES
from collector.errors import StateError, Undelivered
from collector.logs import component_logger
from collector.persistence.damage import DAMAGED
from collector.senders.error_numbers import LEFT_IN_SPOOL

_APART_SECONDS = 0.2
_GRACE = 1.4
"""Real seconds for pulls and senders to come to rest after a stop."""
_CLOCK_SECONDS = 10.0
"""Between two looks at whether the wall clock was set back."""

log = component_logger("MainProcess", "MainThread")


class Collector:
    """The collector over one state folder: all of it, or the supervisor of its workers."""

    def __init__(
        self,
        settings: Settings,
        clock: SystemClock,
        selection: Selection | None = None,
        *,
        once: bool = False,
        seed: int | None = None,
        reread: Callable[[], Settings] | None = None,
        worker: Sequence[str] = (),
    ) -> None:
        """Open the state; ``reread`` reads the configuration anew (``ConfigError``).

        ``worker``: the command that starts a worker, but for its number; without it there is none.
        """
        self._reread = Rereading(reread or (lambda: settings), clock)
        self._settings = settings
        self._clock = clock
        self._selection = selection or Selection()
        self._once = once
        self._rng = random.Random(seed)  # noqa: S311 - spreads retries
        self.outcome = Outcome()
        worker = worker if settings.globals.workers > 1 else ()
        self.store = open_store(settings, clock, log, shared=bool(worker))
        self.gate = spool_gate(settings, self.store, clock, log, gives_up=once and not worker)
        self._certificates = CertificateWatch(settings, clock, log)
        try:
            self._warn()
            self._monitor = HealthMonitor(
                settings, self.store, clock, self.gate, settings.state_folder, once=once
            )
            self.delivery = Delivery(
                settings, self.store, clock, self.outcome, self.stop, self._reread
            )
            self._workers = self._worker_pool(worker) if worker else NoWorkers()
            self._pulling = self._own_pulls(NOTHING if worker else self._selection)
        except BaseException:
            self.store.close()
            raise
        self._letters = LetterWatch(self.store, settings.globals.dead_letters.max_bytes, log)

    @property
    def jobs(self) -> list[Job]:
        """The pulls that this process makes."""
        return self._pulling.jobs

    def run(self) -> int:
        """Run until stopped; the exit code."""
        schedule = Schedule(self.jobs, self._clock)
        schedule.every(HOUSEKEEPING_SECONDS, self._keep_house, at_once=False)
        schedule.every(WATCH_SECONDS, self._certificates.look, at_once=False)
        if seconds := self._settings.globals.secrets.reread_in_seconds:
            schedule.every(seconds, self._pulling.look, at_once=False)
        self._begin(schedule)
        running = len(self.jobs) + self._workers.sources
        log.info("%d services and %d senders are running", running, len(self.delivery.lanes))
        while not self._clock.sleep(_CLOCK_SECONDS):
            schedule.follow_clock()
        schedule.shut_down()
        self._workers.ask_to_stop()
        self._monitor.stopping()
        return self._rest()

    def run_once(self) -> int:
        """Take and deliver everything due; the exit code."""
        schedule = Schedule((), self._clock)
        self._begin(schedule)
        try:
            self._take_and_deliver(schedule)
        except StateError as error:
            self._troubled(error)
            self.outcome.failed("state", error)
        self._clock.stop()
        return self._rest()

    def _begin(self, schedule: Schedule) -> None:
        """Start all, and what every run does again and again beside its pulls."""
        period = self._settings.globals.statistics_period_in_seconds
        schedule.every(period, self._report, at_once=False)
        schedule.every(EVERY_SECONDS, self._beat)
        schedule.every(LOOK_SECONDS, self._look)
        self._monitor.begin(self.jobs, self.delivery)
        self.delivery.start()
        schedule.start()
        self._workers.start()

    def _take_and_deliver(self, schedule: Schedule) -> None:
        """All that is due, as far as it goes; raises ``StateError``."""
        if not run_all_once(self.jobs, self._clock):
            self.outcome.interrupted()
        self._workers.finish()
        self._monitor.look()
        self._monitor.announcer.announce(self.jobs, self.delivery)
        self.delivery.drain()
        self._drain(schedule)
        self.delivery.report()
        self._letters.look()
        self._keep_house()

    def stop(self) -> None:
        """Ask everything to stop; returns at once."""
        self._clock.stop()

    def kill_workers(self) -> None:
        """End all other processes of this collector at once."""
        self._workers.kill()

    def _own_pulls(self, selection: Selection) -> Pulling:
        return Pulling(self._wiring(), selection, self.outcome, self.stop)

    def _worker_pool(self, command: Sequence[str]) -> WorkerPool:
        # Here and not above: one process needs nothing of it.
        from collector.app.worker import settings_digest  # noqa: PLC0415
        from collector.app.worker_processes import ProcessPool, WorkerContext  # noqa: PLC0415

        context = WorkerContext(
            command=command,
            epoch=self.store.epoch,
            once=self._once,
            digest=settings_digest(self._settings),
            clock=self._clock,
            outcome=self.outcome,
            board=self._monitor.board,
            gate=self.gate,
            stop=self.stop,
        )
        return ProcessPool(self._settings, self._selection, context)

    def _warn(self) -> None:
        """Tell of settings that are allowed and yet unwise; ``collector check`` does, too."""
        warn_of_unconfigured_outputs(self._settings, self.store, log)
        warn_of_renamed_inputs(self._settings, log)
        for caution in cautions(self._settings):
            log.warning("%s", caution)
        self._certificates.look()

    def _wiring(self) -> Wiring:
        return Wiring(
            settings=self._settings,
            store=self.store,
            clock=self._clock,
            rng=self._rng,
            gate=self.gate,
            board=self._monitor.board,
            once=self._once,
            only_looks=self._selection.only_looks,
            reread=self._reread,
        )

    def _drain(self, schedule: Schedule) -> None:
        """Deliver what waits, and note when not all of it could be; nothing is looked at after."""
        left = self._left_undelivered()
        schedule.shut_down(wait=not self._clock.stopping())
        left = left or self._left_undelivered()  # what the last look had to tell
        if left and self._clock.stopping():
            self.outcome.interrupted()
        elif left:
            error = Undelivered(
                LEFT_IN_SPOOL,
                f"{left} records wait for an output that does not take them",
                "they stay in the state and are sent first by the next run",
            )
            log.error("%s", error)
            self.outcome.failed("delivery", error)

    def _left_undelivered(self) -> int:
        """Wait until every output has everything, or none makes progress; the records left."""
        limit = self._settings.globals.stall_limit_in_seconds
        left = self.delivery.waiting()
        progress = self._clock.monotonic()
        while left and not self._clock.sleep(0.05):
            before, left = left, self.delivery.waiting()
            if left != before:
                progress = self._clock.monotonic()
            elif self._clock.monotonic() - progress > limit:
                break
        return left

    def _rest(self) -> int:
        """Let what runs come to rest, say how it went, and close the state."""
        heartbeat.rest(self._settings.state_folder)
        until = time.monotonic() + _GRACE
        rested = self.delivery.join(_GRACE / 2)
        # Sessions are to be closed in order, whatever time the senders took.
        rested = self._pulling.rests(until - time.monotonic()) and rested
        rested = self._workers.rests() and rested
        try:
            self._say_what_is_left()
        except StateError as error:
            log.critical("%s", error)
            self.outcome.failed("state", error)
        code = self.outcome.exit_code() if self._once else self._exit_code_of_a_stop()
        self._monitor.stopped()
        if rested:
            self.store.close()
        if self.outcome.damage is not None:
            # Who hangs still has it open, and may write on: to a file that is used no more.
            log.critical("%s", set_aside(self._settings, self._clock, self.outcome.damage))
        self._monitor.leave()
        heartbeat.rest(self._settings.state_folder)  # one that was being left while we stopped
        return code

    def _say_what_is_left(self) -> None:
        if not self._once:
            self.delivery.report()
        waiting = dict.fromkeys(LANES, 0)
        for (_output, lane), count in self.store.spool.backlog().items():
            waiting[lane] += count
        told = "The collector has stopped; %d records wait for delivery, and %d internal ones"
        log.info(told, *waiting.values())

    def _exit_code_of_a_stop(self) -> int:
        """A service that was stopped as asked is complete, whatever it was doing."""
        return self.outcome.fatal() or COMPLETE

    def _report(self) -> None:
        self._monitor.announcer.announce(self.jobs, self.delivery)
        try:
            self.delivery.report()
        except StateError as error:
            self._troubled(error)
        self._letters.look()

    def _look(self) -> None:
        self._workers.look()
        self._monitor.look()

    def _beat(self) -> None:
        if self._clock.stopping():  # a sign left now would outlive the collector
            return
        # Only life at the store is life: a collector that cannot commit must not look healthy.
        try:
            self.store.usage("")
            heartbeat.beat(self._settings.state_folder, self._clock.now())
            self._monitor.beat()
        except (StateError, OSError) as error:
            self._troubled(error)

    def _keep_house(self) -> None:
        try:
            self._pulling.forget()
            # Between two steps others get at the store.
            while self.store.give_back_space() and not self._clock.sleep(_APART_SECONDS):
                pass
        except StateError as error:
            self._troubled(error)

    def _troubled(self, error: StateError | OSError) -> None:
        """Tell of a failure of the state; one that is damaged ends the run, whoever noticed."""
        log.error("%s", error)
        if isinstance(error, StateError) and error.number == DAMAGED:
            self.outcome.failed("state", error)
            self.stop()
