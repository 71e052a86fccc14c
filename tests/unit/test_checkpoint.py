"""Where a service stands, and how it may move."""

from __future__ import annotations

import msgspec
import pytest

from collector.core import checkpoint as rules
from collector.core.checkpoint import MAX_LAST_IDS, Checkpoint, Live, Look
from collector.core.model import NO_TIME, Window
from collector.core.times import HOUR
from tests.fakes.pulls import MINUTE, START, event, hours

MEMORY, SLACK = 50 * MINUTE, 15 * MINUTE


def at(hour: float) -> int:
    """So many hours after the start."""
    return START + round(hour * HOUR)


def heard(until: float, *, clean: bool, since: float = 0.0) -> Checkpoint:
    """A service whose last live session was heard until then."""
    checkpoint = msgspec.structs.replace(
        rules.started(START), live=Live(at(since), clean=False, unbroken_since=at(since))
    )
    return rules.heard(checkpoint, at(until), clean=clean)


def fresh(now: float) -> Live:
    """A session that begins: the server may give what is older than it first."""
    moment = at(now)
    return Live(moment, clean=False, unbroken_since=moment, backlog=Window(moment, moment + 1))


def test_started() -> None:
    """A new service has everything before it."""
    assert rules.started(START) == Checkpoint(START, START, START)


@pytest.mark.parametrize("second", [hours(0, 1), hours(0, 2), hours(1, 2)])
def test_owed_hours_that_touch_are_refused(second: Window) -> None:
    """Owed hours that are not sorted, apart and merged are a defect, not a state."""
    with pytest.raises(ValueError, match="owed hours"):
        Checkpoint(START, START, START, owed=(hours(0, 1), second))


def test_taken_moves_what_the_operator_reads() -> None:
    """The newest time and the ids at that instant; older and timeless events change nothing."""
    events = [event(1), event(2, at(1)), event(3, at(1)), event(4, at(0.5)), event(5, NO_TIME)]
    after = rules.taken(rules.started(START), events)
    assert (after.last_event_time, after.last_ids) == (at(1), ("id-2", "id-3"))
    assert after.since == START
    again = rules.taken(after, [event(6, at(1)), event(2, at(1))])
    assert again.last_ids == ("id-2", "id-3", "id-6")


def test_last_ids_are_bounded() -> None:
    """A flood at one instant does not make the checkpoint large."""
    flood = [event(n, at(1)) for n in range(MAX_LAST_IDS + 5)]
    assert len(rules.taken(rules.started(START), flood).last_ids) == MAX_LAST_IDS


def test_completed_never_falls() -> None:
    """A window that ended earlier than what is complete moves nothing."""
    after = rules.completed(rules.started(START), at(2))
    assert after.since == at(2)
    assert rules.completed(after, at(1)) == after


def test_cursor() -> None:
    """The vendor's position is kept and dropped."""
    after = rules.at_cursor(rules.started(START), "c")
    assert after.cursor == "c"
    assert rules.at_cursor(after, None).cursor is None


def test_owing_whole_hours() -> None:
    """What is touched is owed whole, and merged with its neighbours."""
    owed = rules.owing(rules.started(START), at(2.5), at(2.6))
    assert owed.owed == (hours(2, 3),)
    owed = rules.owing(owed, at(5), at(6))
    assert owed.owed == (hours(2, 3), hours(5, 6))
    assert rules.owing(owed, at(3), at(5)).owed == (hours(2, 6),)


@pytest.mark.parametrize(
    ("hour", "left"),
    [
        (hours(1, 2), (hours(2, 5),)),
        (hours(4, 5), (hours(1, 4),)),
        (hours(2, 3), (hours(1, 2), hours(3, 5))),
        (hours(0, 9), ()),
        (hours(5, 6), (hours(1, 5),)),
    ],
)
def test_paid(hour: Window, left: tuple[Window, ...]) -> None:
    """A given hour is cut out of what is owed."""
    assert rules.paid(rules.owing(rules.started(START), at(1), at(5)), hour).owed == left


def test_due() -> None:
    """The oldest owed hour is due once it is old enough."""
    owed = rules.owing(rules.started(START), at(1), at(3))
    assert rules.due(owed, at(2.9), HOUR) is None
    assert rules.due(owed, at(3), HOUR) == hours(1, 2)
    assert rules.due(rules.started(START), at(99), HOUR) is None


def test_planned_from_the_start() -> None:
    """A new service owes all hours from the one that holds its start."""
    after = rules.planned(rules.started(at(0.5)), at(3), SLACK)
    assert (after.owed, after.since) == ((hours(0, 3),), at(3))
    assert rules.planned(after, at(3), SLACK) == after


def test_planned_after_live() -> None:
    """The archive takes over at the hour last heard, less the slack."""
    after = rules.planned(heard(4.1, clean=True), at(6), SLACK)
    assert (after.owed, after.since, after.live) == ((hours(3, 6),), at(6), None)


@pytest.mark.parametrize("newest", [3, 4])
def test_planned_only_when_the_hour_last_heard_can_be_given(newest: int) -> None:
    """Until then nothing changes: the hour that live began would be lost with its mark."""
    before = heard(4.1, clean=False)
    assert rules.planned(before, at(newest), SLACK) == before


def test_first_connection_owes_everything_up_to_now() -> None:
    """Live cannot choose its start: the hours before it are for the archive."""
    after = rules.connected(rules.started(at(0.5)), at(3.2), MEMORY, SLACK)
    assert (after.owed, after.since) == ((hours(0, 4),), at(4))
    assert after.live == fresh(3.2)


def test_start_in_the_future() -> None:
    """A start that is yet to come owes nothing before it."""
    after = rules.connected(rules.started(at(5)), at(3), MEMORY, SLACK)
    assert all(owed.start >= at(5) for owed in after.owed)


def test_following_a_clean_end() -> None:
    """The server goes on where an orderly session ended less than its memory ago.

    What it will give is not heard yet.
    """
    after = rules.connected(heard(3.1, clean=True), at(3.9), MEMORY, SLACK)
    assert after.owed == ()
    backlog = Window(at(3.1), at(3.9) + 1)
    assert after.live == Live(at(3.1), clean=False, unbroken_since=START, backlog=backlog)


def resumed() -> Checkpoint:
    """A session that follows one which ended in order: the first of what waited has come."""
    after = rules.connected(heard(3.9, clean=True), at(4.5), MEMORY, SLACK)
    early = [event(1, at(3.91)), event(2, NO_TIME), event(3, at(9))]
    return rules.caught_up(rules.heard(after, at(4.6), clean=False), early, at(4.6), quiet=False)


def test_what_waited_is_not_vouched_for() -> None:
    """An hour of which the server still gives records is neither heard whole nor complete."""
    after = rules.heard(resumed(), at(4.9), clean=False)
    assert hours(3, 4) not in rules.heard_whole(heard(3.9, clean=True), after, SLACK)
    assert rules.complete_until(after) == at(3.9)


@pytest.mark.parametrize("clean", [True, False])
def test_archive_takes_over_before_all_that_waited_was_given(clean: bool) -> None:  # noqa: FBT001
    """It is to give all hours since the last one that was heard to its end."""
    after = rules.heard(resumed(), at(4.7), clean=clean)
    assert rules.planned(after, at(6), SLACK).owed == (hours(3, 6),)


def test_what_waited_is_too_old_for_a_third_session() -> None:
    """Two short sessions one after the other: the server remembers from the first's end."""
    ended = rules.heard(resumed(), at(4.6), clean=True)
    assert rules.connected(ended, at(4.7), MEMORY, SLACK).owed == ()
    after = rules.connected(ended, at(4.8), MEMORY, SLACK)
    assert after.owed == (hours(2, 5),)
    assert after.live == fresh(4.8)


def test_an_event_of_the_session_itself() -> None:
    """Once one comes that is younger than the session, all that waited has been given."""
    after = rules.caught_up(resumed(), [event(4, at(4.51))], at(4.61), quiet=False)
    assert after.live == Live(at(4.6), clean=False, unbroken_since=START)
    later = rules.heard(after, at(5.3), clean=False)
    assert hours(3, 4) in rules.heard_whole(resumed(), later, SLACK)


def test_nothing_comes_any_more() -> None:
    """A server that has been silent for long has given all."""
    behind = rules.heard(resumed(), at(5.4), clean=False)
    assert rules.caught_up(behind, [], at(5.4), quiet=False) == behind
    after = rules.caught_up(behind, [], at(5.4), quiet=True)
    assert after.live == Live(at(5.4), clean=False, unbroken_since=START)


@pytest.mark.parametrize(
    ("clean", "now", "owed"),
    [(True, 3.95, hours(2, 4)), (False, 3.2, hours(2, 4)), (False, 7.5, hours(2, 8))],
)
def test_not_following(clean: bool, now: float, owed: Window) -> None:  # noqa: FBT001 - a table
    """A gap too long, or an end that proves nothing: all touched hours are owed."""
    after = rules.connected(heard(3.1, clean=clean), at(now), MEMORY, SLACK)
    assert after.owed == (owed,)
    assert after.live == fresh(now)


def test_vendor_clock_ahead_of_ours() -> None:
    """A record that was lost just before the hour may already be one of the next hour."""
    after = rules.connected(heard(3.1, clean=False), at(4) - 1, MEMORY, SLACK)
    assert after.owed == (hours(2, 5),)


def test_heard_through() -> None:
    """An hour counts as heard once its late records have come, and counts once."""
    before = heard(2.9, clean=False, since=0.5)
    after = rules.heard(before, at(4.2), clean=False)
    assert rules.heard_whole(before, after, SLACK) == [hours(2, 3)]
    assert rules.heard_whole(heard(0.6, clean=False, since=0.5), after, SLACK) == [
        hours(1, 2),
        hours(2, 3),
    ]
    assert rules.heard_whole(after, rules.heard(after, at(4.26), clean=False), SLACK) == [
        hours(3, 4)
    ]
    assert rules.heard_whole(rules.started(START), after, SLACK) == []


def test_owed_hours_are_not_heard_through() -> None:
    """What the archive still has to give is not vouched for by live."""
    before = heard(0.6, clean=False)
    after = rules.heard(rules.owing(before, at(1), at(2)), at(4.2), clean=False)
    assert rules.heard_whole(before, after, SLACK) == [hours(0, 1), hours(2, 3)]


def test_looks() -> None:
    """Hours are looked at again in the order of their moments; the earliest wish counts."""
    wished = rules.look_again(rules.started(START), hours(3, 4), at(9))
    wished = rules.look_again(wished, hours(1, 3), at(10))
    assert rules.due_look(wished, at(8)) is None
    assert rules.due_look(wished, at(9)) == hours(3, 4)
    done = rules.looked(rules.looked(wished, hours(3, 4)), hours(1, 2))
    assert done.looks == (Look(at(10), at(2), at(3)),)
    assert rules.look_again(done, hours(2, 3), at(12)).looks == (Look(at(10), at(2), at(3)),)
    assert rules.look_again(done, hours(2, 3), at(9)).looks == (Look(at(9), at(2), at(3)),)
    assert rules.look_at(done, hours(2, 3)) == at(10)
    assert rules.look_at(done, hours(1, 2)) is None


def test_complete_until() -> None:
    """Nothing is outstanding before the oldest of what is owed, heard and complete."""
    assert rules.complete_until(rules.completed(rules.started(START), at(5))) == at(5)
    assert rules.complete_until(heard(4.1, clean=True)) == at(4.1)
    assert rules.complete_until(rules.owing(heard(4.1, clean=True), at(2), at(3))) == at(2)
