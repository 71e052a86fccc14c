"""SIGKILL at random moments: nothing is lost, and the files hold nothing twice."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.demo.judge import judge
from collector.simulator import Fault, Simulator, SimulatorOptions
from tests.fakes.processes import Site, document, history, unfinished

SLOW_PAGES = [
    Fault(service="alerts", action="slow", seconds=0.02, count=1_000_000),
    Fault(service="events", action="slow", seconds=0.02, count=1_000_000),
]
"""The vendor takes its time, so that a kill finds work under way."""


def test_killed_runs_lose_nothing(tmp_path: Path) -> None:
    """15 runs killed in the midst of 3,000 records a service, then one that may finish."""
    kill_and_finish(tmp_path, history(6, 3_000, archive_rate=500), kills=15, latest=1.8)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_runs_lose_nothing_of_much(tmp_path: Path) -> None:
    """50 runs killed in the midst of 20,000 records a service, then one that may finish."""
    kill_and_finish(tmp_path, history(24, 20_000, archive_rate=600), kills=50, latest=3.0)


def kill_and_finish(folder: Path, options: SimulatorOptions, kills: int, latest: float) -> None:
    """Kill runs, each at most so many real seconds old; then finish, and judge."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"the moments come from seed {seed}")
    rng = random.Random(seed)
    with Simulator(options, SystemClock(), SLOW_PAGES) as simulator:
        site = Site(folder, document(folder, simulator, options))
        found_work = sum(killed(site, rng.uniform(0.0, latest)) for _ in range(kills))
        print(f"{found_work} of {kills} runs were killed before they had finished")
        assert found_work > kills // 2
        assert site.run("--once") == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []


def killed(site: Site, seconds: float) -> bool:
    """Kill a run that is so many seconds old; False when it had finished before."""
    with site.running("--once") as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
        return False
