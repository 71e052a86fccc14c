"""SIGKILL while records stream in: what a session lost, the archive gives back.

Parent and child share a virtual clock, so that hours of the archive pass in seconds.
"""

from __future__ import annotations

import time
from pathlib import Path

from collector.clock import SystemClock
from collector.core.times import HOUR, SECOND, floor_hour
from collector.demo.judge import judge
from collector.simulator import Simulator, SimulatorOptions
from tests.fakes.driven import SharedTime, driven, hybrid, settled
from tests.fakes.processes import Site, eventually, unfinished
from tests.fakes.tiers import seeded

SPEED = 900.0
KILLS = 5
RATES = {"alerts": 60.0, "events": 120.0, "message": 500.0, "maillog": 900.0, "audit": 30.0}


def test_killed_sessions_lose_nothing(tmp_path: Path) -> None:
    """Killed while live, again and again: in the end the archive has repaired every gap."""
    rng = seeded()
    begins = floor_hour(SystemClock().now()) - 8 * HOUR + 1800 * SECOND
    options = SimulatorOptions(
        history_start=begins - 2 * HOUR,
        history_end=begins + 2 * HOUR,
        rates=RATES,
        calls_per_day=None,
        idle_limit_seconds=7200.0,
    )
    shared = SharedTime(begins, SPEED)
    with Simulator(options, shared.clock) as simulator:
        site = hybrid(tmp_path, simulator, options)
        for _ in range(KILLS):
            killed_while_live(site, shared, simulator, rng.uniform(0.0, 1.0))
        with driven(site, shared) as process:
            eventually(lambda: settled(site, options.history_end + 60 * SECOND))
            process.terminate()
            assert process.wait() == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []


def killed_while_live(site: Site, shared: SharedTime, simulator: Simulator, seconds: float) -> None:
    """Wait until a live session is accepted, and so many real seconds more; then kill."""
    before = live_sessions(simulator)
    with driven(site, shared) as process:
        eventually(lambda: live_sessions(simulator) > before)
        time.sleep(seconds)
        process.kill()


def live_sessions(simulator: Simulator) -> int:
    """How many live sessions the vendor has accepted so far."""
    return sum(each.mode == "live" and each.status == 101 for each in simulator.truth.sessions)
