"""SIGKILL at random moments: nothing is lost, and the files hold nothing twice."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.demo.judge import judge
from collector.simulator import Simulator
from tests.fakes.processes import Site, document, history, unfinished


@pytest.mark.parametrize(
    ("kills", "records", "latest"),
    [
        pytest.param(15, 4_000, 2.0, id="short"),
        pytest.param(50, 20_000, 4.0, id="full", marks=pytest.mark.slow),
    ],
)
@pytest.mark.timeout(900)
def test_killed_runs_lose_nothing(
    tmp_path: Path, kills: int, records: int, latest: float
) -> None:
    """After so many killed runs over one history, a last run brings lost and doubled to zero."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    rng = random.Random(seed)
    options = history(hours=6, records=records, archive_rate=records / 6)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        hit = sum(killed(site, rng.uniform(0.0, latest)) for _ in range(kills))
        before = judge(simulator.truth, site.out) if site.out.exists() else []
        print(hit, before)
        assert site.run("--once") == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []


def killed(site: Site, seconds: float) -> bool:
    """Start a run and kill it after so many seconds; False when it had ended before."""
    with site.running("--once") as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
        return False
