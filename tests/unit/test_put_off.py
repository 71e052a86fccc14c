"""The rules of hours that are put off."""

from __future__ import annotations

import msgspec
import pytest

from collector.core import checkpoint as rules
from collector.core import state
from collector.core.put_off import LONGEST, PutOff, after_failure, believed, first_free, without
from collector.core.times import DAY, HOUR
from tests.fakes.pulls import MINUTE, START, hours


def test_waits_grow_up_to_a_limit() -> None:
    """Soon at first, ever more seldom, and never less often than twice a day."""
    put_off: tuple[PutOff, ...] = ()
    waits = []
    for _ in range(8):
        put_off = after_failure(put_off, hours(2, 3), START)
        waits.append((put_off[0].not_before - START) // MINUTE)
    assert waits == [1, 4, 16, 64, 256, 720, 720, 720]
    assert put_off == (PutOff(START + 2 * HOUR, START + LONGEST, 8),)


def test_each_hour_waits_for_itself() -> None:
    """They are sorted, and one that fails changes nothing about another."""
    put_off = after_failure(after_failure((), hours(2, 3), START), hours(1, 2), START + HOUR)
    assert [(each.hour, each.failures) for each in put_off] == [(hours(1, 2), 1), (hours(2, 3), 1)]
    assert without(put_off, hours(0, 2)) == put_off[1:]


def test_first_free() -> None:
    """The hours between those that wait, across spans; none when all wait."""
    put_off = after_failure(after_failure((), hours(0, 1), START), hours(1, 2), START)
    assert first_free([hours(0, 3)], put_off, START) == hours(2, 3)
    assert first_free([hours(0, 2), hours(5, 6)], put_off, START) == hours(5, 6)
    assert first_free([hours(0, 2)], put_off, START) is None
    assert first_free([hours(0, 2)], put_off, START + MINUTE) == hours(0, 1)
    assert first_free([], put_off, START) is None


def test_due_hours_and_looks_pass_them_by() -> None:
    """The oldest of what may be asked for, until it may be asked for, too."""
    owing = rules.owing(rules.started(START), START, START + 3 * HOUR)
    mark = rules.look_again(owing, hours(7, 9), START)
    now = START + DAY
    put_off = after_failure(after_failure((), hours(0, 1), now), hours(7, 8), now)
    waiting = msgspec.structs.replace(mark, put_off=put_off)
    assert rules.due(mark, now, 0) == rules.due(waiting, now + MINUTE, 0) == hours(0, 1)
    assert rules.due(waiting, now, 0) == hours(1, 2)
    assert rules.due(waiting, START + 90 * MINUTE, 0) is None
    assert (rules.due_look(mark, now), rules.due_look(waiting, now)) == (hours(7, 8), hours(8, 9))


def test_what_was_read_or_is_asked_for_anew_waits_no_longer() -> None:
    """The next failure of such an hour is its first."""
    put_off = after_failure(after_failure((), hours(0, 1), START), hours(1, 2), START)
    mark = msgspec.structs.replace(rules.started(START), put_off=put_off)
    assert rules.looked(mark, hours(0, 1)).put_off == put_off[1:]
    assert rules.look_again(mark, hours(0, 2), START).put_off == ()


def test_a_restart_forgets_nothing() -> None:
    """The stored form holds them, for people, too; one of an earlier release has none."""
    put_off = after_failure(after_failure((), hours(0, 1), START), hours(0, 1), START + HOUR)
    mark = msgspec.structs.replace(rules.started(START), put_off=put_off)
    stored = state.to_state(mark)
    assert stored["put_off_hours_in_utc"] == [
        "2026-01-01T00:00:00Z/2026-01-01T01:00:00Z not before 2026-01-01T01:04:00Z, failures: 2"
    ]
    assert state.from_state(stored) == mark
    del stored["put_off_hours_in_utc"]
    assert state.from_state(stored).put_off == ()


@pytest.mark.parametrize(("ahead", "stays"), [(0, True), (DAY, False)])
def test_a_clock_that_ran_ahead(ahead: int, stays: bool) -> None:  # noqa: FBT001 - a table
    """A moment that is further ahead than any that is set is not waited for."""
    put_off = after_failure((), hours(0, 1), START + ahead)
    assert bool(believed(put_off, START)) is stays
    mark = msgspec.structs.replace(rules.started(START), put_off=put_off)
    assert bool(state.corrected(mark, START).put_off) is stays
