"""A worker that cannot be started: a run that ends gives it up, one that lasts does not."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from collector.app.backpressure import SpoolGate
from collector.app.health import Board
from collector.app.inspection import COLLECTOR
from collector.app.outcome import COMPLETE, INTERNAL, PARTIAL, Outcome
from collector.app.worker_processes import DIED, WorkerContext, WorkerProcess
from collector.core.gate import Marks
from collector.core.workers import ONE_SHOT_STARTS
from tests.fakes.clock import ManualClock
from tests.fakes.health import MemoryHealth
from tests.fakes.log import MemoryLog
from tests.fakes.pulls import START

LIMIT = 10.0
"""Real seconds after which a thread that should have ended is a failed test."""


class StoppingClock(ManualClock):
    """Asks the program to stop once so many seconds have passed."""

    def __init__(self, seconds: float) -> None:
        """Begin now."""
        super().__init__(START)
        self._seconds = seconds

    def sleep(self, seconds: float) -> bool:
        """Wait, and stop when it is time."""
        super().sleep(seconds)
        if self.monotonic() >= self._seconds:
            self.stop()
        return self.stopping()


class Site:
    """One worker with all that it shares with others."""

    def __init__(self, command: Sequence[str], clock: ManualClock, *, once: bool) -> None:
        """Start it."""
        self.clock = clock
        self.outcome = Outcome()
        self.board = Board(MemoryHealth(), clock)
        self.board.begin(COLLECTOR)
        context = WorkerContext(
            command=command,
            epoch="1",
            once=once,
            digest="",
            clock=clock,
            outcome=self.outcome,
            board=self.board,
            gate=SpoolGate(lambda: 0, Marks(100), clock, MemoryLog()),
            stop=clock.stop,
        )
        self.worker = WorkerProcess(1, ["pod#message"], context)
        self.worker.start()


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    """Everything that is told."""
    caplog.set_level(logging.INFO, logger="collector")


def test_a_run_that_ends_gives_it_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After a few tries, with the exit code of an internal error."""
    site = Site([str(tmp_path / "absent")], ManualClock(START), once=True)
    assert site.worker.ended(LIMIT)
    assert site.outcome.exit_code() == INTERNAL
    assert 0 < site.clock.monotonic() < 60
    told = [text for text in caplog.messages if "could not be started" in text]
    assert len(told) == ONE_SHOT_STARTS
    assert told[-1] == (
        "worker 1 could not be started (No such file or directory); "
        "its sources wait for the next run"
    )


def test_a_run_that_ends_and_is_stopped(tmp_path: Path) -> None:
    """While it waits for the next try: that is an interruption, and no defect."""
    site = Site([str(tmp_path / "absent")], StoppingClock(1.0), once=True)
    assert site.worker.ended(LIMIT)
    assert site.outcome.exit_code() == PARTIAL


def test_a_run_that_lasts_tries_for_ever(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each time a line that says so, and health that does."""
    site = Site([str(tmp_path / "absent")], StoppingClock(3600.0), once=False)
    assert site.worker.ended(LIMIT)
    told = [text for text in caplog.messages if "could not be started" in text]
    assert len(told) > 10 * ONE_SHOT_STARTS
    assert "it is started again in 60.0 seconds" in told[-1]
    assert [each.fault.number for each in site.board.health(COLLECTOR).events] == [DIED]
    assert site.outcome.fatal() is None
    assert site.outcome.exit_code() == COMPLETE
