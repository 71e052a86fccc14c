"""The rules of health: which signal leads where, and what stands against a source."""

from __future__ import annotations

import pytest

from collector.core import health as rules
from collector.core.health import (
    MAX_EVENTS,
    MAX_TEXT,
    Change,
    Fault,
    Health,
    Kind,
    Notice,
    Signal,
    State,
    following,
)
from collector.core.model import NO_TIME
from tests.fakes.pulls import MINUTE, START

DOWN = Fault(kind=Kind.THIRD_PARTY_GENERIC, number=503, cause="it is down", remedy="wait")
REFUSED = Fault(kind=Kind.THIRD_PARTY_CONFIG, number=103, cause="refused", remedy="check")
ORDER = [Signal.STARTED, Signal.PREPARED, Signal.GRANTED, Signal.PROGRESSED]
RUNNING = [each for each in State if each not in {State.STOPPING, State.STOPPED}]


def standing(state: State) -> Health:
    """The health of a source in that state."""
    return Health(state=state, since=START, cause="before")


def test_the_way_of_a_source() -> None:
    """Pending, started, initialized, authenticated, collecting, stopping, stopped."""
    health = rules.begun(None, START)
    seen = [health.state]
    for number, signal in enumerate([*ORDER, Signal.STOP_ASKED, Signal.ENDED], 1):
        health = rules.signalled(health, signal, START + number)
        seen.append(health.state)
        assert health.since == START + number
    assert seen == [state for state in State if state is not State.ERROR]


@pytest.mark.parametrize("state", RUNNING)
def test_error_from_any_state(state: State) -> None:
    """A fault in any state of a run leads to error, with its number and cause as the reason."""
    after = rules.failed(standing(state), "pull", DOWN, START + 5)
    assert after.state is State.ERROR
    if state is not State.ERROR:
        assert (after.since, after.cause) == (START + 5, "ThirdPartyGeneric 503: it is down")


@pytest.mark.parametrize("state", [State.STOPPING, State.STOPPED])
def test_what_fails_by_the_stop_is_no_error(state: State) -> None:
    """A source that stops goes on stopping; the event is kept."""
    after = rules.failed(standing(state), "pull", DOWN, START + 5)
    assert (after.state, len(after.events)) == (state, 1)


@pytest.mark.parametrize("state", [State.AUTHENTICATED, State.COLLECTING, State.ERROR])
@pytest.mark.parametrize("signal", [Signal.STARTED, Signal.PREPARED, Signal.GRANTED])
def test_a_job_that_starts_again_goes_not_back(state: State, signal: Signal) -> None:
    """A second run of a job is no news; an error lasts until there is progress."""
    assert rules.signalled(standing(state), signal, START + 9) == standing(state)


def test_each_signal_says_something() -> None:
    """Every signal leads somewhere from at least one state."""
    for signal in Signal:
        assert any(following(state, signal) is not state for state in State)


def test_a_fault_that_lasts_is_counted() -> None:
    """One event: its count, its first and its last time; the state keeps its time."""
    health = standing(State.COLLECTING)
    for minute in range(5):
        health = rules.failed(health, "pull", DOWN, START + minute * MINUTE)
    (event,) = health.events
    assert (event.count, event.first_seen, event.last_seen) == (5, START, START + 4 * MINUTE)
    assert health.since == START


def test_progress_clears_the_part_that_made_it() -> None:
    """The archive may fail while live goes on: the source stays in error until both work."""
    health = rules.failed(standing(State.COLLECTING), "pull", REFUSED, START)
    health = rules.failed(health, "live", DOWN, START)
    health = rules.progressed(health, "live", START + 1)
    assert (health.state, [each.part for each in health.events]) == (State.ERROR, ["pull"])
    health = rules.progressed(health, "pull", START + 2)
    assert (health.state, health.events, health.since) == (State.COLLECTING, (), START + 2)


def test_a_new_run_begins_with_a_clean_sheet() -> None:
    """What stood against the last run is forgotten, when the last record came is not."""
    before = Health(state=State.ERROR, since=START, cause="c", last_data=START - 7)
    before = rules.failed(before, "pull", DOWN, START)
    after = rules.begun(before, START + 3)
    assert (after.state, after.since, after.events) == (State.PENDING, START + 3, ())
    assert after.last_data == START - 7


def test_what_is_kept_is_bounded() -> None:
    """Neither many faults nor long texts grow without end; the newest are kept."""
    health = standing(State.COLLECTING)
    for number in range(2 * MAX_EVENTS):
        fault = Fault(kind=Kind.FIRST_PARTY_GENERIC, number=number, cause="x" * 5000, remedy="y")
        health = rules.failed(health, "pull", fault, START)
    assert [each.fault.number for each in health.events] == [*range(MAX_EVENTS, 2 * MAX_EVENTS)]
    assert {len(each.fault.cause) for each in health.events} == {MAX_TEXT}
    assert len(health.cause) <= MAX_TEXT


@pytest.mark.parametrize(
    ("state", "last_data", "quiet", "limit", "silent"),
    [
        (State.COLLECTING, START, 101.0, 100.0, True),
        (State.COLLECTING, START, 100.0, 100.0, False),
        (State.COLLECTING, START, 1e9, 0.0, False),
        (State.COLLECTING, NO_TIME, 1e9, 100.0, False),
        (State.ERROR, START, 1e9, 100.0, False),
        (State.STOPPED, START, 1e9, 100.0, False),
    ],
)
def test_silence(state: State, last_data: int, quiet: float, limit: float, silent: bool) -> None:  # noqa: FBT001
    """Only a source that is connected, and used to bring records, is silent."""
    health = Health(state=state, since=START, cause="", last_data=last_data)
    assert rules.is_silent(health, quiet, limit) is silent


def test_news() -> None:
    """A change of state with the one before, events that open and clear; a count is no news."""
    fine = standing(State.COLLECTING)
    bad = rules.failed(fine, "pull", DOWN, START + 1)
    worse = rules.failed(bad, "pull", DOWN, START + 2)
    change, opened = rules.news("pod#audit", fine, bad, START + 1)
    assert isinstance(change, Change)
    assert (change.previous, change.state) == (State.COLLECTING, State.ERROR)
    assert isinstance(opened, Notice)
    assert (opened.status, opened.event.fault) == ("opened", DOWN)
    assert list(rules.news("pod#audit", bad, worse, START + 2)) == []
    _, cleared = rules.news("pod#audit", worse, fine, START + 3)
    assert isinstance(cleared, Notice)
    assert (cleared.status, cleared.event.count) == ("cleared", 2)
