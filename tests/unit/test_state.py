"""The stored form of a checkpoint."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from collector.core import checkpoint as rules
from collector.core.checkpoint import Checkpoint, Live, Look
from collector.core.state import (
    clock_is_behind,
    corrected,
    from_state,
    set_right,
    to_state,
    undated_is_ahead,
    upgraded,
)
from collector.core.times import DAY, HOUR, SECOND
from tests.fakes.pulls import START, hours

FULL = Checkpoint(
    initial_start_time=START,
    since=START + HOUR,
    last_event_time=START + 1,
    last_ids=("a", "é"),
    cursor="c",
    owed=(hours(0, 1), hours(3, 5)),
    live=Live(START + HOUR, clean=True, unbroken_since=START),
    looks=(Look(START + DAY, START, START + HOUR),),
)


def test_new_service() -> None:
    """A new service shows Devo's four names, and from when on it is complete."""
    assert to_state(rules.started(START)) == {
        "initial_start_time_in_utc": "2026-01-01T00:00:00Z",
        "last_event_time_in_utc": "2026-01-01T00:00:00Z",
        "last_ids": [],
        "@persistence_version": 1,
        "since_in_utc": "2026-01-01T00:00:00Z",
    }


def test_every_part_is_shown() -> None:
    """All that a checkpoint holds can be read by an operator."""
    assert to_state(FULL) == {
        "initial_start_time_in_utc": "2026-01-01T00:00:00Z",
        "last_event_time_in_utc": "2026-01-01T00:00:00.000001Z",
        "last_ids": ["a", "é"],
        "@persistence_version": 1,
        "since_in_utc": "2026-01-01T01:00:00Z",
        "next_page_token": "c",
        "owed_hours_in_utc": [
            "2026-01-01T00:00:00Z/2026-01-01T01:00:00Z",
            "2026-01-01T03:00:00Z/2026-01-01T05:00:00Z",
        ],
        "live_heard_until_in_utc": "2026-01-01T01:00:00Z",
        "live_closed_cleanly": True,
        "live_unbroken_since_in_utc": "2026-01-01T00:00:00Z",
        "second_looks_in_utc": [
            "2026-01-01T00:00:00Z/2026-01-01T01:00:00Z not before 2026-01-02T00:00:00Z"
        ],
    }


@pytest.mark.parametrize("checkpoint", [FULL, rules.started(START)])
def test_round_trip(checkpoint: Checkpoint) -> None:
    """The stored form, through JSON and back, is the same checkpoint."""
    assert from_state(json.loads(json.dumps(to_state(checkpoint)))) == checkpoint


@pytest.mark.parametrize(
    "change",
    [
        {"since_in_utc": None},
        {"since_in_utc": 5},
        {"since_in_utc": "soon"},
        {"last_ids": 5},
        {"@persistence_version": 2},
        {"@persistence_version": 0},
        {"@persistence_version": "1"},
        {"owed_hours_in_utc": ["2026-01-01T00:00:00Z"]},
        {"owed_hours_in_utc": ["2026-01-01T00:00:00Z/2026-01-01T00:00:00Z"]},
        {"owed_hours_in_utc": [5]},
        {"second_looks_in_utc": ["tomorrow"]},
        {"live_heard_until_in_utc": "2026-01-01T00:00:00Z", "live_closed_cleanly": ...},
    ],
)
def test_no_state_of_ours(change: dict[str, Any]) -> None:
    """What is none of our states is refused, and read as nothing else."""
    state = {name: value for name, value in (to_state(FULL) | change).items() if value is not ...}
    with pytest.raises(ValueError, match=r".+"):
        from_state(state)


def test_absent_field() -> None:
    """The message names what is missing."""
    state = to_state(FULL)
    del state["since_in_utc"]
    with pytest.raises(ValueError, match="since_in_utc"):
        from_state(state)


def test_upgraded() -> None:
    """Today's form needs no upgrade."""
    assert upgraded(to_state(FULL)) == to_state(FULL)


def test_nothing_to_correct() -> None:
    """Live marks the end of its hour; clocks differ by a minute."""
    assert corrected(FULL, START + HOUR - 60 * SECOND) == FULL


@pytest.mark.parametrize("ahead", [3 * HOUR, 3 * DAY, 4000 * DAY])
def test_clock_that_ran_ahead(ahead: int) -> None:
    """A mark that would hide all new events goes back to before the newest event taken."""
    before = msgspec.structs.replace(FULL, since=START + ahead, last_event_time=START + HOUR)
    assert not clock_is_behind(before, START + HOUR)
    after = corrected(before, START + HOUR)
    assert after == msgspec.structs.replace(before, since=START)


def test_going_back_ends_at_the_start() -> None:
    """What lies before the configured start was never asked for."""
    before = msgspec.structs.replace(FULL, since=START + DAY, last_event_time=START + 1)
    assert corrected(before, START + HOUR).since == START


def test_live_that_was_heard_in_the_future() -> None:
    """A session of the future proves nothing: what came last is owed when live begins anew."""
    ahead = Live(START + 3 * DAY, clean=True, unbroken_since=START)
    after = corrected(msgspec.structs.replace(FULL, since=ahead.heard_until, live=ahead), START)
    assert after.live is not None
    assert (after.live.heard_until, after.live.clean) == (START, False)


@pytest.mark.parametrize("behind", [2 * HOUR, 3 * DAY, START // 2])
def test_clock_that_is_behind(behind: int) -> None:
    """Marks and events agree that it is later: the clock is wrong, and nothing is forgotten."""
    later = START + DAY
    live = Live(later, clean=True, unbroken_since=START)
    known = msgspec.structs.replace(FULL, since=later, last_event_time=later, live=live)
    assert clock_is_behind(known, later - behind)
    assert corrected(known, later - behind) == known
    assert not clock_is_behind(known, later)


def test_one_event_of_the_future() -> None:
    """A single record with a wrong date moves only what the operator reads."""
    before = msgspec.structs.replace(FULL, last_event_time=START + 400 * DAY, last_ids=("x",))
    after = corrected(before, START + HOUR)
    assert after == msgspec.structs.replace(before, last_event_time=START + HOUR, last_ids=())


def test_start_in_the_future() -> None:
    """A start that the operator set days ahead is no wrong clock."""
    later = rules.started(START + 9 * DAY)
    assert corrected(later, START) == later


def test_a_stream_without_times_whose_clock_ran_ahead() -> None:
    """Its newest event has our own time, and proves nothing; the marks are those of now."""
    later = START + 9 * HOUR
    live = Live(later, clean=True, unbroken_since=START)
    known = msgspec.structs.replace(FULL, since=later, last_event_time=later, live=live)
    now = START + 4 * HOUR + 1
    assert corrected(known, now) == known
    after = set_right(known, now, now - SECOND)
    assert after.live == Live(now - SECOND, clean=False, unbroken_since=now - SECOND)
    assert (after.since, after.last_event_time, after.last_ids) == (START + 5 * HOUR, now, ())
    assert after.initial_start_time == START


@pytest.mark.parametrize("now", [START - 1, START + HOUR - 60 * SECOND, START + DAY])
def test_a_stream_without_times_whose_clock_is_believed(now: int) -> None:
    """It is not ahead; or it says less than when the stream began, and has lost the date."""
    assert not undated_is_ahead(FULL, now)
    assert set_right(FULL, now, now) == FULL
