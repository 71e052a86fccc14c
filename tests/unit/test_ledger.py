"""The account of what came."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from collector.core import dedup, ledger
from collector.core.ledger import Account, Received
from collector.core.model import NO_TIME, Counts, Event, Window
from collector.core.times import HOUR
from tests.fakes.pulls import START, event, hours


def page(
    events: Sequence[Event],
    fresh: Sequence[Event],
    rejected: int = 0,
    observed: int = START,
    mode: str = "window",
) -> Received:
    """One page as the ledger is told of it."""
    return Received(
        events=events,
        fresh=fresh,
        digests=[dedup.digest(each) for each in fresh],
        rejected=rejected,
        observed=observed,
        mode=mode,
    )


def test_one_row_per_hour() -> None:
    """Events are counted in the hour of their own time; what is not fresh is a duplicate."""
    events = [event(1, START), event(2, START + HOUR), event(3, START + HOUR + 1)]
    rows = ledger.entries(page(events, events[:2], observed=START + 5 * HOUR), None)
    assert {row.span: row.counts for row in rows} == {
        hours(0, 1): Counts(received=1, spooled=1),
        hours(1, 2): Counts(received=2, spooled=1, duplicate=1),
    }


def test_timeless_and_rejected() -> None:
    """What has no time, or is no event, is counted in the hour in which it was observed."""
    timeless = [event(1, NO_TIME)]
    (row,) = ledger.entries(page(timeless, timeless, 2, START + HOUR + 5), None)
    assert row.span == hours(1, 2)
    assert row.counts == Counts(received=3, spooled=1, dead_lettered=2)
    assert (row.first, row.last) == (NO_TIME, NO_TIME)


def test_all_in_one_window() -> None:
    """What an archive hour gives is counted there, whatever its time says."""
    events = [event(1, START - 9 * HOUR), event(2, NO_TIME)]
    (row,) = ledger.entries(page(events, [], 1, START + 9 * HOUR), hours(2, 3))
    assert row.span == hours(2, 3)
    assert row.counts == Counts(received=3, duplicate=2, dead_lettered=1)


def test_first_and_last() -> None:
    """A row knows the span of the times of its fresh events."""
    events = [event(1, START + 7), event(2, NO_TIME), event(3, START + 3), event(4, START)]
    (row,) = ledger.entries(page(events, events[:3]), hours(0, 1))
    assert (row.first, row.last) == (START + 3, START + 7)


@pytest.mark.parametrize(("mode", "live", "repaired"), [("live", 2, 0), ("repair", 0, 2)])
def test_shares(mode: str, live: int, repaired: int) -> None:
    """A row says how much of it live gave, and how much a second reading."""
    events = [event(1), event(2), event(3)]
    (row,) = ledger.entries(page(events, events[:2], mode=mode), None)
    assert (row.live, row.repaired) == (live, repaired)


def test_nothing_came() -> None:
    """An empty page changes no row."""
    assert ledger.entries(page([], []), None) == []


def test_digest_is_independent_of_order() -> None:
    """Two readings of the same events agree, in whatever order and pages they came."""
    events = [event(n) for n in range(5)]
    (whole,) = ledger.entries(page(events, events), None)
    (head,) = ledger.entries(page(events[3:], events[3:]), None)
    (tail,) = ledger.entries(page(events[:3], events[:3]), None)
    assert whole.digest == ledger.added(head.digest, tail.digest)
    assert whole.digest != head.digest


def test_digest_is_of_events_with_a_time() -> None:
    """The others count, but which row they will be read in again nobody can tell."""
    dated, timeless = event(1), event(2, NO_TIME)
    (both,) = ledger.entries(page([dated, timeless], [dated, timeless]), hours(0, 1))
    (one,) = ledger.entries(page([dated], [dated]), hours(0, 1))
    assert both.counts.spooled == 2
    assert both.digest == one.digest


def test_closed_hours() -> None:
    """A span completes the hours that ended within it, the first one included."""
    span = Window(START + HOUR // 2, START + 2 * HOUR + 1)
    rows = ledger.closed(span)
    assert [row.span for row in rows] == [hours(0, 1), hours(1, 2)]
    assert all((row.state, row.attempts) == (ledger.COMPLETE, 1) for row in rows)
    assert ledger.closed(Window(START, START + HOUR - 1)) == []


@pytest.mark.parametrize(
    ("state", "fresh", "after"),
    [
        ("complete", 0, "verified"),
        ("complete", 1, "repaired"),
        ("settling", 0, "verified"),
        ("verified", 2, "repaired"),
        ("repaired", 0, "repaired"),
    ],
)
def test_looked_at(state: str, fresh: int, after: str) -> None:
    """A second look verifies or repairs; what was once repaired stays so."""
    assert ledger.looked_at(Account(span=hours(0, 1), state=state), fresh).state == after


def test_lost_and_broken_off() -> None:
    """An hour that can never come, or did not come whole, says why."""
    row = ledger.lost(hours(0, 1), "too old")
    assert (row.state, row.reason, row.counts) == (ledger.UNRECOVERABLE, "too old", Counts())
    row = ledger.broken_off(hours(0, 1), "cut")
    assert (row.state, row.reason, row.attempts) == (ledger.PARTIAL, "cut", 1)


@pytest.mark.parametrize(
    ("count", "usual", "few"),
    [(0, None, True), (0, 0, True), (1, None, False), (9, 100, True), (10, 100, False)],
)
def test_strikingly_few(count: int, usual: int | None, few: bool) -> None:  # noqa: FBT001 - a table
    """None at all, or far fewer than usual, wants a second look."""
    assert ledger.strikingly_few(count, usual, 0.1) is few
