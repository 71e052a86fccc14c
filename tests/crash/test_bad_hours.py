"""Hours of the archive that cannot be read hold up no other, and are read once they can be.

Parent and child share a virtual clock, on which the hours pass in seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from collector.clock import SystemClock
from collector.core.ledger import COMPLETE, PARTIAL, REPAIRED, VERIFIED
from collector.core.model import Window
from collector.core.times import HOUR, floor_hour
from collector.demo.judge import judge
from collector.persistence.hours import Ledger
from collector.simulator import QUIET, Simulator, SimulatorOptions
from collector.simulator.faults import Fault
from tests.fakes.driven import SharedTime, driven, gaps_exit_code, hybrid, settled
from tests.fakes.processes import Site, eventually, unfinished

SPEED = 1800.0
HOURS = 8


def tenant(service: str, **changed: Any) -> SimulatorOptions:
    """A vendor with eight hours of one service."""
    begins = floor_hour(SystemClock().now()) - 100 * HOUR
    return SimulatorOptions(
        history_start=begins,
        history_end=begins + HOURS * HOUR,
        rates={service: 100.0},
        calls_per_day=None,
        dead_session_seconds=0.0,
        idle_limit_seconds=7200.0,  # 300 s would be a sixth of a real second
        **{**QUIET, **changed},
    )


def site_of(folder: Path, simulator: Simulator, options: SimulatorOptions, **settings: Any) -> Site:
    """A collector of the vendor's one service."""
    (service,) = options.rates
    site = hybrid(folder, simulator, options)
    del site.document["inputs"]["casb"]
    pod = site.document["inputs"]["pod"]
    pod["services"] = {service: pod["services"][service] | settings}
    return Site(folder, site.document)


def states(site: Site, options: SimulatorOptions) -> list[str]:
    """The states of all hours of the history."""
    (service,) = options.rates
    span = Window(options.history_start, options.history_end)
    return [hour.account.state for hour in Ledger.read(site.state, span, [f"pod#{service}"]).hours]


def test_messages_that_end_every_session(tmp_path: Path) -> None:
    """All hours but theirs are read; so are theirs, once the limit is raised, after a restart."""
    options = tenant("message", huge_record_rate=0.004, huge_record_bytes=300_000)
    shared = SharedTime(options.history_end + 2 * HOUR, SPEED)
    with Simulator(options, shared.clock) as simulator:
        site = site_of(tmp_path, simulator, options, mode="archive", max_message_bytes=65_536)
        with driven(site, shared) as process:
            eventually(lambda: "Pull Started" in site.log)
            eventually(lambda: set(states(site, options)) == {COMPLETE, PARTIAL})
            process.terminate()
            assert process.wait() == 0, site.log
        assert gaps_exit_code(site, options.history_start, options.history_end) == 8
        site = site_of(tmp_path, simulator, options, mode="archive")
        with driven(site, shared) as process:
            eventually(lambda: "Pull Started" in site.log)
            eventually(lambda: settled(site, options.history_end))
            process.terminate()
            assert process.wait() == 0, site.log
        assert unfinished(verdicts(simulator, site)) == []
    assert gaps_exit_code(site, options.history_start, options.history_end) == 0


def test_a_vendor_that_keeps_less_than_it_says(tmp_path: Path) -> None:
    """What it refuses for its age is a gap; what it has is collected."""
    options = tenant("message", retention_days=0.25)
    shared = SharedTime(options.history_end + HOUR, SPEED)
    with Simulator(options, shared.clock) as simulator:
        site = site_of(tmp_path, simulator, options, mode="archive")
        with driven(site, shared) as process:
            eventually(lambda: "Pull Started" in site.log)
            eventually(lambda: states(site, options)[-1] == COMPLETE)
            process.terminate()
            assert process.wait() == 0, site.log
        (verdict,) = verdicts(simulator, site)
    found = states(site, options)
    assert set(found) == {COMPLETE, PARTIAL}
    assert found == sorted(found, reverse=True)
    assert verdict.delivered == 100 * found.count(COMPLETE)


def test_a_vendor_that_falls_silent_in_an_archive_session(tmp_path: Path) -> None:
    """Audit may be silent for days, but not in an hour of the archive: live goes on, too."""
    options = tenant("audit")
    shared = SharedTime(options.history_start + 3 * HOUR, SPEED)
    fault = Fault(
        service="audit", action="stall", mode="archive", after_records=5, seconds=40 * 86_400.0
    )
    with Simulator(options, shared.clock, [fault]) as simulator:
        site = site_of(
            tmp_path,
            simulator,
            options,
            idle_limit_in_seconds=0,
            archive_idle_limit_in_seconds=1800.0,
        )
        with driven(site, shared) as process:
            eventually(lambda: "Pull Started" in site.log)
            eventually(lambda: set(states(site, options)) <= {COMPLETE, REPAIRED, VERIFIED})
            process.terminate()
            assert process.wait() == 0, site.log
        assert unfinished(verdicts(simulator, site)) == []
    assert "the archive session was silent for longer than the limit" in site.log


def verdicts(simulator: Simulator, site: Site) -> list[Any]:
    """What became of the records of the service."""
    return [each for each in judge(simulator.truth, site.out) if each.emitted]
