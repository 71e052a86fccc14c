"""The demo's day in small: hours of history, hours of live records, in half a minute.

Simulator and collector share one clock that runs ``SPEED`` times faster than the
wall, so that whole archive hours, settle delays and back-offs happen while one
watches.  Network time-outs stay real.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from collector.clock import SystemClock
from collector.core import times
from collector.core.model import Micros
from collector.core.times import HOUR, SECOND, floor_hour
from collector.simulator import Simulator, SimulatorOptions

SPEED = 480.0
_HISTORY = 6 * HOUR
_LIVE = 2 * HOUR
_RATES = {"alerts": 120.0, "events": 500.0, "message": 850.0, "maillog": 2200.0, "audit": 30.0}
_ARCHIVE_DELAY_SECONDS = 2400.0


class Day(msgspec.Struct, frozen=True):
    """When the demo's clock begins, and from when to when records are dated."""

    begins: Micros
    first: Micros
    last: Micros


def day(wall: Micros) -> Day:
    """A day that ends about when the demo does, on the wall clock."""
    begins = floor_hour(wall) - 4 * HOUR + 1800 * SECOND
    return Day(begins, begins - _HISTORY, begins + _LIVE)


def clock(of: Day) -> SystemClock:
    """The fast clock."""
    return SystemClock(of.begins, SPEED)


def simulator_options(of: Day, seed: int) -> SimulatorOptions:
    """A small tenant with every oddity, and room for a fast clock."""
    return SimulatorOptions(
        history_start=of.first,
        history_end=of.last,
        seed=seed,
        rates=_RATES,
        late_alert_rate=0.02,
        idle_limit_seconds=7200.0,  # 300 s would be half a real second
    )


def config(
    simulator: Simulator, options: SimulatorOptions, of: Day, folder: Path
) -> dict[str, Any]:
    """The configuration a user would write for this simulator."""
    start = {"initial_start_time_in_utc": times.isoformat(of.first)}
    pod = start | {
        "archive_delay_in_seconds": _ARCHIVE_DELAY_SECONDS,
        "idle_limit_in_seconds": 7200.0,
        "archive_idle_limit_in_seconds": 7200.0,
    }
    return {
        "globals": {
            "id": "demo",
            "name": "demo",
            "persistence": {"config": {"directory_name": str(folder / "state")}},
            "batch": {"max_seconds": 240.0},  # half a real second
            "statistics_period_in_seconds": 1800.0,
        },
        "outputs": {"out": {"type": "file", "config": {"path": str(folder)}}},
        "inputs": {
            "casb": {
                "type": "proofpoint_casb",
                "endpoints": dict.fromkeys(("auth", "alerts", "events"), simulator.url),
                "credentials": {
                    "api_key": options.api_key,
                    "client_id": options.client_id,
                    "client_secret": options.client_secret,
                },
                "services": {"alerts": start, "events": start},
            },
            "pod": {
                "type": "proofpoint_pod",
                "endpoint": simulator.ws_url,
                "credentials": {"cluster_id": options.cluster_id, "token": options.tokens[0]},
                "services": {"message": pod, "maillog": pod, "audit": pod},
            },
        },
    }
