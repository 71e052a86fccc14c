"""The collector as a process on a fast clock that it shares with the test.

Simulator and collector see the same virtual time, so that hours of the vendor's
archive, settle delays and back-offs pass in seconds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from collector.clock import SystemClock
from collector.core import checkpoint as rules
from collector.core import state, times
from collector.core.model import Micros
from collector.core.times import floor_hour
from collector.simulator import Simulator, SimulatorOptions
from tests.fakes.processes import ROOT, Site, document, started


class SharedTime:
    """A fast clock, and the arguments by which a child process joins it."""

    def __init__(self, start: Micros, speed: float) -> None:
        """Begin at ``start`` now."""
        self._arguments = (repr(time.monotonic()), str(start), str(speed))
        self.clock = SystemClock(start, speed)

    def command(self, site: Site) -> list[str]:
        """``collector run`` of a site on this clock, as arguments."""
        return [sys.executable, "-m", "tests.crash.driver", str(site.config), *self._arguments]


@contextmanager
def driven(site: Site, shared: SharedTime) -> Iterator[Popen[bytes]]:
    """The collector on the shared clock; killed if it still runs at the end."""
    with started(shared.command(site), site.folder / "collector.log") as process:
        yield process


def hybrid(folder: Path, simulator: Simulator, options: SimulatorOptions) -> Site:
    """A site whose PoD services are live with archive repair, at ease on a very fast clock."""
    made = document(folder, simulator, options)
    made["globals"]["batch"] = {"max_seconds": 120.0}
    for service in made["inputs"]["pod"]["services"].values():
        service |= {
            "archive_delay_in_seconds": 2400.0,
            "idle_limit_in_seconds": 7200.0,
            "archive_idle_limit_in_seconds": 7200.0,
        }
    return Site(folder, made)


def settled(site: Site, until: Micros) -> bool:
    """Whether every service is done with all that is dated before then, and it is delivered."""
    report = site.report()
    marks = [state.from_state(each.state) for each in report.services]
    return not report.waiting and all(
        rules.complete_until(mark) > until
        and not mark.owed
        and all(look.start >= until for look in mark.looks)
        for mark in marks
    )


def gaps_exit_code(site: Site, start: Micros, end: Micros) -> int:
    """What ``collector ledger show --gaps`` says of the hours that ended in between."""
    first, last = (times.isoformat(floor_hour(moment)) for moment in (start, end))
    options = ["show", "--gaps", "--grace", "0", "--from", first, "--to", last]
    command = [sys.executable, "-m", "collector", "ledger", *options, "--config", str(site.config)]
    with (site.folder / "gaps.txt").open("wb") as log:
        return subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=False).returncode


def resident_mib(pid: int, field: str = "VmRSS") -> float:
    """The memory a process holds now, or with ``VmHWM`` the most it ever held, in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:  # noqa: PTH123 - no file
        found = next(line for line in status if line.startswith(f"{field}:"))
    return int(found.split()[1]) / 1024
