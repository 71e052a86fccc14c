"""A wall clock that is set while the collector runs (row 10 of the fault matrix).

The true time is that of the vendor; the collector's wall clock is wrong for a while and
then right again.  However wrong it was, nothing is lost, nothing comes twice, and no
rest, pause or token lasts longer than it should.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from collector.app.jobs import Job
from collector.app.outcome import Outcome
from collector.app.services import ServiceJob
from collector.core import checkpoint as rules
from collector.core.gate import AlwaysOpen
from collector.core.model import Micros, Request, Response
from collector.core.policy import Quota
from collector.core.times import DAY, HOUR, SECOND
from collector.errors import AuthenticationError, SessionEnded, VendorUnavailable
from collector.pullers.stream import Streamer, Turns
from collector.setup.casb import CasbSetup
from collector.setup.keeper import Keeper
from collector.wire.retry import Patience, patiently
from collector.wire.throttle import Throttle
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import MINUTE, START, Bench, as_json, message
from tests.fakes.sources import alerts, messages
from tests.fakes.store import MemoryStore
from tests.fakes.wire import AnsweringFetch, ScriptedConnect, ScriptedFetch, ScriptedSession

YEARS = 10 * 365 * 86_400.0
TO_1970 = -(START // SECOND) - 3600.0
JUMPS = {
    "a leap second": -1.0,
    "1 h ahead": 3600.0,
    "10 h ahead": 36_000.0,
    "10 y ahead": YEARS,
    "2 h back": -7200.0,
    "1970": TO_1970,
}
EVERY = 7 * MINUTE

each_jump = pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)


class Tenant:
    """A vendor with an alert every few minutes, and a collector whose clock is set mid-call."""

    def __init__(self) -> None:
        self.bench = Bench(alerts(max_window=4000 * DAY), START + HOUR)
        self.pending: list[float] = []
        self.fetch = AnsweringFetch(self._answer)

    @property
    def true_now(self) -> Micros:
        """The vendor's time."""
        return START + HOUR + round(self.bench.clock.monotonic() * SECOND)

    def pull_for(self, hours: float) -> None:
        """Pull every ten minutes; a pending jump comes in the middle of the first call."""
        for _ in range(round(hours * 6)):
            self.bench.clock.advance(600)
            self.bench.puller(self.fetch).pull()

    def _answer(self, request: Request) -> bytes:
        while self.pending:
            self.bench.clock.jump(self.pending.pop())
        span = request.json["time_range"]
        there = range(START, min(self.true_now, span["to"] * 1000 + 1), EVERY)
        found = [
            {"id": f"a-{(time - START) // EVERY}", "timestamp": time // 1000}
            for time in there
            if time >= span["from"] * 1000
        ]
        first = 50 * request.json["page"]
        return as_json({"alerts": found[::-1][first : first + 50]})


@pytest.mark.parametrize(
    ("jump", "hours"),
    [*((jump, 0.5) for jump in JUMPS.values()), (3600.0, 5.0), (36_000.0, 5.0), (-7200.0, 5.0)],
)
def test_alerts(jump: float, hours: float) -> None:
    """Set wrong in the middle of a pull, and right some hours later: each alert comes once."""
    tenant = Tenant()
    tenant.pull_for(2)
    tenant.pending = [jump]
    tenant.pull_for(hours)
    assert tenant.pending == []
    tenant.bench.clock.jump(-jump)
    tenant.pull_for(5)
    end = tenant.true_now - HOUR
    found = Counter(tenant.bench.delivered())
    assert set(found) >= {f"a-{n}" for n in range((end - START) // EVERY)}
    assert set(found.values()) == {1}
    assert abs(tenant.bench.checkpoint.since - tenant.true_now) <= HOUR


class Operator(ManualClock):
    """A clock that somebody sets right once the program has waited for it three times."""

    def __init__(self, start: Micros) -> None:
        super().__init__(start)
        self.waits = 0
        self.wrong_by = 0.0

    def sleep(self, seconds: float) -> bool:
        """Wait."""
        self.waits += 1
        if self.waits == 3:
            self.jump(-self.wrong_by)
            self.wrong_by = 0.0
        return super().sleep(seconds)


class Jumping(ScriptedSession):
    """A session that breaks, with a clock that is set before each step."""

    def __init__(
        self,
        clock: ManualClock,
        script: Sequence[list[bytes] | float],
        jumps: Sequence[float],
        at_end: Callable[[], None],
    ) -> None:
        super().__init__(clock, script, ends="abrupt", at_end=at_end)
        self._jumps = list(jumps)

    def read(self) -> Sequence[bytes]:
        """The next step."""
        self._clock.jump(self._jumps.pop(0) if self._jumps else 0.0)
        return super().read()


class Listener(AlwaysOpen):
    """A live service whose clock is set wrong before its second session, right before the third.

    It is also the gate that the service passes between two sessions, four hours later.
    """

    def __init__(self, jump: float = 0.0) -> None:
        self.clock = Operator(START + 6 * HOUR)
        self.bench = Bench(messages(mode="hybrid"), START, clock=self.clock, gate=self)
        self.bench.stand_at(rules.completed(self.bench.checkpoint, START + 6 * HOUR))
        self._jumps = [jump, 0.0]
        self._ended = False

    def session(
        self, *script: list[bytes] | float, last: bool = False, jumps: Sequence[float] = ()
    ) -> ScriptedSession:
        """A session that breaks; after the last one the program stops.

        ``jumps``: how the clock is set before each of its steps.
        """
        at_end = self.clock.stop if last else self._end
        return Jumping(self.clock, script, jumps, at_end)

    def listen(self, *sessions: ScriptedSession) -> set[int]:
        """Hear the sessions; the hours then owed, counted from the start."""
        Streamer(
            self.bench.source,
            Request(method="GET", url="wss://stream.example.com"),
            ScriptedConnect(*sessions),
            None,
            self.bench.intake,
            Turns(),
            self.bench.journal,
            self.clock,
            random.Random(7),
        ).run()
        spans = self.bench.checkpoint.owed
        return {(h - START) // HOUR for span in spans for h in range(span.start, span.end, HOUR)}

    def wait(self, longest: float | None = None) -> bool:
        """Let time pass after a session, and set the clock."""
        del longest
        if self._ended:
            self._ended = False
            self.clock.advance(4 * 3600.0)
            jump = self._jumps.pop(0)
            self.clock.jump(jump - self.clock.wrong_by)
            self.clock.wrong_by = jump
        return True

    def _end(self) -> None:
        self._ended = True


@each_jump
def test_live_gap(jump: float) -> None:
    """The clock is wrong while a session begins, lasts and ends: the hours without one are owed."""
    listener = Listener(jump)
    owed = listener.listen(
        listener.session([message(1, START + 6 * HOUR)], 1800.0),
        listener.session([message(2, START + 10 * HOUR + 30 * MINUTE)], 1800.0),
        listener.session(60.0, last=True),
    )
    assert owed >= set(range(6, 15))


@each_jump
def test_live_session(jump: float) -> None:
    """The clock is wrong for a part of a session: what the break after it cost is owed."""
    listener = Listener()
    known = [message(1, START + 6 * HOUR)]
    owed = listener.listen(
        listener.session(known, 900.0, 900.0, jumps=[0.0, jump, -jump]),
        listener.session(60.0, last=True),
    )
    assert owed >= {6, 7, 8, 9, 10}


def test_suspended_machine() -> None:
    """It slept three hours through a session that then turns out dead: they are owed."""
    listener = Listener()
    known = [message(1, START + 6 * HOUR)]
    owed = listener.listen(
        listener.session(known, known, 600.0, jumps=[0.0, 10_800.0]),
        listener.session(60.0, last=True),
    )
    assert owed >= set(range(6, 13))


def test_clock_behind_is_waited_for() -> None:
    """A session that began by a clock known to be wrong could not say what it missed."""
    listener = Listener(-2 * 86_400.0)
    owed = listener.listen(
        listener.session([message(1, START + 6 * HOUR)], 1800.0),
        listener.session(60.0, last=True),
    )
    assert listener.clock.waits == 3
    assert owed == {4, 5, 6, 7, 8, 9, 10}
    (told,) = set(listener.bench.log.texts("ERROR"))
    assert "set the clock of this machine" in told


def casb_keeper(clock: ManualClock) -> tuple[Keeper, list[Request]]:
    """A keeper of tokens that live for half an hour, and the calls it makes."""
    asked: list[Request] = []

    def exchange(request: Request) -> Response:
        asked.append(request)
        body = as_json({"auth_token": f"t-{len(asked)}", "expires_in": 1800})
        return Response(request=request, status=200, body=body)

    setup = CasbSetup(url="https://a.example.com", api_key="k", client_id="i", client_secret="s")
    return Keeper(setup, exchange, clock), asked


@each_jump
def test_token(jump: float) -> None:
    """One call too many at most; a token that outlives its end is replaced when rejected."""
    clock = ManualClock(START)
    keeper, asked = casb_keeper(clock)
    keeper.token()
    for seconds in (jump, 0.0, -jump, 0.0):
        clock.jump(seconds)
        keeper.token()
    assert len(asked) <= 2
    rejected = keeper.token()
    assert keeper.refresh(rejected) != rejected


@each_jump
def test_spacing_and_quota(jump: float) -> None:
    """No clock makes the next call wait for longer than the spacing."""
    clock, store = ManualClock(START + DAY // 2), MemoryStore()
    throttle = Throttle("casb", Quota(per_day=20, min_interval=3 * SECOND), store, clock)
    for seconds in (0.0, jump, 0.0, -jump, 0.0):
        clock.jump(seconds)
        before = clock.monotonic()
        throttle.wait()
        assert clock.monotonic() - before <= 3.0


def test_pause_of_the_vendor() -> None:
    """What is left of a Retry-After is left when the clock was set back, no more and no less."""
    clock, store = ManualClock(START + DAY // 2), MemoryStore()
    throttle = Throttle("casb", Quota(min_interval=0), store, clock)
    throttle.wait()
    throttle.hold_off(100.0)
    clock.advance(40)
    clock.jump(-7200)
    before = clock.monotonic()
    throttle.wait()
    assert clock.monotonic() - before == pytest.approx(60.0, abs=1.0)


@each_jump
def test_waits_between_tries(jump: float) -> None:
    """They are durations: the clock has no say."""
    clock = ManualClock(START)
    waits: list[float] = []

    def call() -> None:
        clock.jump(jump)
        raise VendorUnavailable(503, "down", "wait")

    with pytest.raises(VendorUnavailable):
        patiently(
            call,
            Patience(attempts=5, base=1.0, cap=300.0),
            clock,
            random.Random(7),
            lambda _error, seconds: waits.append(seconds),
        )
    assert all(2**n / 2 <= seconds <= 2**n for n, seconds in enumerate(waits))
    assert clock.monotonic() == pytest.approx(sum(waits), abs=0.001)


@each_jump
def test_rest_of_a_refused_service(jump: float) -> None:
    """A quarter of an hour of time that passes, whatever the clock says."""
    clock = ManualClock(START)
    runs: list[float] = []

    def refused() -> None:
        runs.append(clock.monotonic())
        raise AuthenticationError(103, "refused", "check them")

    bench = Bench(alerts(), START)
    service = ServiceJob(
        source_id="casb#alerts",
        component="tests",
        setup_component="tests",
        puller_class="Tests",
        setup=lambda: None,
        run=refused,
        period=60.0,
        intake=bench.intake,
    )
    job = Job(service, Outcome(), clock, clock.stop)
    for minute in range(31):
        if minute == 5:
            clock.jump(jump)
        job.run()
        clock.advance(60)
    assert runs == [0.0, 900.0, 1800.0]


def test_archive_after_a_failure() -> None:
    """A failed fetch is tried again after its ten minutes also when the clock went back."""
    bench = Bench(messages(mode="hybrid"), START + 3 * HOUR)
    clock = bench.clock
    fetch = ScriptedFetch(*[SessionEnded(303, "cut", "wait")] * 3, [message(1, START)], [], [])
    sessions = [ScriptedSession(clock, [599.0]), ScriptedSession(clock, [60.0] * 600)]

    def connect(request: Request) -> ScriptedSession:
        del request
        clock.jump(-1800.0 if len(sessions) == 2 else 0.0)
        return sessions.pop(0)

    turns = Turns()
    streamer = Streamer(
        bench.source,
        Request(method="GET", url="wss://stream.example.com"),
        connect,
        bench.puller(fetch),
        bench.intake,
        turns,
        bench.journal,
        clock,
        random.Random(7),
    )
    with pytest.raises(IndexError):
        streamer.run()
    assert bench.delivered() == ["i-1"]
