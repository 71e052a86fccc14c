"""Several worker processes: what each of them owns, and when a dead one is started again.

All functions are pure; how a worker is started and watched is ``collector.app.worker_processes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

STEADY_SECONDS = 60.0
"""A worker that has run for so long works: its next death is counted as its first."""
ONE_SHOT_STARTS = 5
"""How often a one-shot run tries to start a worker; what it can start runs once."""
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0


def spread(units: Sequence[Sequence[T]], workers: int) -> list[list[T]]:
    """What each worker owns: each unit goes to one of them as a whole, in turn.

    The number of units of two workers differs by one at most, and no worker is
    without any: there are fewer workers where there are fewer units.  A unit that
    is added at the end moves no other, unless it makes for one more worker.
    """
    count = min(workers, len(units))
    return [[each for unit in units[first::count] for each in unit] for first in range(count)]


def share(budget: int, own: int, everybody: int) -> int:
    """The part of a budget for the ``own`` of ``everybody`` who draw on it; 0 is no limit.

    The parts of all never exceed the budget, as long as it has one for each.
    """
    return budget * own // everybody


def deaths(before: int, lived: float) -> int:
    """Deaths in a row, after one more that came when the worker had lived so many seconds."""
    return 1 if lived >= STEADY_SECONDS else before + 1


def pause(deaths_in_a_row: int) -> float:
    """Seconds until a worker is started again: half a second, doubling up to a minute."""
    doublings = min(deaths_in_a_row - 1, 10)
    return min(_FIRST_PAUSE * 2.0**doublings, _LONGEST_PAUSE)
