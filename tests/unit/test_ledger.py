"""The account of what came."""

from __future__ import annotations

from collector.core import ledger
from collector.core.model import NO_TIME, Counts, Window
from collector.core.times import HOUR
from tests.fakes.pulls import START, event, hours


def test_one_row_per_hour() -> None:
    """Events are counted in the hour of their own time; what is not fresh is a duplicate."""
    events = [event(1, START), event(2, START + HOUR), event(3, START + HOUR + 1)]
    rows = ledger.entries(events, events[:2], 0, START + 5 * HOUR, None)
    assert {row.span: row.counts for row in rows} == {
        hours(0, 1): Counts(received=1, spooled=1),
        hours(1, 2): Counts(received=2, spooled=1, duplicate=1),
    }


def test_timeless_and_rejected() -> None:
    """What has no time, or is no event, is counted in the hour in which it was observed."""
    timeless = [event(1, NO_TIME)]
    rows = ledger.entries(timeless, timeless, 2, START + HOUR, None)
    assert [(row.span, row.counts) for row in rows] == [
        (hours(1, 2), Counts(received=3, spooled=1, dead_lettered=2))
    ]


def test_all_in_one_window() -> None:
    """What an archive hour gives is counted there, whatever its time says."""
    events = [event(1, START - 9 * HOUR), event(2, NO_TIME)]
    rows = ledger.entries(events, [], 1, START + 9 * HOUR, hours(2, 3))
    assert [(row.span, row.counts) for row in rows] == [
        (hours(2, 3), Counts(received=3, duplicate=2, dead_lettered=1))
    ]


def test_nothing_came() -> None:
    """An empty page changes no row."""
    assert ledger.entries([], [], 0, START, None) == []


def test_closed_hours() -> None:
    """A span completes the hours that ended within it, the first one included."""
    span = Window(START + HOUR // 2, START + 2 * HOUR + 1)
    assert [row.span for row in ledger.closed(span)] == [hours(0, 1), hours(1, 2)]
    assert all(row.state == ledger.COMPLETE for row in ledger.closed(span))
    assert ledger.closed(Window(START, START + HOUR - 1)) == []


def test_lost_hour() -> None:
    """An hour that can never come says why."""
    row = ledger.lost(hours(0, 1), "too old")
    assert (row.state, row.reason, row.counts) == (ledger.UNRECOVERABLE, "too old", Counts())
