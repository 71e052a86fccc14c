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

SPEED = 120.0
"""An hour in half a minute: fast enough for archive hours, slow enough for true time-outs."""
DRAIN_HOURS = 5
"""Simulated hours after the last record in which everything has to settle."""
RATES = {"alerts": 60.0, "events": 250.0, "message": 750.0, "maillog": 2000.0, "audit": 20.0}

_STORM = 48 * 60.0
"""Real seconds of storm in a full soak, and so for all of its kills."""
_CALM = 6 * 60.0
"""Real seconds of calm in a short soak: caches take eight hours of the clock to fill."""


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
    def calm(self) -> Micros:
        """When the storm is over, on the virtual clock."""
        return self.begins + round(self.storm * SPEED * SECOND)

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
            huge_record_rate=0.002,  # often enough that memory has seen them before the calm
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
    """The soak of a seed; a fifth of it is calm, or six minutes of one that has ten."""
    rng = Random(seed)
    seconds = minutes * 60.0
    storm_seconds = seconds - max(0.2 * seconds, min(_CALM, 0.6 * seconds))
    hours = int(seconds * SPEED / 3600) + DRAIN_HOURS + 1
    return Plan(
        seed=seed,
        seconds=seconds,
        storm=storm_seconds,
        # In the past, so that the command line, on the wall's clock, can judge the ledger.
        begins=floor_hour(SystemClock().now()) - hours * HOUR + 1800 * SECOND,
        faults=storm(rng, storm_seconds * SPEED),
        happenings=_happenings(rng, storm_seconds, round(KILLS["soak"] * storm_seconds / _STORM)),
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
