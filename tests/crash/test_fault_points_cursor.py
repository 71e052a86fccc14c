"""The fault points of a commit whose page and whose position are one: the events' cursor.

A position that is durable without its page would lose the page for good, for nobody asks
for it again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from collector.core import fault, times
from collector.core.flatten import flattener
from collector.core.model import Micros, Request, Response
from collector.core.times import HOUR, SECOND
from collector.pullers.casb_events import EventsSettings, casb_events
from tests.fakes.crashes import (
    Crash,
    Moment,
    PausingClock,
    Site,
    Truth,
    judged,
    never_ahead,
    started,
)
from tests.fakes.troubles import NTH, failing, nth

START: Micros = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""
MOMENTS = range(START, START + 3 * HOUR, 300 * SECOND)
TRUTH = Truth({f"e-{n}": moment for n, moment in enumerate(MOMENTS)}, len(MOMENTS), 0)
PAGE_SIZE = 5
ROUNDS = 5
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
    judged(site, TRUTH)
    return moment.hits


@pytest.mark.parametrize("which", NTH)
@pytest.mark.parametrize("name", POINTS)
def test_crash(name: str, which: str, calm: Counter[str], quick_path: Path) -> None:
    """The process is gone in the middle: no page is skipped by the next."""
    site, clock = Site(quick_path / "site"), PausingClock(START)
    left: list[Site] = []

    def crash() -> None:
        left.append(site.left_behind())
        raise Crash

    with fault.planned(Moment(name, nth(which, calm[name]), crash)), pytest.raises(Crash):
        life(site, clock)
    life(left[0], clock)
    judged(left[0], TRUTH)


@pytest.mark.parametrize("which", NTH)
@pytest.mark.parametrize("name", POINTS)
def test_error(name: str, which: str, calm: Counter[str], quick_path: Path) -> None:
    """The step fails: the same process skips no page."""
    site, clock = Site(quick_path / "site"), PausingClock(START)
    moment = Moment(name, nth(which, calm[name]), failing(name))
    with fault.planned(moment):
        life(site, clock)
    assert moment.came
    life(site, clock)
    judged(site, TRUTH)


def life(site: Site, clock: PausingClock) -> None:
    """One process: an hour between the rounds."""
    settings = EventsSettings(
        url="https://casb.example.com/v2/events", tag="casb.events", records=flattener("none", "")
    )
    source = casb_events(settings)
    with started(site, clock) as run:
        never_ahead(site, run, TRUTH)
        intake = run.intake(source, START)
        puller = run.puller(source, partial(answer, clock), intake)
        job = run.job(lambda: None, puller.pull, intake)
        for _ in range(ROUNDS):
            clock.advance(3600.0)
            job.run()
            run.deliver()


def answer(clock: PausingClock, request: Request) -> Iterator[Response]:
    """A page of events, oldest first; the cursor is the number of the event that comes next."""
    if "nextPage" in request.params:
        first = int(request.params["nextPage"])
    else:
        asked = times.parse(request.params["startTime"])
        first = sum(moment < asked for moment in MOMENTS)
    known = [n for n, moment in enumerate(MOMENTS) if n >= first and moment <= clock.now()]
    content = [
        {"eventId": f"e-{n}", "timestamp": times.isoformat(MOMENTS[n])} for n in known[:PAGE_SIZE]
    ]
    page = {"content": content, "nextPageToken": str(first + len(content))}
    yield Response(request=request, status=200, body=json.dumps(page).encode())
