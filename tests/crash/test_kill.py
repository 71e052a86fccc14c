"""SIGKILL at random moments: nothing is lost, and the files hold nothing twice."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.demo.judge import judge
from collector.simulator import Fault, Simulator, SimulatorOptions
from tests.fakes.processes import Site, document, eventually, history, unfinished
from tests.fakes.tiers import kills, seeded

SLOW_PAGES = [
    Fault(service="alerts", action="slow", seconds=0.02, count=1_000_000),
    Fault(service="events", action="slow", seconds=0.02, count=1_000_000),
]
"""The vendor takes its time, so that a kill finds work under way."""


@pytest.mark.timeout(120 + 3 * kills())
def test_killed_runs_lose_nothing(tmp_path: Path) -> None:
    """As many kills as the tier asks for, each in the midst of work; then a run that may finish."""
    hours = kills() // 3
    kill_and_finish(tmp_path, history(hours, 500 * hours, archive_rate=500), kills(), latest=0.8)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_runs_lose_nothing_of_much(tmp_path: Path) -> None:
    """50 runs killed in the midst of 20,000 records a service, then one that may finish."""
    kill_and_finish(tmp_path, history(24, 20_000, archive_rate=600), 50, latest=2.4)


def kill_and_finish(folder: Path, options: SimulatorOptions, kills: int, latest: float) -> None:
    """Kill runs, at most so many real seconds after they began to work; then finish, and judge."""
    rng = seeded()
    with Simulator(options, SystemClock(), SLOW_PAGES) as simulator:
        site = Site(folder, document(folder, simulator, options))
        found_work = sum(killed(site, rng, latest) for _ in range(kills))
        print(f"{found_work} of {kills} runs were killed before they had finished")
        assert found_work > kills // 2
        assert site.run("--once") == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []


def killed(site: Site, rng: random.Random, latest: float) -> bool:
    """Kill a run at work, or now and then while it starts; False when it had finished before."""
    began = len(site.log)
    with site.running("--once") as process:
        if rng.random() < 0.8:
            eventually(lambda: "Pull Started" in site.log[began:] or process.poll() is not None)
        try:
            process.wait(rng.uniform(0.0, latest))
        except subprocess.TimeoutExpired:
            process.kill()
            return True
        return False
