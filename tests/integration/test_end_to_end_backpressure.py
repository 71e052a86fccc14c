"""A spool that is full: pulling pauses, nothing is lost, and it goes on by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.demo.judge import judge
from collector.simulator import QUIET, Simulator
from tests.fakes.processes import PATIENCE, ROOT, Site, document, eventually, history, unfinished

LIMIT = 1024 * 1024
OPTIONS = history(6, 2_000, QUIET)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A vendor with more records than the spool can hold."""
    with Simulator(OPTIONS, SystemClock()) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, simulator: Simulator) -> Site:
    """A site with a small spool, whose output cannot write: a file stands where its folder was."""
    made = Site(tmp_path, document(tmp_path, simulator, OPTIONS))
    made.document["globals"] |= {
        "spool": {"max_bytes": LIMIT},
        "stall_limit_in_seconds": 2.0,
        "batch": {"max_records": 50},
    }
    made.document["outputs"]["archive"]["max_retry_wait_in_seconds"] = 0.5
    made.out.touch()
    return made


def shown(site: Site) -> dict[str, object]:
    """What ``collector state show --json`` says."""
    command = [*site.command("state")[:3], "state", "show", "--json", "--config", str(site.config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_one_shot_run_ends_with_a_full_spool(site: Site, simulator: Simulator) -> None:
    """Exit 6 instead of a hang; the next runs deliver the rest, and nothing is lost."""
    assert site.run("--once") == 6, site.log
    assert "640" in site.log
    assert 0 < site.report().spool_bytes <= LIMIT
    site.out.unlink()
    assert site.run("--once") == 0, site.log
    assert unfinished(judge(simulator.truth, site.out)) == []
    assert site.report().spool_bytes == 0
    own = (site.out / "devo.collectors.out.ndjson").read_text(encoding="utf-8").splitlines()
    spool = [each for each in map(json.loads, own) if each["type"] == "spool_metrics"]
    assert {each["spool_max_bytes"] for each in spool} == {LIMIT}
    assert spool[-1]["pulling_paused"] is False


def test_pulling_pauses_and_goes_on(site: Site, simulator: Simulator) -> None:
    """The pause is told and shown, the bound is kept, and everything arrives afterwards."""
    with site.running() as process:
        eventually(lambda: "Pulling is paused" in site.log)
        state = shown(site)
        assert LIMIT * 0.8 <= int(str(state["spool_bytes"])) <= LIMIT
        assert state["spool_max_bytes"] == LIMIT
        site.out.unlink()
        eventually(lambda: not unfinished(judge(simulator.truth, site.out)))
        process.terminate()
        assert process.wait(10) == 0, site.log
    assert "Pulling goes on after a pause" in site.log


def test_a_stop_during_the_pause(site: Site, simulator: Simulator) -> None:
    """Exit 0 in time; the next run goes on from there."""
    with site.running() as process:
        eventually(lambda: "Pulling is paused" in site.log)
        process.terminate()
        assert process.wait(10) == 0, site.log
    assert site.report().spool_bytes <= LIMIT
    site.out.unlink()
    assert site.run("--once") == 0, site.log
    assert unfinished(judge(simulator.truth, site.out)) == []
