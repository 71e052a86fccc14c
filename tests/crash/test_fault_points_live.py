"""The fault points that a live session passes: what it loses in a fall, the archive gives back.

One thread plays everything: between two reads of the session the files are written.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from collector.core import fault
from collector.core.model import Micros
from collector.core.times import HOUR, SECOND
from tests.fakes.crashes import (
    Crash,
    Moment,
    PausingClock,
    Site,
    judged,
    never_ahead,
    started,
)
from tests.fakes.pod_run import streaming
from tests.fakes.pod_vendor import PodVendor
from tests.fakes.troubles import DELAY_SECONDS, NTH, failing, nth

START: Micros = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""
VENDOR = PodVendor(START, START + 3 * HOUR, 300 * SECOND)
LASTS = 7 * HOUR
"""How long a process runs: the archive gives an hour only when it is over for an hour."""
POINTS = (
    *("page.parse", "dedup.check", "event.flatten"),
    *("tx.begin", "tx.spool", "tx.dedup", "tx.checkpoint", "tx.commit.before", "tx.commit.after"),
)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """How often each point is passed when nothing goes wrong."""
    moment = Moment("none", 1, lambda: None)
    site = Site(tmp_path_factory.mktemp("calm"))
    with fault.planned(moment):
        life(site, PausingClock(START))
    judged(site, VENDOR.truth())
    return moment.hits


@pytest.mark.parametrize("which", NTH)
@pytest.mark.parametrize("name", POINTS)
def test_crash(name: str, which: str, calm: Counter[str], quick_path: Path) -> None:
    """The process is gone in the middle of a session: the next one loses and doubles nothing."""
    site, clock = Site(quick_path / "site"), PausingClock(START)
    left: list[Site] = []

    def crash() -> None:
        left.append(site.left_behind())
        raise Crash

    with fault.planned(Moment(name, nth(which, calm[name]), crash)), pytest.raises(Crash):
        life(site, clock)
    clock.go_on()
    life(left[0], clock)
    judged(left[0], VENDOR.truth())


@pytest.mark.parametrize("which", NTH)
@pytest.mark.parametrize("name", POINTS)
def test_error(name: str, which: str, calm: Counter[str], quick_path: Path) -> None:
    """The step fails: the next session goes on."""
    survives(Moment(name, nth(which, calm[name]), failing(name)), PausingClock(START), quick_path)


@pytest.mark.parametrize("which", NTH)
@pytest.mark.parametrize("name", POINTS)
def test_delay(name: str, which: str, calm: Counter[str], quick_path: Path) -> None:
    """Two hours pass in the middle of the step, longer than the server remembers a session."""
    clock = PausingClock(START)
    stall = partial(clock.advance, DELAY_SECONDS)
    survives(Moment(name, nth(which, calm[name]), stall), clock, quick_path)


def survives(moment: Moment, clock: PausingClock, folder: Path) -> None:
    """A run in which something goes wrong, and a restart after it, do all there is to do."""
    site = Site(folder / "site")
    with fault.planned(moment):
        life(site, clock)
    assert moment.came
    life(site, clock)
    judged(site, VENDOR.truth())


def life(site: Site, clock: PausingClock) -> None:
    """One process, for some hours."""
    until = clock.now() + LASTS
    with started(site, clock) as run:
        never_ahead(site, run, VENDOR.truth())
        streamer = streaming(run, VENDOR, START)

        def between() -> None:
            run.deliver()
            if clock.now() >= until:
                clock.stop()

        VENDOR.between = between
        while not clock.stopping():
            streamer.run()
        clock.go_on()
        run.deliver()
