"""Odd records end to end: delivered or kept aside, counted, and never the end of a session."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from collector.clock import SystemClock
from collector.core.times import HOUR, SECOND
from collector.demo.judge import judge
from collector.simulator import Simulator
from collector.simulator.options import POD_SERVICES, SERVICES
from tests.fakes.processes import (
    PATIENCE,
    Site,
    document,
    eventually,
    history,
    started,
    unfinished,
)

ODD = {
    "missing_id_rate": 0.05,
    "missing_time_rate": 0.05,
    "unreadable_time_rate": 0.05,
    "invalid_utf8_rate": 0.05,
    "control_characters_rate": 0.05,
    "huge_record_rate": 0.01,
    "odd_keys_rate": 0.1,
    "unparsable_rate": 0.1,
    "fragmented_rate": 0.1,
    "empty_message_rate": 0.1,
}
HOURS = 3


def kept_aside(simulator: Simulator) -> int:
    """How many records the vendor sent that nobody can read."""
    return sum(simulator.truth.unparsable(service) for service in SERVICES)


def test_archive(tmp_path: Path) -> None:
    """All are there; unreadable ones are kept aside; each hour took one session, not two."""
    options = history(HOURS, 600, ODD, archive_duplicate_rate=0.0)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        assert site.run("--once") == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []
        assert site.report().dead_letters == kept_aside(simulator) > 0
        sessions = Counter(each.service for each in simulator.truth.sessions)
    due = HOURS + 1  # the hour after the history is due too, and empty
    assert sessions == dict.fromkeys(POD_SERVICES, due)


def test_repeats(tmp_path: Path) -> None:
    """What the archive gives twice in an hour, and once more to ``verify``, is kept aside once."""
    options = history(HOURS, 200, {"unparsable_rate": 0.2}, archive_duplicate_rate=0.5)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        assert site.run("--once") == 0, site.log
        assert site.report().dead_letters == kept_aside(simulator) > 0
        with started(verifying(site), tmp_path / "log") as verify:
            assert verify.wait(PATIENCE) == 0, (tmp_path / "log").read_text()
        assert site.report().dead_letters == kept_aside(simulator)


def test_live(tmp_path: Path) -> None:
    """One session a service stays open through all of them, to its orderly end."""
    now = SystemClock().now()
    options = history(
        HOURS,
        600,
        ODD,
        history_start=now - 3000 * SECOND,  # less than the hour that a new live session gives
        history_end=now,
        rates=dict.fromkeys(POD_SERVICES, 720.0),
        duplicate_rate=0.0,
    )
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        for service in site.document["inputs"]["pod"]["services"].values():
            service["mode"] = "live"
        with site.running("--input", "pod") as process:
            expected = sum(len(simulator.truth.emitted(each, now + HOUR)) for each in SERVICES)
            eventually(lambda: delivered(site) >= expected)
            process.terminate()
            assert process.wait(10) == 0, site.log
        verdicts = judge(simulator.truth, site.out)
        assert site.report().dead_letters == kept_aside(simulator) > 0
    assert [each for each in verdicts if each.lost or each.duplicates] == []
    assert len(simulator.truth.sessions) == len(POD_SERVICES)
    assert [each.code for each in simulator.truth.ends] == [1000] * len(POD_SERVICES)


def verifying(site: Site) -> list[str]:
    """``collector ledger verify`` as a command."""
    return [*site.command("ledger")[:3], "ledger", "verify", "--yes", "--config", str(site.config)]


def delivered(site: Site) -> int:
    """How many lines stand in the files."""
    return sum(body.count(b"\n") for body in site.records().values())
