"""What a row gives: measurements, and whether they meet the goals."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Measurement(NamedTuple):
    """One thing that was measured: its figures by name, which says the unit."""

    name: str
    figures: Mapping[str, float]


class Verdict(NamedTuple):
    """One goal, by its number in docs/performance.md; ``met`` None: not measured this time."""

    goal: int
    text: str
    figure: str
    met: bool | None


class Outcome(NamedTuple):
    """All that came out of a row; ``notes`` say what a reader has to know."""

    measurements: Sequence[Measurement]
    verdicts: Sequence[Verdict] = ()
    notes: Sequence[str] = ()


def middle(samples: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    found = list(samples)
    return {name: statistics.median(each[name] for each in found) for name in found[0]}


def at_most(goal: int, text: str, value: float, limit: float, unit: str) -> Verdict:
    """A goal that a value does not exceed."""
    return Verdict(goal, text, f"{value:.3g} {unit}", value <= limit)


def skipped(goal: int, text: str, reason: str) -> Verdict:
    """A goal that was not measured, and why."""
    return Verdict(goal, text, reason, met=None)
