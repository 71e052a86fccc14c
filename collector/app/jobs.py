"""The pulls as jobs of APScheduler: UTC, never two at once, each owning its outcome.

Correctness never depends on when a job runs: a late, skipped or repeated run reads
on from the checkpoint.  APScheduler turns an exception into a log line nobody
acts on, so none leaves a job here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor as Threads
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from collector.app.outcome import Outcome
from collector.app.patience import until_stored
from collector.app.services import ServiceJob
from collector.app.watches import DEFECT, GIVEN_UP
from collector.clock import SystemClock
from collector.core import phrases, times
from collector.core.model import Clock
from collector.errors import (
    AuthenticationError,
    CollectorError,
    HoursPutOff,
    StateError,
    Stopped,
    TokenRejected,
    VendorRefused,
)
from collector.logs import component_logger

_LOOK_AGAIN = 900.0
"""Seconds that a service rests whose credentials or request the vendor refuses for good."""

_AT_ONCE = 16
"""So many services start with the program; of more, each ``_APART`` real seconds later."""
_APART = 0.02

_LOOK_SECONDS = 0.1
"""Real seconds between two looks whether a one-shot run is to stop."""


class Job:
    """One service under the scheduler, or, unless it ``waits``, in a one-shot run.

    Who waits waits for the next period, and for a state that cannot be written for now.
    """

    def __init__(
        self,
        service: ServiceJob,
        outcome: Outcome,
        clock: Clock,
        stop: Callable[[], None],
        *,
        waits: bool = True,
    ) -> None:
        self.service = service
        self._waits = waits
        self._outcome = outcome
        self._clock = clock
        self._stop = stop
        self._log = component_logger("InputProcess", service.component)
        self._set_up = self._accepted = False
        self._not_before = 0.0
        self._refused_with = 0
        self._running = threading.Lock()
        self._gave_up = False
        service.watch.started()

    def run(self) -> None:
        """Run the service once, unless it is resting; nothing is raised."""
        if self._clock.stopping() or self._resting():
            return
        with self._running:
            self._owned()

    def _resting(self) -> bool:
        """Whether to leave the vendor alone, with credentials that have not changed since.

        Because it refused us just now, or has failed for so long that we gave up.
        """
        given_up = self.service.watch.given_up
        if not given_up and self._clock.monotonic() >= self._not_before:
            return False
        if self.service.credentials.look() == self._refused_with:
            if given_up:
                self._give_up()
            return True
        self._log.info("The credentials have changed: trying them")
        self._not_before = 0.0
        self._gave_up = False
        self.service.watch.revived()
        return False

    def _give_up(self) -> None:
        """Say once that the source is tried no more."""
        if not self._gave_up:
            self._gave_up = True
            self.service.watch.give_up()
            self._log.error(
                "PullError %d: given up after too long without success -> mend what is told "
                "above, then restart the collector or replace the credentials",
                GIVEN_UP,
            )

    def look(self) -> None:
        """Use credentials that were replaced, from the next call on."""
        before = self.service.credentials.changes
        if self.service.credentials.look() != before:
            self._log.info("The credentials were replaced: the next call uses the new ones")

    def rests(self, seconds: float) -> bool:
        """Wait so many real seconds for a run to end; whether none is under way."""
        if not self._running.acquire(timeout=max(seconds, 0.0)):
            return False
        self._running.release()
        return True

    def _owned(self) -> None:
        try:
            if self._waits:
                until_stored(self._work, self._clock, self._log)
            else:
                self._work()
        except Stopped:
            self._outcome.interrupted()
        except HoursPutOff as error:
            self._all_but_hours(error)
        except CollectorError as error:
            self._failed(error)
        except Exception:  # noqa: BLE001 - a defect must not end the other services; it is told in full
            self._log.exception("InternalError %d: please report this", DEFECT)
            self._outcome.failed(self.service.source_id, None)
            self.service.watch.failed(None)
        else:
            self._outcome.succeeded(self.service.source_id)

    def _work(self) -> None:
        self._refused_with = self.service.credentials.changes
        self.service.watch.prepared()
        self._setup()
        self.service.run()
        if self._accepted and not self.service.lasting:
            self.service.watch.progressed()
        if self.service.acceptance is None:
            self.service.credentials.worked(self._refused_with)

    def _all_but_hours(self, error: HoursPutOff) -> None:
        """The vendor is well but for single hours, of which the journal has told already."""
        self._outcome.failed(self.service.source_id, error)
        if self._accepted:
            self.service.watch.progressed()
        self._log.error("%s", error)

    def _setup(self) -> None:
        if self._set_up:
            return
        self._accepted = False
        self.service.setup()
        self._set_up = True
        if self.service.acceptance is None:
            self._accept()
        else:
            self.service.acceptance.awaited(self._session_opened)
        if self._waits and not self.service.lasting:
            self._log.info(phrases.starting_collection(self.service.period))

    def _session_opened(self) -> None:
        """Credentials that are shown in a session are good, whatever comes of it."""
        self.service.credentials.worked(self._refused_with)
        if not self._accepted:
            self._accept()

    def _accept(self) -> None:
        """The vendor took the credentials."""
        self._accepted = True
        self.service.watch.granted()
        component_logger("InputProcess", self.service.setup_component).info(
            phrases.setup_succeeded(self.service.puller_class)
        )

    def _failed(self, error: CollectorError) -> None:
        self._outcome.failed(self.service.source_id, error)
        self.service.watch.failed(error)
        if isinstance(error, StateError):
            self._log.critical("%s; the collector stops", error)
            self._stop()
        elif self.service.watch.given_up:
            self._log.error("%s", error)
            self._give_up()
        elif isinstance(error, (AuthenticationError, TokenRejected, VendorRefused)):
            self._not_before = self._clock.monotonic() + _LOOK_AGAIN
            self._set_up = False
            self._log.error(
                "%s; looking again in %d seconds, or at the next run after the credentials change",
                *(error, _LOOK_AGAIN),
            )
            if not isinstance(error, VendorRefused):
                self._give_way()
        else:
            self._log.error("%s; the next pull goes on from here", error)

    def _give_way(self) -> None:
        """Go back to credentials that may work still, if there are any."""
        if self.service.credentials.refused(self._refused_with):
            self._log.warning("The credentials that were refused give way to the former ones")


class Schedule:
    """Runs jobs by their periods, and housekeeping beside them, until it is shut down."""

    def __init__(self, jobs: Sequence[Job], clock: Clock) -> None:
        self._clock = clock
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(len(jobs) + 2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for number, job in enumerate(jobs):
            # Of many, the first start at once and the others by and by, or all would be due
            # in the same instant of every period.
            self._add(job.service.period, job.run, max(number - _AT_ONCE, 0) * _APART)

    def every(self, seconds: float, call: Callable[[], None], *, at_once: bool = True) -> None:
        """Call again and again, ``seconds`` of the clock apart."""
        self._add(seconds, call, 0.0 if at_once else self._clock.real(seconds))

    def _add(self, seconds: float, call: Callable[[], None], later: float) -> None:
        trigger = IntervalTrigger(seconds=self._clock.real(seconds), timezone=UTC)
        first = _wall() + timedelta(seconds=later)
        self._scheduler.add_job(call, trigger, next_run_time=first)

    def start(self) -> None:
        """Begin; returns at once."""
        self._scheduler.start()

    def follow_clock(self) -> None:
        """Let nobody wait for longer than a period, when the wall clock was set back."""
        for job in self._scheduler.get_jobs():
            latest = _wall() + job.trigger.interval
            if job.next_run_time > latest:
                job.modify(next_run_time=latest)

    def shut_down(self, *, wait: bool = False) -> None:
        """Start nothing more; what runs is waited for, or left to notice the stop."""
        self._scheduler.shutdown(wait=wait)


def _wall() -> datetime:
    """APScheduler lives on the wall clock, however fast ours runs."""
    return times.to_datetime(SystemClock().now())


def run_all_once(jobs: Sequence[Job], clock: Clock) -> bool:
    """Run every job one time, side by side; whether all are done.

    When the program stops, those that still wait for the vendor are not waited for.
    """
    threads = Threads(max_workers=max(len(jobs), 1), thread_name_prefix="pull")
    left = {threads.submit(job.run) for job in jobs}
    threads.shutdown(wait=False)
    while left and not clock.stopping():
        left = wait(left, timeout=_LOOK_SECONDS).not_done
    return not left
