"""The other side is away for hours: what was missed is there in the end, and the ledger says so.

Parent and child share a virtual clock, on which the hours pass in seconds.
"""

from __future__ import annotations

from pathlib import Path

from collector.clock import SystemClock
from collector.core.ledger import COMPLETE, REPAIRED, VERIFIED
from collector.core.model import Micros, Window
from collector.core.times import HOUR, SECOND, floor_hour
from collector.demo.judge import TAGS, judge
from collector.persistence.hours import Ledger
from collector.simulator import Simulator, SimulatorOptions
from tests.fakes.driven import SharedTime, driven, gaps_exit_code, resident_mib, settled
from tests.fakes.lake import Lake
from tests.fakes.processes import Site, document, eventually, unfinished

SPEED = 1800.0
RATES = {"alerts": 60.0, "events": 120.0, "message": 600.0, "maillog": 1200.0, "audit": 30.0}


def test_vendor_out_of_reach_for_three_hours(tmp_path: Path) -> None:
    """Each hour of it is done in the ledger, what live had begun is repaired, nothing is lost."""
    options = tenant(hours=5)
    shared = SharedTime(begin(options), SPEED)
    dark = Window(floor_hour(begin(options)) + HOUR, floor_hour(begin(options)) + 4 * HOUR)
    with Simulator(options, shared.clock) as simulator:
        site = hybrid(tmp_path, simulator, options)
        with driven(site, shared) as process:
            reach(shared, dark.start + 900 * SECOND)
            simulator.stop()
            reach(shared, dark.end + 900 * SECOND)
            simulator.start()
            eventually(lambda: settled(site, options.history_end))
            process.terminate()
            assert process.wait() == 0, site.log
        assert unfinished(judge(simulator.truth, site.out)) == []
    states = states_of(site, Window(dark.start, dark.end + HOUR))
    assert set(states) == {COMPLETE, VERIFIED, REPAIRED} & set(states)
    assert REPAIRED in states
    assert gaps_exit_code(site, options.history_start, options.history_end) == 0


def test_destination_down_for_eight_hours(tmp_path: Path) -> None:
    """The spool fills up, pulling pauses, memory stays small; then all of it arrives, once."""
    options = tenant(hours=10)
    shared = SharedTime(begin(options), SPEED)
    with Simulator(options, shared.clock) as simulator, Lake(shared.clock) as lake:
        site = hybrid(tmp_path, simulator, options)
        site.document["globals"]["spool"] = {"max_bytes": 6 * 1024 * 1024}
        site.document["outputs"]["lake"] = {"type": "http", "config": {"url": lake.url}}
        with driven(site, shared) as process:
            reach(shared, begin(options) + HOUR)
            lake.become("refusing")
            reach(shared, begin(options) + 9 * HOUR)
            lake.become("well")
            eventually(lambda: settled(site, options.history_end))
            most = resident_mib(process.pid, "VmHWM")
            process.terminate()
            assert process.wait() == 0, site.log
        arrived = [lake.deliveries.verdict(each, simulator.truth.emitted(each)) for each in TAGS]
        assert unfinished(arrived) == unfinished(judge(simulator.truth, site.out)) == []
    assert "Pulling is paused" in site.log
    assert "Pulling goes on" in site.log
    assert most < 256


def tenant(hours: int) -> SimulatorOptions:
    """A vendor whose records begin an hour before the clock does, and end so long after."""
    begins = floor_hour(SystemClock().now()) - 2 * hours * HOUR + 1800 * SECOND
    return SimulatorOptions(
        history_start=begins - HOUR,
        history_end=begins + hours * HOUR,
        rates=RATES,
        calls_per_day=None,
        idle_limit_seconds=7200.0,  # 300 s would be a sixth of a real second
    )


def begin(options: SimulatorOptions) -> Micros:
    """Where the clock starts: half past an hour."""
    return options.history_start + HOUR


def reach(shared: SharedTime, moment: Micros) -> None:
    """Wait for the shared clock."""
    shared.clock.sleep((moment - shared.clock.now()) / SECOND)


def hybrid(folder: Path, simulator: Simulator, options: SimulatorOptions) -> Site:
    """Every PoD service live with archive repair, at the speed of the clock."""
    made = document(folder, simulator, options)
    made["globals"]["batch"] = {"max_seconds": 120.0}
    for service in made["inputs"]["pod"]["services"].values():
        service |= {"archive_delay_in_seconds": 2400.0, "idle_limit_in_seconds": 7200.0}
    return Site(folder, made)


def states_of(site: Site, span: Window) -> list[str]:
    """The states of all PoD hours of a span."""
    sources = [f"pod#{service}" for service in ("message", "maillog", "audit")]
    return [hour.account.state for hour in Ledger.read(site.state, span, sources).hours]
