"""Jobs under the scheduler: at once, again and again, never two at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.app import heartbeat
from collector.app.jobs import Schedule
from collector.clock import SystemClock
from collector.core.times import SECOND
from tests.fakes.stores import START


@contextmanager
def running(*calls: tuple[float, object], at_once: bool = True) -> Iterator[None]:
    """A schedule that makes these calls."""
    schedule = Schedule([], SystemClock(speed=1000))
    for seconds, call in calls:
        assert callable(call)
        schedule.every(seconds, call, at_once=at_once)
    schedule.start()
    try:
        yield
    finally:
        schedule.shut_down()


def test_a_call_is_made_at_once_and_again() -> None:
    """By the seconds of the clock, which here runs a thousand times faster."""
    three = threading.Semaphore(0)
    with running((50, three.release)):
        assert all(three.acquire(timeout=20) for _ in range(3))


def test_a_first_call_can_wait_for_its_period() -> None:
    """Statistics have nothing to say at the start."""
    called = threading.Event()
    with running((10_000_000, called.set), at_once=False):
        assert not called.wait(0.2)


def test_a_long_call_is_not_doubled() -> None:
    """Runs that fall due meanwhile are skipped, and others go on beside it."""
    inside, most = 0, 0
    go, others = threading.Event(), threading.Semaphore(0)

    def long() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        go.wait(20)
        inside -= 1

    with running((10, long), (10, others.release)):
        assert all(others.acquire(timeout=20) for _ in range(10))
        assert (inside, most) == (1, 1)
        go.set()


def test_a_call_that_raises_is_made_again() -> None:
    """Housekeeping that failed does not end."""
    three = threading.Semaphore(0)

    def fail() -> None:
        three.release()
        raise ValueError("housekeeping")

    with running((50, fail)):
        assert all(three.acquire(timeout=20) for _ in range(3))


def test_a_heartbeat_is_fresh_for_a_while(tmp_path: Path) -> None:
    """Then a collector that hangs is no longer healthy."""
    heartbeat.beat(tmp_path, START)
    assert heartbeat.alive(tmp_path, START) == 0
    assert heartbeat.alive(tmp_path, START + 30 * SECOND) == 30
    assert heartbeat.alive(tmp_path, START + 89 * SECOND) == 89
    assert heartbeat.alive(tmp_path, START + 90 * SECOND) is None


def test_a_heartbeat_of_the_future_is_fresh(tmp_path: Path) -> None:
    """The clock may have been set back a little; a sign is a sign."""
    heartbeat.beat(tmp_path, START + SECOND)
    assert heartbeat.alive(tmp_path, START) is not None


def test_a_heartbeat_far_in_the_future_says_nothing(tmp_path: Path) -> None:
    """It would look fresh for years, whether the collector lives or not."""
    heartbeat.beat(tmp_path, START + 1_000_000 * SECOND)
    assert heartbeat.alive(tmp_path, START) is None


def test_a_collector_at_rest_is_not_alive(tmp_path: Path) -> None:
    """It takes its sign away, also when there is none."""
    heartbeat.rest(tmp_path)
    heartbeat.beat(tmp_path, START)
    heartbeat.rest(tmp_path)
    assert heartbeat.alive(tmp_path, START) is None


@pytest.mark.parametrize("text", ["", "soon", "1e9", "\x00"])
def test_a_heartbeat_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    """It is no sign of life, and no error: a half-written file is normal."""
    (tmp_path / "heartbeat").write_text(text)
    assert heartbeat.alive(tmp_path, START) is None
