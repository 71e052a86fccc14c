"""What happens in a soak, and when: all of it follows from the seed.

First a storm (faults of the vendor, kills, outages of the destination), then calm,
in which the load goes on and memory is measured, then the vendor falls silent and
everything drains.  Real seconds count from the start of the soak.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec

from collector.clock import SystemClock
from collector.core.model import Micros
from collector.core.times import HOUR, SECOND, floor_hour
from collector.simulator import Fault, Simulator, SimulatorOptions
from tests.fakes.lake import MOODS
from tests.fakes.processes import Site, document
from tests.fakes.tiers import KILLS
from tests.soak.weather import storm

SPEED = 60.0
"""A simulated hour a minute: fast enough for archive hours, slow enough for true time-outs."""
DRAIN_HOURS = 5
"""Simulated hours after the last record in which everything has to settle."""
RATES = {"alerts": 120.0, "events": 500.0, "message": 1500.0, "maillog": 4000.0, "audit": 30.0}


class Happening(msgspec.Struct, frozen=True, order=True):
    """Something done to the collector or its destination, so many real seconds into the soak.

    ``what`` is ``kill`` (SIGKILL), ``stop`` (SIGTERM), or a mood of the lake.
    """

    at: float
    what: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole soak; ``begins`` is where its virtual clock starts."""

    seed: int
    seconds: float
    storm: float
    begins: Micros
    faults: list[Fault]
    happenings: list[Happening]

    @property
    def last(self) -> Micros:
        """When the vendor falls silent, on the virtual clock."""
        return self.begins + round(self.seconds * SPEED * SECOND)

    def options(self) -> SimulatorOptions:
        """A small tenant with every oddity, and alerts that only a second look finds."""
        return SimulatorOptions(
            history_start=self.begins - 2 * HOUR,
            history_end=self.last,
            seed=self.seed,
            rates=RATES,
            calls_per_day=None,
            late_alert_rate=0.02,
            late_alert_seconds=1800.0,
        )


def laid_out(plan: Plan, folder: Path, simulator: Simulator, lake: str) -> Site:
    """The installation that is soaked: files and the lake, the vendor's limits as they are."""
    site = Site(folder, document(folder, simulator, plan.options()))
    site.document["globals"]["batch"] = {"max_seconds": 30.0}  # half a real second
    site.document["inputs"]["casb"]["rate"] = {"calls_per_day": 0}
    site.document["outputs"]["lake"] = {
        "type": "http",
        "config": {"url": lake, "timeout_in_seconds": 5.0},
    }
    return site


def planned(seed: int, minutes: float) -> Plan:
    """The soak of a seed: the storm takes all but a fifth, or four minutes if that is more."""
    rng = Random(seed)
    seconds = minutes * 60.0
    storm_seconds = max(seconds - max(seconds / 5, 240.0), seconds / 2)
    hours = int(seconds * SPEED / 3600) + DRAIN_HOURS + 1
    return Plan(
        seed=seed,
        seconds=seconds,
        storm=storm_seconds,
        # In the past, so that the command line, on the wall's clock, can judge the ledger.
        begins=floor_hour(SystemClock().now()) - hours * HOUR + 1800 * SECOND,
        faults=storm(rng, storm_seconds * SPEED),
        happenings=_happenings(rng, storm_seconds, round(KILLS["soak"] * minutes / 60)),
    )


def _happenings(rng: Random, seconds: float, kills: int) -> list[Happening]:
    killed = [Happening(rng.uniform(0.0, seconds), "kill") for _ in range(kills)]
    stopped = [Happening(rng.uniform(0.0, seconds), "stop") for _ in range(kills // 10)]
    return sorted([*killed, *stopped, *_outages(rng, seconds)])


def _outages(rng: Random, seconds: float) -> list[Happening]:
    """A destination that is out of order for 5 to 45 seconds about once a minute."""
    moods: list[Happening] = []
    at = rng.expovariate(1 / 40)
    while at < seconds:
        end = min(at + rng.uniform(5.0, 45.0), seconds)
        moods += [Happening(at, rng.choice(MOODS)), Happening(end, "well")]
        at = end + rng.expovariate(1 / 40)
    return moods
