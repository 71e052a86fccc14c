"""A hybrid PoD service through sessions that end in every way, crashes and restarts.

No record is ever spooled twice; and once the archive has paid what was owed, nothing
that was emitted before is missing, whatever the sessions lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collector.core import checkpoint as rules
from collector.core.ledger import DONE
from collector.core.model import Micros, Request, Response, Window
from collector.core.times import HOUR, SECOND, floor_hour, parse
from collector.errors import SessionEnded, VendorUnavailable
from collector.pullers.pod import live_request
from collector.pullers.stream import Streamer, Turns
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import MINUTE, START, Bench, message
from tests.fakes.sources import messages, pod_settings
from tests.fakes.store import Crash

REQUEST = live_request(pod_settings(), "message")
LATE = st.lists(st.integers(0, 14), min_size=1, max_size=5)
STEP = st.tuples(st.sampled_from([1, 20, 59, 61, 700, 1900, 3700]), LATE)
PORTION = 2
"""How many records of those that waited a session gives at once, so that it may end amid them."""


class Vendor:
    """What was emitted, when, and how far the live stream has handed it out."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.log: list[tuple[Micros, Micros]] = []
        self.position = 0
        self.waited = 0
        self.dropped_at: Micros | None = None

    def emit(self, now: Micros, late: Sequence[int]) -> None:
        """Records that began some minutes ago are complete now."""
        self.log += [(now, now - minutes * MINUTE) for minutes in late]

    def record(self, number: int) -> bytes:
        """One record."""
        return message(number, self.log[number][1])

    def resume(self, now: Micros) -> None:
        """Where the last session dropped, if that was within the hour; else an hour ago."""
        if self.dropped_at is None or now - self.dropped_at >= HOUR:
            older = [n for n, (emitted, _) in enumerate(self.log) if emitted < now - HOUR]
            self.position = len(older)
        self.waited = len(self.log)

    def pending(self) -> list[bytes]:
        """What was not handed out yet, of what had waited a part; some of the last ones again."""
        first = max(self.position - 2, 0)
        behind = self.position < self.waited
        self.position = min(self.position + PORTION, self.waited) if behind else len(self.log)
        return [self.record(number) for number in range(first, self.position)]

    def hour(self, request: Request) -> list[bytes]:
        """What the archive has of an hour, newest first."""
        since, to = parse(request.params["sinceTime"]), parse(request.params["toTime"])
        within = [n for n, (_, time) in enumerate(self.log) if since <= time < to]
        return [self.record(number) for number in reversed(within)]


class LiveSession:
    """A session with the vendor; at an abrupt end, what was sent last is lost."""

    def __init__(
        self, vendor: Vendor, clock: ManualClock, script: Sequence[tuple[int, list[int]]], ends: str
    ) -> None:
        """Begin where the vendor goes on."""
        vendor.resume(clock.now())
        self.lasts = True
        self.clean = False
        self.ended = ends
        self._vendor = vendor
        self._clock = clock
        self._script = list(script)
        self._heard = clock.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._vendor.dropped_at = self._clock.now()

    @property
    def silent_for(self) -> float:
        """Seconds since the last records."""
        return self._clock.monotonic() - self._heard

    def read(self) -> Sequence[bytes]:
        """The records since the last read; at the end of the script the session ends."""
        if not self._script:
            return self._end()
        seconds, late = self._script.pop(0)
        self._clock.advance(seconds)
        self._vendor.emit(self._clock.now(), late)
        return self._receive()

    def finish(self) -> Sequence[bytes]:
        """Close in order."""
        if not self.lasts:
            return ()
        self.lasts, self.clean = False, True
        return self._receive()

    def _receive(self) -> Sequence[bytes]:
        self._heard = self._clock.monotonic()
        return self._vendor.pending()

    def _end(self) -> Sequence[bytes]:
        self.lasts = False
        self.clean = self.ended == "clean"
        self._clock.stop()
        if self.clean:
            return self._receive()
        self._vendor.emit(self._clock.now(), [0, 3])
        self._vendor.pending()  # handed out, and lost on the way
        return ()


class Hybrid(RuleBasedStateMachine):
    """The service with its archive taking turns."""

    def __init__(self) -> None:
        """A service that was configured some hours ago, with a history."""
        super().__init__()
        self.vendor = Vendor()
        self.bench = Bench(messages(), START + 3 * HOUR)
        for hour in range(4):
            self.vendor.emit(START + hour * HOUR, [0] if hour else [])

    def stream(self, script: Sequence[tuple[int, list[int]]], ends: str) -> None:
        """Listen as long as the script lasts; every session after the first is the last."""
        sessions = iter([script, [(1, [0])], []])

        def connect(_request: Request) -> LiveSession:
            return LiveSession(self.vendor, self.bench.clock, next(sessions, []), ends)

        self.run(connect, self.vendor.hour)

    def run(
        self,
        connect: Callable[[Request], LiveSession],
        hour: Callable[[Request], list[bytes]],
    ) -> None:
        """Run the service until it is stopped or dies."""

        def archive(request: Request) -> Iterator[Response]:
            yield Response(request=request, status=101, messages=hour(request))

        bench = self.bench
        streamer = Streamer(
            bench.source,
            REQUEST,
            connect,
            bench.puller(archive),
            bench.intake,
            Turns(),
            bench.journal,
            bench.clock,
            bench.rng,
        )
        try:
            streamer.run()
        except Crash:
            self.vendor.dropped_at = bench.clock.now()
        bench.store.crash_before = bench.store.crash_after = None
        bench.wake(bench.clock.now())

    @rule(
        script=st.lists(STEP, max_size=4),
        ends=st.sampled_from(["clean", "abrupt"]),
        crash=st.sampled_from(["", "", "before", "after"]),
        at=st.integers(0, 8),
    )
    def listen(self, script: list[tuple[int, list[int]]], ends: str, crash: str, at: int) -> None:
        """Live sessions, which may end badly, in a process that may die."""
        self.bench.store.crash_before = at if crash == "before" else None
        self.bench.store.crash_after = at if crash == "after" else None
        self.stream(script, ends)

    @rule(trouble=st.sampled_from(["down", "cut"]))
    def without_archive(self, trouble: str) -> None:
        """The archive cannot be reached, or cuts every hour short."""

        def hour(request: Request) -> list[bytes]:
            if trouble == "down":
                raise VendorUnavailable(503, "down", "wait")
            if self.vendor.hour(request):
                raise SessionEnded(303, "cut", "")
            return []

        self.run(lambda _r: LiveSession(self.vendor, self.bench.clock, [], "clean"), hour)

    @rule(minutes=st.sampled_from([1, 20, 49, 51, 90, 200]), late=LATE)
    def outage(self, minutes: int, late: list[int]) -> None:
        """The collector is not there, while records go on."""
        self.vendor.emit(self.bench.clock.now() + minutes * 30 * SECOND, late)
        self.bench.clock.advance(minutes * 60)

    @invariant()
    def never_twice(self) -> None:
        """No record is spooled twice."""
        found = self.found()
        assert len(found) == len(set(found))

    @invariant()
    def done_hours_are_whole(self) -> None:
        """Of an hour that the ledger calls done no record is missing."""
        found = set(self.found())
        for number, (_, time) in enumerate(self.vendor.log):
            hour = Window(floor_hour(time), floor_hour(time) + HOUR)
            if self.bench.intake.account(hour).state in DONE:
                assert f"g-{number}" in found, (number, hour)

    def found(self) -> list[str]:
        """The ids of all that was spooled."""
        return [record["@collector"]["event_id"] for record in self.bench.store.records()]

    def teardown(self) -> None:
        """In the end, all that is owed is paid, and nothing is missing."""
        self.stream([], "clean")
        for _ in range(3):
            self.bench.clock.advance(3 * 3600)
            self.stream([], "clean")
        checkpoint = self.bench.checkpoint
        emitted = {
            f"g-{n}"
            for n, (_, time) in enumerate(self.vendor.log)
            if time < rules.complete_until(checkpoint)
        }
        assert emitted <= set(self.found())
        assert rules.complete_until(checkpoint) >= self.bench.clock.now() - 6 * HOUR


TestHybrid = Hybrid.TestCase
TestHybrid.settings = settings(max_examples=100, stateful_step_count=12)
