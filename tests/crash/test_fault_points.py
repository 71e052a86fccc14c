"""Every named fault point, with a crash, an error and a delay at its first, second and last time.

Then the collector is started on what is on the disk, and runs to the end.  One process
of the collector is one thread here: pulling, delivering and housekeeping in turn, so
that the n-th batch is the same one in every run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from collector.app.jobs import Job
from collector.core import fault
from collector.core.flatten import flattener
from collector.core.model import Micros
from collector.core.policy import Quota
from collector.core.times import HOUR, SECOND
from collector.pullers.casb_alerts import LIST_FIELD, AlertsSettings, casb_alerts
from collector.pullers.intake import Intake
from collector.setup.casb import CasbSetup
from collector.setup.keeper import Keeper
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.retry import Patience
from collector.wire.throttle import Throttle
from collector.wire.vendor import Calls, Vendor
from tests.fakes.casb_vendor import PAGE_SIZE, CasbVendor
from tests.fakes.crashes import (
    Crash,
    Moment,
    PausingClock,
    Run,
    Site,
    judged,
    never_ahead,
    started,
)
from tests.fakes.troubles import DELAY_SECONDS, ERRORS, NTH, failing, nth

START: Micros = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""
END = START + 4 * HOUR
ROUNDS = 6
POINTS = sorted(fault.POINTS)


@pytest.fixture(scope="module")
def vendor() -> Iterator[CasbVendor]:
    """A tenant with four hours of alerts."""
    with CasbVendor(START, END, 300 * SECOND) as running:
        yield running


@pytest.fixture(scope="module")
def calm(vendor: CasbVendor, tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """How often each point is passed when nothing goes wrong."""
    moment = Moment("none", 1, lambda: None)
    site = Site(tmp_path_factory.mktemp("calm"))
    with fault.planned(moment):
        life(site, vendor, PausingClock(START), rounds=ROUNDS)
    judged(site, vendor.truth())
    return moment.hits


def test_every_point_is_passed(calm: Counter[str]) -> None:
    """No point of the registry is out of reach, and each has a first, a second and a last time."""
    assert {name for name, times in calm.items() if times >= 3} == fault.POINTS == set(ERRORS)


def test_points_are_registered() -> None:
    """A point that the registry does not name is refused in a test."""
    with fault.planned(lambda _name: None), pytest.raises(LookupError):
        fault.point("tx.comit")


@pytest.mark.parametrize("which", NTH)
@pytest.mark.parametrize("name", POINTS)
def test_crash(
    name: str, which: str, calm: Counter[str], vendor: CasbVendor, quick_path: Path
) -> None:
    """The process is gone in the middle: the next one loses and doubles nothing."""
    site, clock = Site(quick_path / "site"), PausingClock(START)
    left: list[Site] = []

    def crash() -> None:
        left.append(site.left_behind())
        raise Crash

    moment = Moment(name, nth(which, calm[name]), crash)
    with fault.planned(moment), pytest.raises(Crash):
        life(site, vendor, clock, rounds=ROUNDS)
    clock.go_on()
    if name == "send.write.partial":
        left[0].tear(0.5)
    life(left[0], vendor, clock, rounds=ROUNDS)
    judged(left[0], vendor.truth())


@pytest.mark.parametrize("which", NTH)
@pytest.mark.parametrize("name", POINTS)
def test_error(
    name: str, which: str, calm: Counter[str], vendor: CasbVendor, quick_path: Path
) -> None:
    """The step fails: the same process goes on, and so does the next."""
    moment = Moment(name, nth(which, calm[name]), failing(name))
    survives(moment, vendor, PausingClock(START), quick_path)


@pytest.mark.parametrize("which", NTH)
@pytest.mark.parametrize("name", POINTS)
def test_delay(
    name: str, which: str, calm: Counter[str], vendor: CasbVendor, quick_path: Path
) -> None:
    """Two hours pass in the middle of the step: tokens expire, files come of age."""
    clock = PausingClock(START)
    stall = partial(clock.advance, DELAY_SECONDS)
    survives(Moment(name, nth(which, calm[name]), stall), vendor, clock, quick_path)


def survives(moment: Moment, vendor: CasbVendor, clock: PausingClock, folder: Path) -> None:
    """A run in which something goes wrong, and a restart after it, do all there is to do."""
    site = Site(folder / "site")
    with fault.planned(moment):
        life(site, vendor, clock, rounds=ROUNDS)
    assert moment.came
    life(site, vendor, clock, rounds=2)
    judged(site, vendor.truth())


def life(site: Site, vendor: CasbVendor, clock: PausingClock, rounds: int) -> None:
    """One process: an hour between the rounds."""
    vendor.clock = clock
    with started(site, clock) as run, closing(HttpWire(HttpLimits())) as http:
        never_ahead(site, run, vendor.truth())
        intake, job = alerts(run, vendor, http)
        for _ in range(rounds):
            clock.advance(3600.0)
            job.run()
            run.deliver()
            run.keep_house(intake)


def alerts(run: Run, vendor: CasbVendor, http: HttpWire) -> tuple[Intake, Job]:
    """The alerts service, from the wire to the store."""
    source = casb_alerts(
        AlertsSettings(
            url=f"{vendor.url}/v1/alerts",
            tag="casb.alerts",
            records=flattener("split", LIST_FIELD),
            page_size=PAGE_SIZE,
        )
    )
    throttle = Throttle("tenant", Quota(per_day=0, min_interval=0), run.store, run.clock)
    retried = frozenset({500})
    calls = Calls(http, throttle, Patience(), run.clock, run.rng, retry_statuses=retried)
    setup = CasbSetup(
        url=f"{vendor.url}/v1/auth", api_key="key", client_id="id", client_secret="secret"
    )
    keeper = Keeper(setup, calls.send, run.clock)
    intake = run.intake(source, START)
    puller = run.puller(source, Vendor(calls, setup, keeper).fetch, intake)
    return intake, run.job(keeper.token, puller.pull, intake)
