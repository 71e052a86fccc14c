"""When pulling pauses and goes on: the gate over the size of the spool."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector.app.backpressure import SpoolGate
from collector.core.gate import OPEN, Marks
from collector.errors import Undelivered
from tests.fakes.clock import ManualClock
from tests.fakes.log import MemoryLog

LIMIT = 1000
SHUT, OPENED = 950, 900


class Bench:
    """A gate over sizes that a test names; each is what one more look finds, the last one stays."""

    def __init__(self, *sizes: int, patience: float | None = None) -> None:
        self.clock = ManualClock(0)
        self.log = MemoryLog()
        self.sizes: Iterator[int] = iter(sizes)
        self.size = 0
        self.gate = SpoolGate(self._look, Marks(LIMIT), self.clock, self.log, patience)

    def _look(self) -> int:
        self.size = next(self.sizes, self.size)
        return self.size


def test_marks() -> None:
    """A twentieth is kept for what is under way; a tenth must be free to go on."""
    assert (Marks(LIMIT).shut, Marks(LIMIT).opened) == (SHUT, OPENED)


def test_a_spool_without_a_limit_never_holds_anybody_up() -> None:
    """The gate that is always open."""
    assert OPEN.wait()
    assert OPEN.wait(0.0)


def test_room_lets_pass_at_once() -> None:
    """Below the mark nobody waits and nothing is logged."""
    bench = Bench(SHUT - 1)
    assert bench.gate.wait()
    assert bench.clock.monotonic() == 0
    assert (bench.gate.paused, bench.gate.paused_seconds, bench.log.lines) == (False, 0.0, [])


def test_a_full_spool_holds_up_until_a_tenth_is_free() -> None:
    """Not before: between the marks a pause goes on."""
    bench = Bench(SHUT, SHUT - 1, OPENED + 1, OPENED)
    assert bench.gate.wait()
    assert bench.clock.monotonic() == 3
    assert not bench.gate.paused
    assert bench.gate.paused_seconds == 3


def test_between_the_marks_pulling_goes_on_when_it_was_not_paused() -> None:
    """The lower mark counts only for the end of a pause."""
    assert Bench(OPENED + 1).gate.wait(0.0)


def test_a_pause_is_told_once_with_what_to_do() -> None:
    """One warning and one line when it is over, however many ask meanwhile."""
    bench = Bench(*[SHUT] * 10, 0)
    for _ in range(3):
        assert not bench.gate.wait(2.0)
    assert bench.gate.paused
    assert bench.gate.wait()
    (warning,) = bench.log.texts("WARNING")
    assert "Pulling is paused" in warning
    assert "globals.spool.max_bytes" in warning
    (told,) = bench.log.texts("INFO")
    assert "goes on" in told


def test_what_fits_is_admitted_up_to_the_last_byte() -> None:
    """The limit is for the bytes that wait and those that are just being committed."""
    bench = Bench(400)
    with bench.gate.admitted(500) as first, bench.gate.admitted(100) as second:
        assert (first, second) == (True, True)
        with bench.gate.admitted(1) as third:
            assert not third
    with bench.gate.admitted(600) as again:
        assert again


def test_a_page_that_does_not_fit_waits_for_its_own_room() -> None:
    """Also where a tenth is free, but less than it needs."""
    bench = Bench(800, 800, 701, 700)
    with bench.gate.admitted(300) as fits:
        assert not fits
    assert bench.gate.paused
    assert bench.gate.wait()
    assert bench.clock.monotonic() == 2
    with bench.gate.admitted(300) as fits:
        assert fits


def test_a_page_over_the_limit_is_admitted_to_an_empty_spool() -> None:
    """It would wait for ever; what follows waits for it."""
    bench = Bench(1, 1, 0)
    with bench.gate.admitted(LIMIT + 1) as fits:
        assert not fits
    assert bench.gate.wait()
    with bench.gate.admitted(LIMIT + 1) as fits, bench.gate.admitted(1) as other:
        assert (fits, other) == (True, False)


def test_a_commit_that_fails_gives_its_room_back() -> None:
    """What was promised and not used is free again."""
    bench = Bench(0)
    with pytest.raises(OSError, match="disk"), bench.gate.admitted(LIMIT):
        raise OSError("disk")
    with bench.gate.admitted(LIMIT) as fits:
        assert fits


def test_a_stop_ends_the_wait() -> None:
    """Whoever waits is told that there is no room."""
    bench = Bench(LIMIT)
    bench.clock.stop()
    assert not bench.gate.wait()
    assert bench.clock.monotonic() == 0


def test_a_lasting_run_waits_for_ever() -> None:
    """A day without any progress is no reason to give up."""
    bench = Bench(*[LIMIT] * 86_400, 0)
    assert bench.gate.wait()
    assert bench.gate.paused_seconds >= 86_399


def test_a_one_shot_run_gives_up_without_progress() -> None:
    """After its patience, with the code of an output that does not take its records."""
    bench = Bench(LIMIT, patience=120.0)
    with pytest.raises(Undelivered, match=r"640.*max_bytes") as raised:
        bench.gate.wait()
    assert raised.value.exit_code == 6
    assert bench.clock.monotonic() == pytest.approx(121)


def test_progress_renews_the_patience_of_a_one_shot_run() -> None:
    """A slow output is waited for as long as it takes something."""
    slowly = [size for size in range(LIMIT, OPENED - 1, -1) for _ in range(100)]
    bench = Bench(*slowly, patience=120.0)
    assert bench.gate.wait()
    assert bench.clock.monotonic() > 9_000
