"""The pulls as jobs of APScheduler: UTC, never two at once, each owning its outcome.

Correctness never depends on when a job runs: a late, skipped or repeated run reads
on from the checkpoint.  APScheduler turns an exception into a log line nobody
acts on, so none leaves a job here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor as Threads
from datetime import UTC, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from collector.app.outcome import Outcome
from collector.app.patience import until_stored
from collector.app.services import ServiceJob
from collector.clock import SystemClock
from collector.core import phrases, times
from collector.core.model import Clock, Micros
from collector.core.times import SECOND
from collector.errors import (
    AuthenticationError,
    CollectorError,
    StateError,
    Stopped,
    TokenRejected,
    VendorRefused,
)
from collector.logs import component_logger

_LOOK_AGAIN = 900 * SECOND
"""How long a service rests whose credentials or request the vendor refuses for good."""


class Job:
    """One service under the scheduler; ``waits`` for a state that cannot be written for now."""

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
        self._set_up = False
        self._not_before: Micros = 0
        self._running = threading.Lock()

    def run(self) -> None:
        """Run the service once, unless it is resting; nothing is raised."""
        if self._clock.now() < self._not_before or self._clock.stopping():
            return
        with self._running:
            self._owned()

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
        except CollectorError as error:
            self._failed(error)
        except Exception:  # noqa: BLE001 - a defect must not end the other services; it is told in full
            self._log.exception("InternalError 1: please report this")
            self._outcome.failed(self.service.source_id, None)
        else:
            self._outcome.succeeded(self.service.source_id)

    def _work(self) -> None:
        self._setup()
        self.service.run()

    def _setup(self) -> None:
        if self._set_up:
            return
        self.service.setup()
        self._set_up = True
        component_logger("InputProcess", self.service.setup_component).info(
            phrases.setup_succeeded(self.service.puller_class)
        )
        if not self.service.lasting:
            self._log.info(phrases.starting_collection(self.service.period))

    def _failed(self, error: CollectorError) -> None:
        self._outcome.failed(self.service.source_id, error)
        if isinstance(error, StateError):
            self._log.critical("%s; the collector stops", error)
            self._stop()
        elif isinstance(error, (AuthenticationError, TokenRejected, VendorRefused)):
            self._not_before = self._clock.now() + _LOOK_AGAIN
            self._set_up = False
            self._log.error("%s; looking again in %d seconds", error, _LOOK_AGAIN // SECOND)
        else:
            self._log.error("%s; the next pull goes on from here", error)


class Schedule:
    """Runs jobs by their periods, and housekeeping beside them, until it is shut down."""

    def __init__(self, jobs: Sequence[Job], clock: Clock) -> None:
        self._clock = clock
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(len(jobs) + 2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        for job in jobs:
            self.every(job.service.period, job.run)

    def every(self, seconds: float, call: Callable[[], None], *, at_once: bool = True) -> None:
        """Call again and again, ``seconds`` of the clock apart."""
        real = self._clock.real(seconds)
        # APScheduler lives on the wall clock, however fast ours runs.
        wall = times.to_datetime(SystemClock().now())
        first = wall if at_once else wall + timedelta(seconds=real)
        trigger = IntervalTrigger(seconds=real, timezone=UTC)
        self._scheduler.add_job(call, trigger, next_run_time=first)

    def start(self) -> None:
        """Begin; returns at once."""
        self._scheduler.start()

    def shut_down(self) -> None:
        """Start nothing more; what runs is left to notice the stop."""
        self._scheduler.shutdown(wait=False)


def run_all_once(jobs: Sequence[Job]) -> None:
    """Run every job one time, side by side; returns when all are done."""
    with Threads(max_workers=max(len(jobs), 1), thread_name_prefix="pull") as threads:
        for done in [threads.submit(job.run) for job in jobs]:
            done.result()
