"""The sessions of one PoD input: no more an hour than its settings allow."""

from __future__ import annotations

import pytest

from collector.app.sessions import Allowance
from collector.errors import Stopped
from tests.fakes.clock import ManualClock
from tests.fakes.config import changed, settings
from tests.fakes.log import MemoryLog
from tests.fakes.pulls import START


def test_the_next_session_waits_for_the_hour() -> None:
    """Three an hour: the fourth is opened an hour after the first, and the log says why."""
    clock, log = ManualClock(START), MemoryLog()
    allowance = Allowance(3, clock, log)
    for _ in range(3):
        allowance.wait()
        clock.advance(60)
    assert log.lines == []
    allowance.wait()
    assert clock.monotonic() == 3600
    (told,) = log.texts("INFO")
    assert "3420 seconds" in told
    assert "rate.sessions_per_hour" in told


def test_a_stop_ends_the_wait() -> None:
    """The program need not wait for the hour."""
    clock = ManualClock(START)
    allowance = Allowance(1, clock, MemoryLog())
    allowance.wait()
    clock.stop()
    with pytest.raises(Stopped):
        allowance.wait()


def test_the_default_is_bounded() -> None:
    """A thousand an hour for all services of an input: a month of three takes three hours."""
    pod = settings(changed("inputs.pod.rate", {})).inputs["pod"]
    assert getattr(pod, "rate").sessions_per_hour == 1000  # noqa: B009 - a union of inputs
