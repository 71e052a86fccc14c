"""SIGKILL while records stream in: what a session lost, the archive gives back.

Parent and child share a virtual clock, so that hours of the archive pass in seconds.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from collector.clock import SystemClock
from collector.core import checkpoint as rules
from collector.core import state
from collector.core.model import Micros
from collector.core.times import HOUR, SECOND, floor_hour
from collector.demo.judge import judge
from collector.simulator import Simulator, SimulatorOptions
from tests.fakes.processes import Site, document, eventually, started, unfinished

SPEED = 900.0
KILLS = 5
RATES = {"alerts": 60.0, "events": 120.0, "message": 500.0, "maillog": 900.0, "audit": 30.0}


class SharedTime:
    """A fast clock, and the arguments by which a child process joins it."""

    def __init__(self, start: Micros) -> None:
        """Begin at ``start`` now."""
        self.arguments = (repr(time.monotonic()), str(start), str(SPEED))
        self.clock = SystemClock(start, SPEED)


def test_killed_sessions_lose_nothing(tmp_path: Path) -> None:
    """Killed while live, again and again: in the end the archive has repaired every gap."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    rng = random.Random(seed)
    begins = floor_hour(SystemClock().now()) - 8 * HOUR + 1800 * SECOND
    options = SimulatorOptions(
        history_start=begins - 2 * HOUR,
        history_end=begins + 2 * HOUR,
        rates=RATES,
        calls_per_day=None,
        idle_limit_seconds=7200.0,
    )
    shared = SharedTime(begins)
    with Simulator(options, shared.clock) as simulator:
        site = Site(tmp_path, hybrid(tmp_path, simulator, options))
        for _ in range(KILLS):
            killed_while_live(site, shared, simulator, rng.uniform(0.0, 1.0))
        with driven(site, shared) as process:
            eventually(lambda: complete(site, options.history_end + 60 * SECOND))
            process.terminate()
            assert process.wait() == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []


def hybrid(folder: Path, simulator: Simulator, options: SimulatorOptions) -> dict[str, object]:
    """Every PoD service live with archive repair, at the speed of the clock."""
    made = document(folder, simulator, options)
    made["globals"]["batch"] = {"max_seconds": 120.0}
    for service in made["inputs"]["pod"]["services"].values():
        service |= {"archive_delay_in_seconds": 2400.0, "idle_limit_in_seconds": 7200.0}
    return made


@contextmanager
def driven(site: Site, shared: SharedTime) -> Iterator[Popen[bytes]]:
    """The collector on the shared clock."""
    command = [sys.executable, "-m", "tests.crash.driver", str(site.config), *shared.arguments]
    with started(command, site.folder / "collector.log") as process:
        yield process


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


def complete(site: Site, until: Micros) -> bool:
    """Whether every service is complete beyond this moment, and all of it is delivered."""
    report = site.report()
    marks = [state.from_state(each.state) for each in report.services]
    return not report.waiting and all(
        rules.complete_until(mark) > until and not mark.owed for mark in marks
    )
