"""The scheduler over a wall clock that jumps (rows 10 to 12 of the fault matrix).

The wall clock is freezegun's, which ticks on from wherever it is set; APScheduler waits
in real time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from freezegun import api, freeze_time

from collector.app.jobs import Schedule
from collector.clock import SystemClock

PERIOD = 0.05
"""Real seconds between two calls."""


class Counted:
    """A job that only counts, in a schedule."""

    def __init__(self) -> None:
        self.calls = 0
        self.schedule = Schedule([], SystemClock())
        self._called = threading.Semaphore(0)
        self._began = api.real_monotonic()

    def __call__(self) -> None:
        """A call of the scheduler."""
        self.calls += 1
        self._called.release()

    def wait_for(self, calls: int) -> None:
        """So many more calls; fails when they do not come."""
        assert all(self._called.acquire(timeout=20) for _ in range(calls))

    @property
    def most(self) -> float:
        """How many calls there may have been, one period apart each."""
        return (api.real_monotonic() - self._began) / PERIOD + 2


@contextmanager
def running() -> Iterator[Counted]:
    """A schedule with one job, over the wall clock as it is when it starts."""
    job = Counted()
    job.schedule.every(PERIOD, job)
    job.schedule.start()
    try:
        yield job
    finally:
        job.schedule.shut_down()


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("Europe/Madrid", "2026-03-29T00:59:59.8Z"),
        ("Europe/Madrid", "2026-10-25T00:59:59.8Z"),
        ("Australia/Lord_Howe", "2026-04-04T14:59:59.8Z"),
        ("Australia/Lord_Howe", "2026-10-03T15:29:59.8Z"),
        ("Africa/Casablanca", "2026-02-15T01:59:59.8Z"),
        ("Africa/Casablanca", "2026-03-22T01:59:59.8Z"),
    ],
)
def test_summer_time_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, zone: str, moment: str
) -> None:
    """Each interval once, in the hour that is missing and in the one that comes twice."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        with freeze_time(moment, tick=True), running() as job:
            job.wait_for(10)
            assert job.calls <= job.most
    finally:
        monkeypatch.undo()
        time.tzset()


def test_missed_runs_are_one_run() -> None:
    """The machine slept through a thousand of them."""
    with freeze_time("2026-01-01", tick=True) as wall, running() as job:
        job.wait_for(2)
        wall.tick(timedelta(seconds=1000 * PERIOD))
        job.wait_for(4)
        assert job.calls <= job.most


@pytest.mark.parametrize("back", [timedelta(hours=2), timedelta(days=56 * 365)])
def test_a_wall_clock_that_is_set_back(back: timedelta) -> None:
    """Nobody waits until it is again what it was."""
    with freeze_time("2026-01-01", tick=True) as wall, running() as job:
        job.wait_for(2)
        wall.tick(-back)
        job.schedule.follow_clock()
        job.wait_for(4)
        assert job.calls <= job.most


def test_a_wall_clock_that_stands_right_moves_nothing() -> None:
    """What is planned stays where it is, however often the clock is looked at."""
    with freeze_time("2026-01-01", tick=True), running() as job:
        for _ in range(4):
            job.schedule.follow_clock()
            job.wait_for(1)
        assert job.calls <= job.most
