"""How the last run ended, by what it left and what the kernel counts."""

from __future__ import annotations

import pytest

from collector.app.kernel import KernelCounts
from collector.app.last_run import Marker, ending
from tests.fakes.pulls import START

THEN = KernelCounts(boot="b1", group="7", group_kills=2, machine_kills=5)


def counts(**changed: object) -> KernelCounts:
    """The counters at the next start."""
    known = {name: getattr(THEN, name) for name in THEN.__struct_fields__}
    return KernelCounts(**(known | changed))


@pytest.mark.parametrize(
    ("now", "number", "told"),
    [
        (counts(), 6, "without an orderly stop"),
        (counts(group_kills=3, machine_kills=6), 4, "by the kernel for want of memory"),
        (counts(group_kills=3, machine_kills=None), 4, "by the kernel for want of memory"),
        (counts(group="8", group_kills=0, machine_kills=6), 5, "has ended a process"),
        (counts(group=None, group_kills=None, machine_kills=6), 5, "has ended a process"),
        (counts(group="8", group_kills=9), 6, "without an orderly stop"),
        (counts(boot="b2", group="7", group_kills=9), 3, "machine was started anew"),
        (KernelCounts(), 6, "without an orderly stop"),
    ],
)
def test_endings(now: KernelCounts, number: int, told: str) -> None:
    """A counter that grew in the same group is proof, one of the whole machine a likelihood."""
    fault = ending(Marker(alive=START, kernel=THEN), now)
    assert fault is not None
    assert fault.number == number
    assert told in fault.cause
    assert "2026-01-01T00:00:00Z" in fault.cause
    assert fault.remedy


def test_an_orderly_end_leaves_nothing() -> None:
    """Then it does not matter what the kernel did to others."""
    assert ending(None, counts(group_kills=3)) is None


def test_a_run_on_a_kernel_that_tells_nothing() -> None:
    """Without counters then, nothing is concluded from those of now."""
    fault = ending(Marker(alive=START, kernel=KernelCounts()), THEN)
    assert fault is not None
    assert fault.number == 6
