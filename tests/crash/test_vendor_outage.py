"""The vendor is away for hours: what was missed is there in the end, and the ledger says so.

Parent and child share a virtual clock, on which the hours pass in seconds.
"""

from __future__ import annotations

from pathlib import Path

from collector.clock import SystemClock
from collector.core.ledger import COMPLETE, REPAIRED, VERIFIED
from collector.core.model import Micros, Window
from collector.core.times import HOUR, SECOND, floor_hour
from collector.demo.judge import judge
from collector.persistence.hours import Ledger
from collector.simulator import Simulator, SimulatorOptions
from tests.fakes.driven import SharedTime, driven, gaps_exit_code, hybrid, settled
from tests.fakes.processes import Site, eventually, unfinished

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


def states_of(site: Site, span: Window) -> list[str]:
    """The states of all PoD hours of a span."""
    sources = [f"pod#{service}" for service in ("message", "maillog", "audit")]
    return [hour.account.state for hour in Ledger.read(site.state, span, sources).hours]
