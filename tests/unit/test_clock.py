"""The system clock: virtual time, speed, and sleeps that a stop ends."""

from __future__ import annotations

import threading

import pytest
from freezegun import freeze_time

from collector.clock import SystemClock
from collector.core import times
from collector.core.model import Clock

NEW_YEAR = times.parse("2026-01-01T00:00:00Z")


def test_it_is_a_clock() -> None:
    """The product passes it wherever a clock is asked for."""
    clock: Clock = SystemClock()
    assert clock.stopping() is False


def test_plain_clock_follows_the_wall() -> None:
    """Without a start and at speed 1 the wall time is told, even after it was set anew."""
    with freeze_time("2026-01-01 00:00:00") as wall:
        clock = SystemClock()
        assert clock.now() == NEW_YEAR
        wall.move_to("2025-12-31 23:00:00")
        assert clock.now() == NEW_YEAR - times.HOUR


def test_virtual_clock_starts_where_told() -> None:
    """With a start, the wall time has no say."""
    with freeze_time("2030-06-01 00:00:00"):
        assert SystemClock(start=NEW_YEAR).now() == NEW_YEAR


def test_virtual_clock_runs_at_its_speed() -> None:
    """At speed 60 a real minute is an hour."""
    with freeze_time("2030-06-01 00:00:00") as wall:
        clock = SystemClock(start=NEW_YEAR, speed=60)
        before = clock.monotonic()
        wall.tick(60)
        assert clock.now() == NEW_YEAR + times.HOUR
        assert clock.monotonic() - before == pytest.approx(3600)


def test_fast_clock_starts_at_the_wall_time() -> None:
    """A speed without a start runs ahead from now."""
    with freeze_time("2026-01-01 00:00:00") as wall:
        clock = SystemClock(speed=2)
        wall.tick(1800)
        assert clock.now() == NEW_YEAR + times.HOUR


def test_real_seconds_are_shorter_on_a_fast_clock() -> None:
    """Socket time-outs are given in real seconds."""
    assert SystemClock(speed=60).real(3600) == 60


def test_sleep_ends_early_on_stop() -> None:
    """A sleep of a day returns as soon as the program stops, and says so."""
    clock = SystemClock()
    answers: list[bool] = []
    sleeper = threading.Thread(target=lambda: answers.append(clock.sleep(86_400)))
    sleeper.start()
    clock.stop()
    sleeper.join(timeout=30)
    assert answers == [True]
    assert clock.stopping()


def test_sleep_after_stop_does_not_begin() -> None:
    """Once stopping, the clock lets nobody wait."""
    clock = SystemClock()
    clock.stop()
    assert clock.sleep(86_400) is True


@pytest.mark.parametrize("seconds", [0, -1, 0.5])
def test_sleep_that_runs_its_course_reports_no_stop(seconds: float) -> None:
    """A wait that ended by itself, or was never positive, is not a stop."""
    assert SystemClock(speed=1000).sleep(seconds) is False


@pytest.mark.parametrize("speed", [0, -1.0])
def test_a_clock_cannot_stand_or_run_backwards(speed: float) -> None:
    """Zero would make sleeps endless."""
    with pytest.raises(ValueError, match="forwards"):
        SystemClock(speed=speed)
