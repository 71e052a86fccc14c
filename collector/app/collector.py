"""The running collector: start, run for ever or once, stop."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection

from collector.app import heartbeat
from collector.app.backpressure import SpoolGate
from collector.app.delivery import Delivery
from collector.app.heartbeat import EVERY_SECONDS
from collector.app.inputs import services
from collector.app.internal import Announcer
from collector.app.jobs import Job, Schedule, run_all_once
from collector.app.letters import LetterWatch
from collector.app.opening import folder, open_store, set_aside
from collector.app.outcome import COMPLETE, Outcome
from collector.app.services import ServiceJob, Wiring
from collector.clock import SystemClock
from collector.config.models import Settings
from collector.core.gate import Marks
from collector.core.times import HOUR
from collector.errors import StateError, Undelivered
from collector.logs import component_logger

_GRACE = 1.2
"""Real seconds for pulls and senders to come to rest after a stop."""
_FORGET_AFTER = 48 * HOUR
_HOUSEKEEPING_SECONDS = 3600.0
_CLOCK_SECONDS = 10.0
"""Between two looks at whether the wall clock was set back."""

log = component_logger("MainProcess", "MainThread")


class Selection:
    """Which inputs and services to run; empty means all."""

    def __init__(self, inputs: Collection[str] = (), services: Collection[str] = ()) -> None:
        self._inputs = frozenset(inputs)
        self._services = frozenset(services)

    def has_input(self, name: str) -> bool:
        """Whether this input is wanted."""
        return not self._inputs or name in self._inputs

    def has_service(self, name: str) -> bool:
        """Whether this service is wanted."""
        return not self._services or name in self._services


class Collector:
    """One collector process over one state folder; a context manager."""

    def __init__(
        self,
        settings: Settings,
        clock: SystemClock,
        selection: Selection | None = None,
        *,
        once: bool = False,
        seed: int | None = None,
        reread: Callable[[], Settings] | None = None,
    ) -> None:
        """Open the state; ``reread`` reads the configuration anew (``ConfigError``)."""
        self._reread = reread or (lambda: settings)
        self._settings = settings
        self._clock = clock
        self._selection = selection or Selection()
        self._once = once
        self._rng = random.Random(seed)  # noqa: S311 - spreads retries
        self.outcome = Outcome()
        self.store = open_store(settings, clock, log)
        self.gate = self._gate()
        try:
            self._name_strangers()
            self.delivery = Delivery(settings, self.store, clock, self.outcome, self.stop)
            self.jobs = [
                Job(service, self.outcome, clock, self.stop, waits=not once)
                for service in self._services()
            ]
        except BaseException:
            self.store.close()
            raise
        self._announcer = Announcer(settings, self.store, clock, self.gate)
        self._letters = LetterWatch(self.store, settings.globals.dead_letters.max_bytes, log)

    def run(self) -> int:
        """Run until stopped; the exit code."""
        schedule = Schedule(self.jobs, self._clock)
        globals_ = self._settings.globals
        schedule.every(globals_.statistics_period_in_seconds, self._report, at_once=False)
        schedule.every(_HOUSEKEEPING_SECONDS, self._keep_house, at_once=False)
        schedule.every(EVERY_SECONDS, self._beat)
        self.delivery.start()
        schedule.start()
        log.info("%d services and %d senders are running", len(self.jobs), len(self.delivery.lanes))
        while not self._clock.sleep(_CLOCK_SECONDS):
            schedule.follow_clock()
        schedule.shut_down()
        heartbeat.rest(folder(self._settings))
        code = self._rest()
        heartbeat.rest(folder(self._settings))  # one that was being left while we stopped
        return code

    def run_once(self) -> int:
        """Take and deliver everything due; the exit code."""
        self.delivery.start()
        run_all_once(self.jobs)
        self._announcer.announce(self.jobs, self.delivery)
        self.delivery.drain()
        self._drain()
        self.delivery.report()
        self._letters.look()
        self._keep_house()
        self._clock.stop()
        return self._rest()

    def stop(self) -> None:
        """Ask everything to stop; returns at once."""
        self._clock.stop()

    def _services(self) -> list[ServiceJob]:
        return [
            job
            for name, chosen in self._settings.inputs.items()
            if chosen.enabled and self._selection.has_input(name)
            for job in services(self._wiring(), name)
        ]

    def _name_strangers(self) -> None:
        """Tell of records for outputs that nobody serves: they would fill the spool for ever."""
        for (output, _lane), count in self.store.spool.backlog().items():
            if output not in self._settings.outputs:
                log.warning(
                    "%d records wait for the output %s, which is not configured -> configure it "
                    "again, or give them up with 'collector state abandon %s'",
                    count,
                    output,
                    output,
                )

    def _gate(self) -> SpoolGate:
        globals_ = self._settings.globals
        return SpoolGate(
            lambda: self.store.spool.size,
            Marks(globals_.spool.max_bytes),
            self._clock,
            log,
            patience=globals_.stall_limit_in_seconds if self._once else None,
        )

    def _wiring(self) -> Wiring:
        return Wiring(
            settings=self._settings,
            store=self.store,
            clock=self._clock,
            rng=self._rng,
            gate=self.gate,
            once=self._once,
            reread=self._reread,
            wanted=self._selection.has_service,
        )

    def _drain(self) -> None:
        """Deliver what waits, and note when not all of it could be."""
        left = self._left_undelivered()
        if left and self._clock.stopping():
            self.outcome.interrupted()
        elif left:
            error = Undelivered(
                601,
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
        rested = self.delivery.join(_GRACE / 2) and self._jobs_rest(_GRACE / 2)
        try:
            self._say_what_is_left()
        except StateError as error:
            log.critical("%s", error)
            self.outcome.failed("state", error)
        code = self.outcome.exit_code() if self._once else self._exit_code_of_a_stop()
        if rested:
            self.store.close()
            if self.outcome.damage is not None:
                log.critical("%s", set_aside(self._settings, self._clock, self.outcome.damage))
        return code

    def _say_what_is_left(self) -> None:
        if not self._once:
            self.delivery.report()
        log.info("The collector has stopped; %d records wait for delivery", self.delivery.waiting())

    def _jobs_rest(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        return all(job.rests(deadline - time.monotonic()) for job in self.jobs)

    def _exit_code_of_a_stop(self) -> int:
        """A service that was stopped as asked is complete, whatever it was doing."""
        return self.outcome.fatal() or COMPLETE

    def _report(self) -> None:
        self._announcer.announce(self.jobs, self.delivery)
        self.delivery.report()
        self._letters.look()

    def _beat(self) -> None:
        if self._clock.stopping():  # a sign left now would outlive the collector
            return
        # Only life at the store is life: a collector that cannot commit must not look healthy.
        try:
            self.store.usage("")
            heartbeat.beat(folder(self._settings), self._clock.now())
        except (StateError, OSError) as error:
            log.error("%s", error)

    def _keep_house(self) -> None:
        try:
            now = self._clock.now()
            for job in self.jobs:
                keep_from = job.service.intake.needed_from() // HOUR
                self.store.forget(job.service.source_id, now - _FORGET_AFTER, keep_from)
            self.store.give_back_space()
        except StateError as error:
            log.error("%s", error)
