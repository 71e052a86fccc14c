"""The judges of the soak: they see what is lost, doubled, late and growing."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from collector.core.times import SECOND
from collector.demo.judge import Verdict
from collector.simulator.options import POD_SERVICES, SERVICES
from tests.fakes.deliveries import Deliveries
from tests.fakes.tiers import KILLS
from tests.soak import report
from tests.soak.child import Weight
from tests.soak.plan import planned
from tests.soak.report import Lag, Memory, Report

START = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""


def line(name: str, mode: str = "live", index: int = 0) -> bytes:
    """A delivered audit record, an hour after the start, observed a minute later."""
    about = {
        "service": "audit",
        "mode": mode,
        "record_index": index,
        "event_time": "2026-01-01T01:00:00Z",
        "observed_time": "2026-01-01T01:01:00Z",
    }
    return json.dumps({"guid": name, "@collector": about}).encode()


def verdict(emitted: int, delivered: int, lost: int, duplicates: int) -> Verdict:
    """The verdict on the audit service."""
    return Verdict(
        service="audit", emitted=emitted, delivered=delivered, lost=lost, duplicates=duplicates
    )


def test_lost_and_doubled_records_are_seen() -> None:
    """One of three is missing, one line of the two parts of another came twice."""
    found = Deliveries()
    for each in (line("a"), line("b"), line("b", index=1), line("b", index=1)):
        found.add(each)
    assert found.verdict("audit", {"a", "b", "c"}) == verdict(3, 2, 1, 1)


def test_lag_is_that_of_live_records_since_a_moment() -> None:
    """Archive records and earlier arrivals do not count."""
    found = Deliveries()
    for seconds in range(200):
        found.add(line(str(seconds)), START + (3600 + seconds) * SECOND)
        found.add(line(f"a{seconds}", "archive"), START + 9999 * SECOND)
    lag = report.lag(found, START + 3700 * SECOND)
    assert lag is not None
    assert (round(lag.p50), round(lag.p99)) == (150, 199)
    assert report.lag(found, START + 3750 * SECOND) is None


def test_memory_slope_is_that_of_the_steady_part() -> None:
    """The warm-up grows fast, then half a MiB an hour is left."""
    warming = [Weight(at, at) for at in range(100)]
    steady = [Weight(at, 60 + 0.5 * at / 3600) for at in range(100, 400)]
    found = report.memory([*warming, *steady], since=100, speed=10)
    assert found is not None
    assert (found.slope, found.slope_of_clock) == pytest.approx((0.5, 0.05))
    assert found.seconds == 299
    assert report.memory(steady[:30], since=100, speed=10) is None


@pytest.mark.parametrize(
    ("flaw", "good"),
    [
        ({}, True),
        ({"outputs": {"file": [verdict(2, 1, 1, 0)]}}, False),
        ({"outputs": {"file": [verdict(2, 2, 0, 1)]}}, False),
        ({"gaps_exit_code": 8}, False),
        ({"settled": False}, False),
        ({"failures": 1}, False),
        ({"defects": 1}, False),
    ],
)
def test_every_flaw_fails_the_soak(flaw: dict[str, Any], *, good: bool) -> None:
    """Lost, doubled, a gap, unsettled, a process that failed, a defect: each alone is enough."""
    clean = Report(
        seed=1,
        minutes=10.0,
        hours=10.0,
        kills=83,
        stops=8,
        faults=70,
        outages=5,
        repeats_dropped=3,
        failures=0,
        defects=0,
        settled=True,
        gaps_exit_code=0,
        lag={"file": Lag(1.0, 2.0)},
        lag_in_calm={"file": None},
        memory=Memory(60.0, 0.1, 0.001, 180.0),
        outputs={"file": [verdict(2, 2, 0, 0)]},
    )
    assert msgspec.structs.replace(clean, **flaw).good() is good


def test_a_seed_gives_one_plan() -> None:
    """The same seed, the same faults and happenings at the same moments; another, others."""
    one, again, other = planned(1, 60), planned(1, 60), planned(2, 60)
    assert (one.faults, one.happenings) == (again.faults, again.happenings)
    assert one.happenings != other.happenings
    assert sum(each.what == "kill" for each in one.happenings) == KILLS["soak"]


def test_a_storm_brings_every_kind_of_fault() -> None:
    """All actions and all services; no archive hour is called whole that is not."""
    faults = planned(1, 60).faults
    assert {each.service for each in faults} == {"auth", *SERVICES}
    assert {each.action for each in faults} == {
        *("status", "slow", "cut_body", "html_body", "expire_tokens", "refuse_cursor"),
        *("reset", "eof", "close", "stall"),
    }
    orderly = [each for each in faults if each.action == "close" and each.close_code < 1002]
    assert {each.mode for each in orderly} <= {"live"}
    assert all(each.service in POD_SERVICES for each in orderly)
