"""Which records exist, and when each of them can be had.

A service's records are numbered by their time.  Each also has the moment it
appears, some seconds after its time: mail is filtered before it is logged, so
the live stream runs in the order of completion and its times are unsorted
(docs/vendor-notes.md, PoD 2).  All of it follows from the seed, and a longer
history begins with the shorter one.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import Final

from collector.core.model import Micros
from collector.core.times import HOUR, SECOND
from collector.simulator.options import (
    CASB_SERVICES,
    CONTENT_ODDITIES,
    SERVICES,
    SimulatorOptions,
)

REPEATED_LIVE: Final = 1
REPEATED_IN_ARCHIVE: Final = 2
LATE_IN_ARCHIVE: Final = 4
FRAGMENTED: Final = 8
AFTER_EMPTY: Final = 16


class Timeline:
    """The records of one service.

    ``times`` ascend with the record number; ``ready`` is when each appears;
    ``order`` lists the numbers as they appear.
    """

    def __init__(self, service: str, options: SimulatorOptions) -> None:
        """Lay out the whole history of a service."""

        def rng(purpose: str) -> Random:
            return Random(f"{options.seed}:{service}:{purpose}")

        count = options.records(service)
        self.times = _times(service, options, count, rng("times"))
        self.ready = _ready(service, options, self.times, rng("ready"))
        self.oddities = _draw_oddities(options, count, rng("oddities"))
        self.traits = _draw_traits(options, count, rng("traits"))
        self.order = array("q", sorted(range(count), key=lambda n: (self.ready[n], n)))
        self._appearances = array("q", (self.ready[n] for n in self.order))

    def appeared(self, now: Micros) -> int:
        """How many records have appeared up to and including ``now``."""
        return bisect_right(self._appearances, now)

    def first_since(self, moment: Micros) -> int:
        """The place in ``order`` of the first record that appears at ``moment`` or later."""
        return bisect_left(self._appearances, moment)

    def dated(self, start: Micros, end: Micros) -> range:
        """The numbers of the records with ``start <= time < end``."""
        return range(bisect_left(self.times, start), bisect_left(self.times, end))

    def newest_first(self, start: Micros, end: Micros, now: Micros) -> Iterator[int]:
        """The records of a window that have appeared by now, latest time first."""
        return (n for n in reversed(self.dated(start, end)) if self.ready[n] <= now)


def _times(service: str, options: SimulatorOptions, count: int, rng: Random) -> array[int]:
    if not count:
        return array("q")
    step = HOUR / options.rates[service]
    # CASB dates in whole milliseconds (docs/vendor-notes.md, CASB A5).
    grain = 1000 if service in CASB_SERVICES else 1
    draw = rng.random
    times = array(
        "q",
        ((options.history_start + int((n + draw()) * step)) // grain * grain for n in range(count)),
    )
    if service == "alerts":
        _burst(times, options.alert_burst)
    return times


def _burst(times: array[int], size: int) -> None:
    """Give some alerts early in the history one time; the order by time is kept."""
    first = min(size, len(times) - 1)
    for n in range(first, min(first + size, len(times))):
        times[n] = times[first]


def _ready(service: str, options: SimulatorOptions, times: array[int], rng: Random) -> array[int]:
    jitter = options.completion_jitter_seconds * SECOND
    late_rate = options.late_alert_rate if service == "alerts" else 0.0
    late = int(options.late_alert_seconds * SECOND)
    draw = rng.random
    # Cubed: most records complete at once, few take long.
    return array(
        "q",
        (time + int(draw() ** 3 * jitter) + (late if draw() < late_rate else 0) for time in times),
    )


def _draw_oddities(options: SimulatorOptions, count: int, rng: Random) -> bytearray:
    """Per record, 0 or 1 + the place of its oddity in ``CONTENT_ODDITIES``."""
    limits = list(accumulate(getattr(options, f"{name}_rate") for name in CONTENT_ODDITIES))
    draw = rng.random
    drawn = bytearray(count)
    for n in range(count):
        kind = bisect_right(limits, draw())
        drawn[n] = kind + 1 if kind < len(limits) else 0
    return drawn


def _draw_traits(options: SimulatorOptions, count: int, rng: Random) -> bytearray:
    rates = (
        (REPEATED_LIVE, options.duplicate_rate),
        (REPEATED_IN_ARCHIVE, options.archive_duplicate_rate),
        (LATE_IN_ARCHIVE, options.late_archive_rate),
        (FRAGMENTED, options.fragmented_rate),
        (AFTER_EMPTY, options.empty_message_rate),
    )
    draw = rng.random
    return bytearray(sum(trait for trait, rate in rates if draw() < rate) for _ in range(count))


class History:
    """The timelines of all services."""

    def __init__(self, options: SimulatorOptions) -> None:
        """Lay out every service."""
        self._timelines = {service: Timeline(service, options) for service in SERVICES}

    def __getitem__(self, service: str) -> Timeline:
        """The timeline of a service."""
        return self._timelines[service]
