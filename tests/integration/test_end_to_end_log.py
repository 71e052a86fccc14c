"""What a collector's log says of its pulls."""

from __future__ import annotations

import re
from pathlib import Path

from collector.clock import SystemClock
from collector.simulator import Simulator
from tests.fakes.processes import Site, document, eventually, history

CASB = {"alerts", "events"}
POD = {"message", "maillog", "audit"}


def told(log: str) -> dict[str, str]:
    """How many seconds each service says it waits for after its pull."""
    completed = r",(\w+),predefined\) -> Data collection completed\..* Waiting for ([\d.]+) second"
    return dict(re.findall(completed, log))


def begun_before_success(log: str) -> set[str]:
    """The services whose first pull had begun when their setup was told to have succeeded."""
    lines = r",(\w+)(?:#predefined\) -> (Setup for module)|,predefined\) -> (Pull Started))"
    first: dict[str, bool] = {}
    for service, _, pulled in re.findall(lines, log):
        first.setdefault(service, bool(pulled))
    return {service for service, pulled in first.items() if pulled}


def test_a_run_that_ends_tells_how_long_its_pulls_took(tmp_path: Path) -> None:
    """Each service has the reference page's last line of a pull; none waits for another one."""
    options = history(hours=2, records=60)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        assert site.run("--once") == 0, site.log
    assert told(site.log) == dict.fromkeys(CASB | POD, "0.000")


def test_every_service_tells_how_long_its_pull_took(tmp_path: Path) -> None:
    """Services that wait say for how long; those that go on to listen do not wait at all.

    CASB grants a token before the first pull; a token of PoD is only shown by a session.
    """
    options = history(hours=2, records=60)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        with site.running() as process:
            eventually(lambda: len(told(site.log)) == 5)
            process.terminate()
            assert process.wait(20) == 0, site.log
    goes_on = {service for service, seconds in told(site.log).items() if seconds == "0.000"}
    assert goes_on == POD
    assert site.log.count("has been successfully executed") == 5
    assert begun_before_success(site.log) == POD
