"""What a running collector's log says of its pulls."""

from __future__ import annotations

from pathlib import Path

from collector.clock import SystemClock
from collector.simulator import Simulator
from tests.fakes.processes import Site, document, eventually, history


def test_every_service_tells_how_long_its_pull_took(tmp_path: Path) -> None:
    """Services that wait say for how long; those that go on to listen do not wait at all."""
    options = history(hours=2, records=60)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        with site.running() as process:
            eventually(lambda: site.log.count("Data collection completed. Elapsed time: ") >= 5)
            process.terminate()
            assert process.wait(20) == 0, site.log
    waits = [line.rpartition("Waiting for ")[2] for line in site.log.splitlines()]
    assert waits.count("0.000 second(s) until the next one") == 3
