"""``collector backfill`` on a machine that never collected, and what its exit code says."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collector.clock import SystemClock
from collector.core import times
from collector.core.times import DAY, HOUR
from collector.demo.judge import good, judge
from collector.persistence.sqlite import SqliteStore
from collector.simulator import QUIET, Fault, Simulator, SimulatorOptions
from collector.simulator.options import POD_SERVICES
from tests.fakes.processes import PATIENCE, ROOT, Site, document, history

HOURS = 6


RECORDS = 60
REFUSED = [Fault(service="message", action="status", status=401, count=1000)]


@pytest.fixture
def options() -> SimulatorOptions:
    """Six quiet hours."""
    return history(HOURS, RECORDS, QUIET, alert_burst=0)


@pytest.fixture
def vendor(options: SimulatorOptions) -> Iterator[Simulator]:
    """A vendor of that history."""
    with Simulator(options, SystemClock()) as simulator:
        yield simulator


@pytest.fixture
def site(tmp_path: Path, vendor: Simulator, options: SimulatorOptions) -> Site:
    """An installation that has collected nothing yet."""
    return Site(tmp_path, document(tmp_path, vendor, options))


def collector(site: Site, *words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    """A command of the collector, to its end."""
    command = [*site.command(words[0])[:3], *words, "--config", str(site.config)]
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        input=answer,
        timeout=PATIENCE,
        check=False,
    )


def span(options: SimulatorOptions, first: int, last: int) -> tuple[str, ...]:
    """``--from`` and ``--to`` for the hours from ``first`` to ``last`` of the history."""
    begin, end = (times.isoformat(options.history_start + each * HOUR) for each in (first, last))
    return ("--from", begin, "--to", end)


def state_of(site: Site, source: str) -> dict[str, Any]:
    """What is stored of one source."""
    (found,) = [row.state for row in site.report().services if row.source == source]
    return found


def test_on_a_new_machine(site: Site, vendor: Simulator, options: SimulatorOptions) -> None:
    """The plan, the question, the hours and no others; then a run brings the rest, once."""
    words = ("backfill", "--input", "pod", "--service", "message", *span(options, 2, 4))
    planned = collector(site, *words, "--plan")
    assert planned.returncode == 0, planned.stderr
    refused = collector(site, *words, answer="n\n")
    assert refused.returncode == 8
    assert "holds no state yet" in refused.stderr
    assert not site.state.exists()
    assert vendor.truth.sessions == []
    filled = collector(site, *words, answer="y\n")
    assert filled.returncode == 0, filled.stderr
    assert "2 of 2 hours are complete" in filled.stderr
    (records,) = site.records().values()
    assert 0 < records.count(b"\n") < RECORDS
    assert len(vendor.truth.sessions) == 2
    assert site.run("--once") == 0, site.log
    assert good(judge(vendor.truth, site.out))
    due = HOURS + 1  # the hour after the history is due too, and empty
    assert Counter(each.service for each in vendor.truth.sessions) == dict.fromkeys(
        POD_SERVICES, due
    )


def test_hours_of_every_kind_of_service(
    site: Site, vendor: Simulator, options: SimulatorOptions
) -> None:
    """Windows and cursors stay where they were: what lies before the hours is not skipped."""
    filled = collector(site, "backfill", *span(options, 3, 5), "--yes")
    assert filled.returncode == 0, filled.stderr
    assert len(site.records()) == 5
    start = times.isoformat(options.history_start)
    assert {row.complete_until for row in site.report().services} == {start}
    assert site.run("--once") == 0, site.log
    assert good(judge(vendor.truth, site.out))


def test_without_a_configured_start(site: Site, options: SimulatorOptions) -> None:
    """The service begins where its first run would have: seven days ago; and it is recorded."""
    for each in site.document["inputs"]["pod"]["services"].values():
        del each["initial_start_time_in_utc"]
    before = SystemClock().now()
    words = ("backfill", "--service", "audit", *span(options, 0, 1), "--yes")
    assert collector(site, *words).returncode == 0
    start = times.parse(state_of(site, "pod#audit")["initial_start_time_in_utc"])
    assert 0 <= start - (before - 7 * DAY) < HOUR
    words = ("run", "--once", "--service", "audit")
    assert collector(site, *words).returncode == 0
    assert state_of(site, "pod#audit")["initial_start_time_in_utc"] == times.isoformat(start)


@pytest.mark.parametrize("service", ["alerts", "events"])
def test_what_was_delivered_long_ago_is_not_delivered_again(tmp_path: Path, service: str) -> None:
    """Hours before the start are filled, and those after it verified, though no id is kept."""
    options = history(HOURS, 240, {**QUIET, "missing_time_rate": 0.05}, alert_burst=0)
    with Simulator(options, SystemClock()) as vendor:
        site = Site(tmp_path, document(tmp_path, vendor, options))
        casb = site.document["inputs"]["casb"]
        casb["services"] = {service: casb["services"][service]}
        del site.document["inputs"]["pod"]
        start = times.isoformat(options.history_start + 2 * HOUR)
        casb["services"][service]["initial_start_time_in_utc"] = start
        assert site.run("--once") == 0, site.log
        long_after = SystemClock().now() + HOUR
        with closing(SqliteStore.open(site.state, SystemClock())) as store:
            store.forget(f"casb#{service}", long_after, long_after // HOUR)
        assert collector(site, "backfill", *span(options, 1, 2), "--yes").returncode == 0
        again = collector(site, "ledger", "verify", *span(options, 1, HOURS), "--yes")
        assert again.returncode == 0, again.stderr
        (verdict,) = (each for each in judge(vendor.truth, site.out) if each.service == service)
    assert verdict.duplicates == 0
    assert verdict.lost == 240 // HOURS


def test_a_set_aside_state_is_not_replaced(site: Site, options: SimulatorOptions) -> None:
    """No command makes an empty state in the place of a damaged one, nor plans as if it did."""
    site.state.mkdir()
    (site.state / "collector.db.damaged-20260101T000000Z").touch()
    for words in ("--plan",), ("--yes",):
        refused = collector(site, "backfill", *span(options, 0, 1), *words)
        assert refused.returncode == 7
        assert "the state was damaged and is kept as" in refused.stderr
    site.document["globals"]["persistence"]["config"]["on_damage"] = "start_anew"
    filled = collector(site, "backfill", "--service", "audit", *span(options, 0, 1), "--yes")
    assert filled.returncode == 0, filled.stderr


def test_the_state_of_another_collector(
    site: Site, vendor: Simulator, options: SimulatorOptions
) -> None:
    """One that runs for the first time at that moment owns the folder: 7, and nothing is asked.

    Neither the vendor nor the person; a plan alone is shown.
    """
    with closing(SqliteStore.open(site.state, SystemClock())):
        refused = collector(site, "backfill", *span(options, 0, 1), answer="y\n")
        planned = collector(site, "backfill", *span(options, 0, 1), "--plan")
    assert refused.returncode == 7
    assert "another collector" in refused.stderr
    assert "stop it first" in refused.stderr
    assert "hours to read" not in refused.stderr
    assert "?" not in refused.stdout
    assert planned.returncode == 0, planned.stderr
    assert "hours to read" in " ".join(planned.stderr.split())
    assert vendor.truth.sessions == []


def test_hours_that_settle_are_no_failure(tmp_path: Path) -> None:
    """As for ``ledger show --gaps``: they are named, with when they are read once more."""
    options = history(4, 0, QUIET, alert_burst=0)
    with Simulator(options, SystemClock()) as vendor:
        site = Site(tmp_path, document(tmp_path, vendor, options))
        words = ("backfill", "--service", "maillog", *span(options, 0, 3), "--yes")
        filled = collector(site, *words)
    assert filled.returncode == 0, filled.stderr
    assert "0 of 3 hours are complete" in filled.stderr
    assert "3 hours settle: they held no records, or far fewer than usual." in filled.stderr
    shown = collector(site, "ledger", "show", "--gaps", "--service", "maillog")
    assert shown.returncode == 0, shown.stdout


def test_hours_that_are_too_new_are_told(site: Site) -> None:
    """With the moment from which on they can be read; they are no failure either."""
    now = SystemClock().now()
    end = times.ceil_hour(now)
    begin = times.isoformat(end - HOUR)
    told = collector(site, "backfill", "--service", "audit", "--from", begin, "--yes")
    assert told.returncode == 0
    ready = times.isoformat(end + HOUR)[:16]
    assert "Too new: 1 hour of pod#audit; the last can be read" in told.stderr
    assert f"from {ready}Z on" in told.stderr


def test_hours_that_could_not_be_read_are_a_failure(
    tmp_path: Path, options: SimulatorOptions
) -> None:
    """One service is done, the other was refused: partial."""
    words = ("--service", "message", "--service", "audit")
    with Simulator(options, SystemClock(), REFUSED) as vendor:
        site = Site(tmp_path, document(tmp_path, vendor, options))
        filled = collector(site, "backfill", *words, *span(options, 0, 2), "--yes")
    assert filled.returncode == 8, filled.stderr
    assert "2 of 4 hours are complete" in filled.stderr


def test_one_of_two_inputs(site: Site, options: SimulatorOptions) -> None:
    """Only what was asked for is read where two inputs have services of the same names."""
    inputs = site.document["inputs"]
    inputs["other"] = {**inputs["pod"], "credentials": {**inputs["pod"]["credentials"]}}
    inputs["other"]["credentials"]["token"] = "another-token"
    filled = collector(site, "backfill", "--input", "pod", *span(options, 0, 1), "--yes")
    assert filled.returncode == 0, filled.stderr
    assert {row.source for row in site.report().services} == {
        f"pod#{service}" for service in POD_SERVICES
    }
