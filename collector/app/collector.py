"""The running collector: start, run for ever or once, stop."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from collector.app import heartbeat
from collector.app.certificates import WATCH_SECONDS, CertificateWatch
from collector.app.company import Alone, Company
from collector.app.credentials import Rereading
from collector.app.delivery import Delivery, name_strangers
from collector.app.heartbeat import EVERY_SECONDS
from collector.app.inputs import name_newcomers
from collector.app.jobs import Job, Schedule, run_all_once
from collector.app.letters import LetterWatch
from collector.app.opening import open_store, set_aside
from collector.app.outcome import COMPLETE, Outcome
from collector.app.oversight import LOOK_SECONDS, Oversight
from collector.app.place import folder
from collector.app.pulling import HOUSEKEEPING_SECONDS, Pulling, spool_gate
from collector.app.selection import NOTHING, Selection
from collector.app.services import Wiring
from collector.clock import SystemClock
from collector.config.cautions import cautions
from collector.config.models import Settings
from collector.core.model import LANES
from collector.errors import StateError, Undelivered
from collector.logs import component_logger
from collector.persistence.damage import DAMAGED

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
            self._oversight = Oversight(
                settings, self.store, clock, self.gate, folder(settings), once=once
            )
            self.delivery = Delivery(
                settings, self.store, clock, self.outcome, self.stop, self._reread
            )
            self._company = self._hired(worker) if worker else Alone()
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
        globals_ = self._settings.globals
        schedule.every(globals_.statistics_period_in_seconds, self._report, at_once=False)
        schedule.every(HOUSEKEEPING_SECONDS, self._keep_house, at_once=False)
        schedule.every(WATCH_SECONDS, self._certificates.look, at_once=False)
        schedule.every(EVERY_SECONDS, self._beat)
        if globals_.secrets.reread_in_seconds:
            seconds = globals_.secrets.reread_in_seconds
            schedule.every(seconds, self._pulling.look, at_once=False)
        schedule.every(LOOK_SECONDS, self._look)
        self._oversight.begin(self.jobs, self.delivery)
        self.delivery.start()
        schedule.start()
        self._company.start()
        running = len(self.jobs) + self._company.sources
        log.info("%d services and %d senders are running", running, len(self.delivery.lanes))
        while not self._clock.sleep(_CLOCK_SECONDS):
            schedule.follow_clock()
        schedule.shut_down()
        self._company.ask_to_stop()
        self._oversight.stopping()
        heartbeat.rest(folder(self._settings))
        code = self._rest()
        heartbeat.rest(folder(self._settings))  # one that was being left while we stopped
        return code

    def run_once(self) -> int:
        """Take and deliver everything due; the exit code."""
        try:
            self._take_and_deliver()
        except StateError as error:
            self._troubled(error)
            self.outcome.failed("state", error)
        self._clock.stop()
        return self._rest()

    def _take_and_deliver(self) -> None:
        """All that is due, as far as it goes; raises ``StateError``."""
        statistics = Schedule((), self._clock)
        period = self._settings.globals.statistics_period_in_seconds
        statistics.every(period, self._report, at_once=False)
        self._oversight.begin(self.jobs, self.delivery)
        self.delivery.start()
        statistics.start()
        self._company.start()
        if not run_all_once(self.jobs, self._clock):
            self.outcome.interrupted()
        self._company.finish()
        self._oversight.look()
        self._oversight.announcer.announce(self.jobs, self.delivery)
        self.delivery.drain()
        self._drain()
        statistics.shut_down()
        self.delivery.report()
        self._letters.look()
        self._keep_house()

    def stop(self) -> None:
        """Ask everything to stop; returns at once."""
        self._clock.stop()

    def kill_workers(self) -> None:
        """End all other processes of this collector at once."""
        self._company.kill()

    def _own_pulls(self, selection: Selection) -> Pulling:
        return Pulling(self._wiring(), selection, self.outcome, self.stop)

    def _hired(self, command: Sequence[str]) -> Company:
        # Here and not above: one process needs nothing of it.
        from collector.app.crew import Crew, Duty  # noqa: PLC0415
        from collector.app.worker import shape_of  # noqa: PLC0415

        duty = Duty(
            command=command,
            epoch=self.store.epoch,
            once=self._once,
            shape=shape_of(self._settings),
            clock=self._clock,
            outcome=self.outcome,
            board=self._oversight.board,
            gate=self.gate,
            stop=self.stop,
        )
        return Crew(self._settings, self._selection, duty)

    def _warn(self) -> None:
        """Tell of settings that are allowed and yet unwise; ``collector check`` does, too."""
        name_strangers(self._settings, self.store, log)
        name_newcomers(self._settings, log)
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
            board=self._oversight.board,
            once=self._once,
            only_looks=self._selection.only_looks,
            reread=self._reread,
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
        until = time.monotonic() + _GRACE
        rested = self.delivery.join(_GRACE / 2)
        # Sessions are to be closed in order, whatever time the senders took.
        rested = self._pulling.rests(until - time.monotonic()) and rested
        rested = self._company.rests() and rested
        try:
            self._say_what_is_left()
        except StateError as error:
            log.critical("%s", error)
            self.outcome.failed("state", error)
        code = self.outcome.exit_code() if self._once else self._exit_code_of_a_stop()
        self._oversight.stopped()
        if rested:
            self.store.close()
        if self.outcome.damage is not None:
            # Who hangs still has it open, and may write on: to a file that is used no more.
            log.critical("%s", set_aside(self._settings, self._clock, self.outcome.damage))
        self._oversight.leave()
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
        self._oversight.announcer.announce(self.jobs, self.delivery)
        try:
            self.delivery.report()
        except StateError as error:
            self._troubled(error)
        self._letters.look()

    def _look(self) -> None:
        self._company.look()
        self._oversight.look()

    def _beat(self) -> None:
        if self._clock.stopping():  # a sign left now would outlive the collector
            return
        # Only life at the store is life: a collector that cannot commit must not look healthy.
        try:
            self.store.usage("")
            heartbeat.beat(folder(self._settings), self._clock.now())
            self._oversight.beat()
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
