"""How every hour stands: one of four, and a gap in the end when nobody reads it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core import checkpoint as rules
from collector.core import ledger
from collector.core.ledger import DONE, PARTIAL, SETTLING, STATES, UNRECOVERABLE, Account
from collector.core.model import Micros, Window
from collector.core.standing import GAP, KINDS, Terms, standing
from collector.core.times import HOUR
from tests.fakes.pulls import START, hours

MISSING = "missing"
"""The state of an hour without a row."""
RUNS = settings(max_examples=200)
TERMS = st.builds(
    Terms,
    settle=st.integers(0, 3 * HOUR),
    again=st.integers(0, 30 * HOUR),
    margin=st.integers(0, 30 * HOUR),
)
LOOKS = st.none() | st.integers(START, START + 100 * HOUR)
MOMENTS = st.integers(START - 10 * HOUR, START + 300 * HOUR)


def hour(state: str) -> Account:
    """The first hour after the start, in this state."""
    return Account(span=hours(0, 1), state=state)


@RUNS
@given(st.sampled_from([*STATES, MISSING]), LOOKS, TERMS, MOMENTS)
def test_every_hour_is_one_of_four(
    state: str, look: Micros | None, terms: Terms, now: Micros
) -> None:
    """What the row says decides, and the time only about hours that may still come."""
    found = standing(hour(state), look, terms, now)
    assert found.kind in KINDS
    assert (found.kind == ledger.COMPLETE) == (state in DONE)
    assert (found.kind == UNRECOVERABLE) == (state == UNRECOVERABLE)
    if state == PARTIAL:
        assert found.kind == GAP
    if found.kind == SETTLING:
        assert now < found.overdue == found.due + terms.margin


@RUNS
@given(st.sampled_from([*STATES, MISSING]), LOOKS, TERMS, MOMENTS, st.integers(0, 400 * HOUR))
def test_an_hour_that_nobody_reads_becomes_a_gap(
    state: str, look: Micros | None, terms: Terms, now: Micros, later: Micros
) -> None:
    """Once the moment that was named has passed, without progress, it is one for ever."""
    row = hour(state)
    found = standing(row, look, terms, now)
    if found.kind == SETTLING:
        assert standing(row, look, terms, found.overdue).kind == GAP
        assert standing(row, look, terms, found.overdue + later).kind == GAP


@RUNS
@given(LOOKS, TERMS, MOMENTS)
def test_no_hour_settles_for_longer_than_is_ever_wanted(
    look: Micros | None, terms: Terms, now: Micros
) -> None:
    """Also when a clock that ran ahead has set the moment of its second reading."""
    found = standing(hour(SETTLING), look, terms, now)
    due = max(START + HOUR + terms.settle, now + terms.again + terms.margin)
    assert found.due <= due


@RUNS
@given(TERMS, st.integers(0, 20), st.lists(st.integers(0, 20), max_size=8))
def test_asking_again_hides_nothing(terms: Terms, first: int, asked: list[int]) -> None:
    """Whoever asks for an hour again and again never makes it due later than it was."""
    wished = rules.look_again(rules.started(START), hours(0, 1), START + first * HOUR)
    before = rules.look_at(wished, hours(0, 1))
    for when in asked:
        wished = rules.look_again(wished, hours(-1, 2), START + when * HOUR)
        look = rules.look_at(wished, hours(0, 1))
        assert look is not None
        assert before is not None
        assert look <= before
        now = START + 21 * HOUR
        was, is_now = (standing(hour(SETTLING), each, terms, now) for each in (before, look))
        assert is_now.overdue <= was.overdue
        before = look


@RUNS
@given(st.integers(0, 5), st.integers(1, 5), st.integers(0, 9), st.integers(0, 9))
def test_looks_cover_what_was_asked_for(start: int, length: int, one: int, other: int) -> None:
    """Each hour is read at the earliest moment for which it was asked; no look is doubled."""
    spans = [(hours(2, 5), one), (hours(start, start + length), other)]
    mark = rules.started(START)
    for span, when in spans:
        mark = rules.look_again(mark, span, START + when * HOUR)
    for each in ledger.hours_in(Window(START, START + 12 * HOUR)):
        wanted = [when for span, when in spans if span.start <= each.start < span.end]
        expected = START + min(wanted) * HOUR if wanted else None
        assert rules.look_at(mark, each) == expected
    assert sum(look.end - look.start for look in mark.looks) == HOUR * len(
        {each for span, _ in spans for each in range(span.start, span.end, HOUR)}
    )
