"""Pulls over vendors of every order, through crashes at any moment.

Whatever happens on the way, no event is ever spooled twice, and once a window is
complete every event before its end has been spooled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collector.core.model import Micros, Request, Response
from collector.core.times import HOUR, SECOND, isoformat, parse
from collector.errors import UnreadableAnswer, VendorRefused, VendorUnavailable
from collector.pullers.base import Source
from tests.fakes.pulls import MINUTE, SOURCE_ID, START, Bench, as_json
from tests.fakes.sources import alerts, events
from tests.fakes.store import Crash

SETTLE = 60 * SECOND
STEPS = st.sampled_from([0, 1, 30, 61, 600, 3599, 3601, 90_000])
TROUBLES = st.sampled_from(["", "", "before", "after", "down", "gone", "garbage"])


class Vendor:
    """What was emitted: (time, number), in the order in which it arrived."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.log: list[tuple[Micros, int]] = []
        self.generation = 0

    def emit(self, time: Micros) -> None:
        """One more event."""
        self.log.append((time, len(self.log)))


Order = Callable[[tuple[Micros, int]], Any]
ORDERS: dict[str, Order] = {
    "newest first": lambda each: (-each[0], -each[1]),
    "oldest first": lambda each: each,
    "unsorted": lambda each: hashlib.sha256(str(each).encode()).digest(),
}


def alerts_answer(vendor: Vendor, request: Request, order: Order) -> bytes:
    """A page of three; each page but the first repeats the last alert of the one before."""
    span, page = request.json["time_range"], request.json["page"]
    within = sorted(
        (each for each in vendor.log if span["from"] <= each[0] // 1000 <= span["to"]), key=order
    )
    first = max(page * 2 - 1, 0) if page else 0
    chosen = within[first : first + 3] if page else within[:3]
    return as_json({"alerts": [{"id": f"{n}", "timestamp": time // 1000} for time, n in chosen]})


def events_answer(vendor: Vendor, request: Request) -> bytes:
    """Three events from the cursor on, in the order of arrival; an empty page has a token, too."""
    if "nextPage" in request.params:
        generation, at = map(int, request.params["nextPage"].split(":"))
        if generation != vendor.generation:
            raise VendorRefused(410, "the cursor is dead", "")
        rest = list(enumerate(vendor.log))[at:]
    else:
        start = parse(request.params["startTime"])
        rest = [(at, each) for at, each in enumerate(vendor.log) if each[0] >= start]
    content = [{"eventId": f"{n}", "timestamp": isoformat(time)} for _, (time, n) in rest[:3]]
    after = rest[:3][-1][0] + 1 if rest else len(vendor.log)
    return as_json({"content": content, "nextPageToken": f"{vendor.generation}:{after}"})


class Troubled:
    """A fetch that goes wrong at one of its calls, and ever after."""

    def __init__(self, answer: Callable[[Request], bytes], trouble: str, at: int) -> None:
        """Remember what to do at which call."""
        self._answer = answer
        self._trouble = trouble
        self._left = at

    def __call__(self, request: Request) -> Iterator[Response]:
        """The answer to one request."""
        self._left -= 1
        body = self._answer(request)
        if self._left < 0 and self._trouble == "down":
            raise VendorUnavailable(503, "down", "wait")
        if self._left < 0 and self._trouble == "gone":
            raise Crash
        if self._left < 0 and self._trouble == "garbage":
            body = body[:-1]
        yield Response(request=request, status=200, body=body)


class Pulls(RuleBasedStateMachine):
    """Emissions, pulls, crashes and the passing of time."""

    source: ClassVar[Source]

    def __init__(self) -> None:
        """A service that was configured an hour ago."""
        super().__init__()
        self.vendor = Vendor()
        self.bench = Bench(self.source, START + HOUR)
        self.order = ORDERS["newest first"]

    def answer(self, request: Request) -> bytes:
        """The vendor's answer."""
        raise NotImplementedError

    @rule(count=st.integers(1, 9), late=st.lists(st.integers(0, 59), min_size=9, max_size=9))
    def emit(self, count: int, late: list[int]) -> None:
        """Some events arrive, up to a minute late; several may share one moment."""
        for seconds in late[:count]:
            self.vendor.emit(self.bench.clock.now() - seconds * SECOND)

    @rule(count=st.integers(1, 9), minutes=st.integers(1, 55))
    def emit_history(self, count: int, minutes: int) -> None:
        """Events of a span that was never asked for."""
        oldest = self.bench.checkpoint.since
        for n in range(count):
            time = self.bench.clock.now() - minutes * MINUTE + n
            if time >= oldest + SETTLE:
                self.vendor.emit(time)

    @rule(seconds=STEPS)
    def pass_time(self, seconds: int) -> None:
        """Time passes."""
        self.bench.clock.advance(seconds)

    @rule(order=st.sampled_from(sorted(ORDERS)))
    def change_order(self, order: str) -> None:
        """The vendor answers in another order."""
        self.order = ORDERS[order]

    @rule()
    def expire(self) -> None:
        """All cursors die."""
        self.vendor.generation += 1

    def answer_busily(self, request: Request) -> bytes:
        """The vendor's answer, while events keep arriving."""
        self.vendor.emit(self.bench.clock.now() - len(self.vendor.log) % 60 * SECOND)
        return self.answer(request)

    @rule(trouble=TROUBLES, at=st.integers(0, 6), busy=st.booleans())
    def pull(self, trouble: str, at: int, busy: bool) -> None:  # noqa: FBT001 - drawn
        """A pull, which may be struck by anything."""
        answer = self.answer_busily if busy else self.answer
        self.bench.store.crash_before = at if trouble == "before" else None
        self.bench.store.crash_after = at if trouble == "after" else None
        try:
            self.bench.puller(Troubled(answer, trouble, at)).pull()
        except Crash:
            self.bench.restart()
        except (VendorUnavailable, UnreadableAnswer):
            pass
        else:
            assert self.bench.checkpoint.since + SETTLE <= self.bench.clock.now()
        self.bench.store.crash_before = self.bench.store.crash_after = None

    @invariant()
    def exactly_once(self) -> None:
        """Nothing twice; everything before the last complete window; the books balance."""
        found = [int(r["@collector"]["event_id"]) for r in self.bench.store.records()]
        assert len(found) == len(set(found))
        complete = self.bench.checkpoint.since
        assert {n for time, n in self.vendor.log if time < complete} <= set(found)
        totals = self.bench.store.totals(SOURCE_ID)
        assert totals.balanced()
        assert totals.spooled == len(found)

    def teardown(self) -> None:
        """In the end, an undisturbed pull takes all the rest."""
        self.bench.clock.advance(61)
        self.pull("", 0, busy=False)
        self.exactly_once()
        assert self.bench.store.totals(SOURCE_ID).spooled == len(self.vendor.log)


class Alerts(Pulls):
    """Windows of an hour, three to a page, at most two pages to a window."""

    source = alerts(page_size=3, max_pages=2, max_window=HOUR)

    def answer(self, request: Request) -> bytes:
        """A page of alerts."""
        return alerts_answer(self.vendor, request, self.order)


class Events(Pulls):
    """A cursor that can die at any time."""

    source = events()

    def answer(self, request: Request) -> bytes:
        """A page of events."""
        return events_answer(self.vendor, request)


LIMITS = settings(max_examples=60, stateful_step_count=20)
TestAlerts = Alerts.TestCase
TestAlerts.settings = LIMITS
TestEvents = Events.TestCase
TestEvents.settings = LIMITS
