"""The checkpoint of a PoD service, against a model that remembers every minute.

A minute is covered when an archive hour gave it, or live was listening and nothing
proves otherwise.  Whatever happens, each minute before ``since`` is covered or owed.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from collector.core import checkpoint as rules
from collector.core.checkpoint import Checkpoint
from collector.core.model import Window
from collector.core.put_off import LONGEST, after_failure
from collector.core.state import from_state, to_state
from collector.core.times import HOUR, floor_hour
from tests.fakes.pulls import MINUTE, START

MEMORY, SLACK, DELAY = 50 * MINUTE, 15 * MINUTE, 60 * MINUTE
STEPS = st.sampled_from([1, 4, 11, 29, 45, 61, 130])


def minutes(start: int, end: int) -> set[int]:
    """The whole minutes of a span, rounded outwards."""
    return set(range(start // MINUTE, -(-end // MINUTE)))


class Service(RuleBasedStateMachine):
    """One service through live sessions, archive hours and restarts in either mode."""

    def __init__(self) -> None:
        """Begin a few hours after the configured start."""
        super().__init__()
        self.initial = START + 17 * MINUTE
        self.now = START + 3 * HOUR
        self.checkpoint = rules.started(self.initial)
        self.covered: set[int] = set()
        self.listening = False
        self.heard = self.now

    def move(self, after: Checkpoint) -> None:
        """Take a step; ``since`` never falls."""
        assert after.since >= self.checkpoint.since
        self.checkpoint = after

    @precondition(lambda self: not self.listening)
    @rule(step=STEPS)
    def connect(self, step: int) -> None:
        """A session begins; soon after a clean end, the server goes on where it was."""
        self.now += step * MINUTE
        before = self.checkpoint.live
        if before is not None and before.clean and self.now - before.heard_until < MEMORY:
            self.covered |= minutes(before.heard_until, self.now)
        self.move(rules.connected(self.checkpoint, self.now, MEMORY, SLACK))
        self.listening = True
        self.heard = self.now
        self.nothing_is_missing()

    @precondition(lambda self: self.listening)
    @rule(step=STEPS, ends=st.sampled_from(["", "clean", "abrupt"]))
    def hear(self, step: int, ends: str) -> None:
        """Records arrive, and the session goes on, ends in order, or breaks."""
        self.now += step * MINUTE
        self.covered |= minutes(self.heard, self.now)
        self.heard = self.now
        self.move(rules.heard(self.checkpoint, self.now, clean=ends == "clean"))
        if ends == "abrupt":
            self.covered -= minutes(self.now - SLACK, self.now)
        self.listening = ends == ""

    @precondition(lambda self: not self.listening)
    @rule(step=STEPS)
    def plan_archive(self, step: int) -> None:
        """A pull in archive mode: all hours it can give, that nothing else gave, are owed."""
        self.now += step * MINUTE
        self.move(rules.planned(self.checkpoint, floor_hour(self.now - DELAY), SLACK))
        if self.checkpoint.live is None:
            self.nothing_is_missing()

    @precondition(lambda self: not self.listening)
    @rule(count=st.integers(1, 9))
    def fetch(self, count: int) -> None:
        """The archive gives what is due, oldest first."""
        for _ in range(count):
            hour = rules.due(self.checkpoint, self.now, DELAY)
            if hour is None:
                return
            assert hour.start == min(owed.start for owed in self.checkpoint.owed)
            assert hour.end + DELAY <= self.now
            self.covered |= minutes(hour.start, hour.end)
            self.move(rules.paid(self.checkpoint, hour))

    def nothing_is_missing(self) -> None:
        """Every minute before ``since`` is covered, owed, or still to come."""
        owed = {m for window in self.checkpoint.owed for m in minutes(window.start, window.end)}
        past = minutes(self.initial, min(self.checkpoint.since, self.now))
        assert past <= self.covered | owed

    @invariant()
    def owed_hours_are_whole_and_apart(self) -> None:
        """What is owed is a sorted list of whole hours with gaps between them."""
        owed = self.checkpoint.owed
        assert all(each.start % HOUR == each.end % HOUR == 0 for each in owed)
        assert all(a.end < b.start for a, b in pairwise(owed))
        assert rules.complete_until(self.checkpoint) <= self.checkpoint.since

    @invariant()
    def survives_a_restart(self) -> None:
        """The stored form holds everything."""
        assert from_state(to_state(self.checkpoint)) == self.checkpoint


TestService = Service.TestCase
TestService.settings = settings(max_examples=150, stateful_step_count=25)


class Owed(RuleBasedStateMachine):
    """Owing and paying, against a set of hours."""

    def __init__(self) -> None:
        """Owe nothing."""
        super().__init__()
        self.checkpoint = rules.started(START)
        self.owed: set[int] = set()
        self.put_off: dict[int, int] = {}
        self.now = START + 10**4 * HOUR

    @rule(start=st.integers(0, 900), length=st.integers(1, 400))
    def owe(self, start: int, length: int) -> None:
        """Some minutes are owed: the hours they touch."""
        first, last = START + start * MINUTE, START + (start + length) * MINUTE
        self.checkpoint = rules.owing(self.checkpoint, first, last)
        self.owed |= set(range(floor_hour(first), last, HOUR))

    @rule(hour=st.integers(0, 20), length=st.integers(1, 3))
    def pay(self, hour: int, length: int) -> None:
        """Some hours are given, owed or not."""
        span = Window(START + hour * HOUR, START + (hour + length) * HOUR)
        self.checkpoint = rules.looked(rules.paid(self.checkpoint, span), span)
        self.owed -= set(range(span.start, span.end, HOUR))
        for start in range(span.start, span.end, HOUR):
            self.put_off.pop(start, None)

    @rule(minutes=st.sampled_from([1, 5, 70, 1000]))
    def fail(self, minutes: int) -> None:
        """The hour that is due cannot be read, and some time passes."""
        hour = rules.due(self.checkpoint, self.now, 0)
        if hour is not None:
            put_off = after_failure(self.checkpoint.put_off, hour, self.now)
            self.checkpoint = msgspec.structs.replace(self.checkpoint, put_off=put_off)
            (added,) = (each for each in put_off if each.start == hour.start)
            assert self.now < added.not_before <= self.now + LONGEST
            self.put_off[hour.start] = added.not_before
        self.now += minutes * MINUTE

    @invariant()
    def survives_a_restart(self) -> None:
        """The stored form holds what is put off, too."""
        assert from_state(to_state(self.checkpoint)) == self.checkpoint

    @invariant()
    def same_hours(self) -> None:
        """Both know the same hours, and which is the oldest that is not put off."""
        spans = self.checkpoint.owed
        assert {h for span in spans for h in range(span.start, span.end, HOUR)} == self.owed
        due = rules.due(self.checkpoint, self.now, 0)
        free = {start for start in self.owed if self.put_off.get(start, 0) <= self.now}
        assert (due and due.start) == min(free, default=None)
        assert rules.due(self.checkpoint, START, DELAY) is None


TestOwed = Owed.TestCase
TestOwed.settings = settings(max_examples=60, stateful_step_count=20)


NEVER = START + 10**4 * HOUR


class Looks(RuleBasedStateMachine):
    """Second looks, against a dictionary of hours."""

    def __init__(self) -> None:
        """Nothing is to be read again."""
        super().__init__()
        self.checkpoint = rules.started(START)
        self.looks: dict[int, int] = {}

    @rule(hour=st.integers(0, 12), length=st.integers(1, 3), when=st.integers(0, 50))
    def look_again(self, hour: int, length: int, when: int) -> None:
        """Some hours are to be read again; the earliest wish counts."""
        span = Window(START + hour * HOUR, START + (hour + length) * HOUR)
        self.checkpoint = rules.look_again(self.checkpoint, span, START + when * HOUR)
        for start in range(span.start, span.end, HOUR):
            self.looks[start] = min(START + when * HOUR, self.looks.get(start, NEVER))

    @rule(hour=st.integers(0, 14))
    def looked(self, hour: int) -> None:
        """An hour has been read again, wanted or not."""
        start = START + hour * HOUR
        self.checkpoint = rules.looked(self.checkpoint, Window(start, start + HOUR))
        self.looks.pop(start, None)

    @rule(now=st.integers(0, 60))
    def due(self, now: int) -> None:
        """The look that has waited longest comes first."""
        found = rules.due_look(self.checkpoint, START + now * HOUR)
        due = [(when, start) for start, when in self.looks.items() if when <= START + now * HOUR]
        assert (found and found.start) == (min(due)[1] if due else None)

    @invariant()
    def same_hours(self) -> None:
        """Both know the same hours, and the form that is stored does, too."""
        hours = [
            (start, look.not_before)
            for look in self.checkpoint.looks
            for start in range(look.start, look.end, HOUR)
        ]
        assert len(hours) == len(set(hours))
        assert dict(hours) == self.looks
        assert from_state(to_state(self.checkpoint)) == self.checkpoint


TestLooks = Looks.TestCase
TestLooks.settings = settings(max_examples=60, stateful_step_count=20)
