"""Named places where a test lets something go wrong: a crash, an error, a delay.

The product passes each place once a page, batch or transaction, never once a
record, and nothing happens there unless a test has planned something.  A test
passes every place (``tests/crash/test_fault_points.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Plan: TypeAlias = Callable[[str], None]
"""Told the name of each place that is passed; what it raises is raised there."""

POINTS = frozenset(
    {
        *("token.request", "token.store"),
        *("page.request", "page.headers", "page.body", "page.parse"),
        *("dedup.check", "event.flatten"),
        *("tx.begin", "tx.spool", "tx.dedup", "tx.checkpoint"),
        *("tx.commit.before", "tx.commit.after"),
        *("send.claim", "send.connect"),
        *("send.write.before", "send.write.partial", "send.write.after"),
        *("ack.wait", "ack.received", "tx.ack.before", "tx.ack.after"),
        *("rotate", "gc.spool", "gc.dedup", "shutdown"),
    }
)

_plans: list[Plan] = []


def point(name: str) -> None:
    """Pass a place; raises what the plan raises, and ``LookupError`` for a place not listed."""
    for plan in _plans:
        if name not in POINTS:
            raise LookupError(f"{name} is not in collector.core.fault.POINTS")
        plan(name)


@contextmanager
def planned(plan: Plan) -> Iterator[None]:
    """Within the block, in all threads, the plan is told of every place."""
    _plans.append(plan)
    try:
        yield
    finally:
        _plans.remove(plan)
