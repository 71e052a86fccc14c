"""What a running collector's log says of its pulls."""

from __future__ import annotations

import re
from pathlib import Path

from collector.clock import SystemClock
from collector.simulator import Simulator
from tests.fakes.processes import Site, document, eventually, history


def told(log: str) -> dict[str, str]:
    """How many seconds each service says it waits for after its pull."""
    completed = r",(\w+),predefined\) -> Data collection completed\..* Waiting for ([\d.]+) second"
    return dict(re.findall(completed, log))


def test_every_service_tells_how_long_its_pull_took(tmp_path: Path) -> None:
    """Services that wait say for how long; those that go on to listen do not wait at all."""
    options = history(hours=2, records=60)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        with site.running() as process:
            eventually(lambda: len(told(site.log)) == 5)
            process.terminate()
            assert process.wait(20) == 0, site.log
    goes_on = {service for service, seconds in told(site.log).items() if seconds == "0.000"}
    assert goes_on == {"message", "maillog", "audit"}
