"""SIGKILL at random moments: nothing is lost, and the files hold nothing twice."""

from __future__ import annotations

import random
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from collector.clock import SystemClock
from collector.demo.judge import judge
from collector.simulator import Fault, Simulator, SimulatorOptions
from tests.fakes.processes import PATIENCE, Site, document, eventually, history, unfinished
from tests.fakes.tiers import kills, seeded

SLOW_PAGES = [
    Fault(service="alerts", action="slow", seconds=0.05, count=1_000_000),
    Fault(service="events", action="slow", seconds=0.05, count=1_000_000),
]
"""The vendor takes its time, so that a kill finds work under way."""


@pytest.mark.timeout(180 + 4 * kills())
def test_killed_runs_lose_nothing(tmp_path: Path) -> None:
    """As many kills as the tier asks for, each in the midst of work; then a run that may finish."""
    hours = kills() * 3 // 4
    kill_and_finish(tmp_path, history(hours, 200 * hours, archive_rate=600), kills(), latest=0.8)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_runs_lose_nothing_of_much(tmp_path: Path) -> None:
    """50 runs killed in the midst of 20,000 records a service, then one that may finish."""
    kill_and_finish(tmp_path, history(24, 20_000, archive_rate=600), 50, latest=2.4)


def kill_and_finish(folder: Path, options: SimulatorOptions, kills: int, latest: float) -> None:
    """Kill runs, at most so many real seconds after they began to work; then finish, and judge."""
    rng = seeded()
    with Simulator(options, SystemClock(), SLOW_PAGES) as simulator:
        site = Site(folder, in_small_steps(document(folder, simulator, options)), afresh=True)
        fruitful = sum(killed(site, rng, latest) for _ in range(kills))
        before = judge(simulator.truth, site.out)
        print(f"{fruitful} of {kills} killed runs had delivered something; by service: {before}")
        with site.running("--once") as process:
            assert process.wait(PATIENCE + kills) == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []
    # Else the kills met nothing that could have been lost or doubled.
    assert all(each.delivered > 0 for each in before)
    assert fruitful > kills // 2


def in_small_steps(document: dict[str, Any]) -> dict[str, Any]:
    """Batches and windows so small that a run gets on before it is killed."""
    document["globals"]["batch"] = {"max_seconds": 0.1}
    document["inputs"]["casb"]["services"]["alerts"]["max_window_in_hours"] = 2.0
    return document


def killed(site: Site, rng: random.Random, latest: float) -> bool:
    """Kill a run at work, or now and then while it starts; whether it had delivered something."""
    log = site.folder / "collector.log"
    began, had = log.stat().st_size, size(site)
    with site.running("--once") as process:
        if rng.random() < 0.8:
            eventually(lambda: "Pull Started" in tail(log, began) or process.poll() is not None)
        if rng.random() < 0.75:  # and has delivered something, however slow the machine is
            eventually(lambda: size(site) > had or process.poll() is not None)
            latest /= 4
        with suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.0, latest))
        process.kill()
    return size(site) > had


def tail(log: Path, start: int) -> str:
    """What was logged from that byte on."""
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode()


def size(site: Site) -> int:
    """The bytes in the output files of the five services."""
    return sum(path.stat().st_size for path in site.out.glob("*.proofpoint.*.ndjson"))
