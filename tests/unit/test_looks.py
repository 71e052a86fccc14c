"""Reading hours that a person asked for, and nothing else."""

from __future__ import annotations

import pytest

from collector.core import checkpoint as rules
from collector.core.checkpoint import Checkpoint, Live
from collector.core.ledger import UNRECOVERABLE
from collector.core.times import DAY, HOUR
from collector.pullers.base import Source
from collector.pullers.looks import looks_alone
from tests.fakes.pulls import START, hours
from tests.fakes.sources import alerts, events, messages

NOW = START + 9 * HOUR
MARK = rules.owing(
    rules.completed(rules.started(START), START + 4 * HOUR), START + HOUR, START + 2 * HOUR
)
"""Complete up to 4:00, but for an hour that is owed; five hours more are due."""


@pytest.mark.parametrize("source", [alerts(), events(), messages()], ids=lambda each: each.service)
def test_only_what_was_asked_for(source: Source) -> None:
    """The hour is read and closed; position and debt stay where they were."""
    alone = looks_alone(source)
    assert source.plan(MARK, NOW) is not None
    assert alone.plan(MARK, NOW) is None
    asked = rules.look_again(MARK, hours(6, 7), NOW)
    plan = alone.plan(asked, NOW)
    assert plan is not None
    assert (plan.window, plan.counted_in, plan.look) == (hours(6, 7), hours(6, 7), True)
    closed = rules.looked(alone.close(asked, plan), plan.window)
    assert closed == MARK


def test_an_owed_hour_that_was_asked_for_is_owed_no_more() -> None:
    """The next run does not read it once more."""
    alone = looks_alone(messages())
    asked = rules.look_again(MARK, hours(1, 2), NOW)
    plan = alone.plan(asked, NOW)
    assert plan is not None
    assert alone.close(asked, plan).owed == ()


def test_what_live_has_heard_stays() -> None:
    """Preparing takes over nothing from a live session, and lets go of what is too old."""
    mark = Checkpoint(START, START, START, live=Live(NOW, clean=True, unbroken_since=START))
    asked = rules.look_again(mark, hours(0, 1), NOW)
    alone = looks_alone(messages(mode="archive"))
    assert alone.prepare(asked, NOW).checkpoint == asked
    late = alone.prepare(asked, NOW + 31 * DAY)
    assert late.checkpoint == mark
    assert [(entry.span, entry.state) for entry in late.entries] == [(hours(0, 1), UNRECOVERABLE)]
