"""A wall clock that is set while the collector runs (row 10 of the fault matrix).

The true time is that of the vendor; the collector's wall clock is wrong for a while and
then right again.  However wrong it was, nothing is lost, nothing comes twice, and no
rest, pause or token lasts longer than it should.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from collector.app.jobs import Job
from collector.app.outcome import Outcome
from collector.app.services import ServiceJob
from collector.core import checkpoint as rules
from collector.core.model import Micros, Request, Response
from collector.core.policy import Quota
from collector.core.times import DAY, HOUR, SECOND, parse
from collector.errors import AuthenticationError, SessionEnded, VendorUnavailable
from collector.pullers.stream import Streamer, Turns
from collector.setup.casb import CasbSetup
from collector.setup.keeper import Keeper
from collector.wire.retry import Patience, patiently
from collector.wire.throttle import Throttle
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import MINUTE, START, Bench, as_json, message
from tests.fakes.sources import alerts, events, messages
from tests.fakes.store import MemoryStore
from tests.fakes.wire import AnsweringFetch, ScriptedConnect, ScriptedFetch, ScriptedSession

YEARS = 10 * 365 * 86_400.0
TO_1970 = -(START // SECOND) - 3600.0
JUMPS = {
    "1 h ahead": 3600.0,
    "65 min ahead": 3900.0,
    "10 h ahead": 36_000.0,
    "2 h back": -7200.0,
    "10 y ahead": YEARS,
    "1970": TO_1970,
    "a leap second": -1.0,
}
EVERY = 7 * MINUTE


class Tenant:
    """A vendor with an alert every few minutes, and a collector whose clock is set mid-pull."""

    def __init__(self) -> None:
        self.bench = Bench(alerts(max_window=400 * DAY), START + HOUR)
        self.pending: list[float] = []
        self.fetch = AnsweringFetch(self._answer)

    @property
    def true_now(self) -> Micros:
        """The vendor's time."""
        return START + HOUR + round(self.bench.clock.monotonic() * SECOND)

    def pull_for(self, hours: float) -> None:
        """Pull every ten minutes."""
        for _ in range(round(hours * 6)):
            self.bench.clock.advance(600)
            self.bench.puller(self.fetch).pull()

    def _answer(self, request: Request) -> bytes:
        if self.pending:
            self.bench.clock.jump(self.pending.pop())
        span = request.json["time_range"]
        times = range(START, min(self.true_now, span["to"] * 1000 + 1), EVERY)
        found = [
            {"id": f"a-{(time - START) // EVERY}", "timestamp": time // 1000}
            for time in times
            if time >= span["from"] * 1000
        ]
        first = 50 * request.json["page"]
        return as_json({"alerts": found[::-1][first : first + 50]})


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
@pytest.mark.parametrize("lasting", [0.5, 5.0])
def test_alerts_survive_a_wrong_clock(jump: float, lasting: float) -> None:
    """Set wrong in the middle of a pull, set right in the middle of another."""
    tenant = Tenant()
    tenant.pull_for(2)
    tenant.pending = [jump]
    tenant.pull_for(lasting)
    tenant.bench.clock.jump(-jump) if not tenant.pending else tenant.pending.clear()
    tenant.pull_for(5)
    end = tenant.true_now - HOUR
    found = Counter(tenant.bench.delivered())
    assert set(found) >= {f"a-{n}" for n in range((end - START) // EVERY)}
    assert set(found.values()) == {1}
    assert abs(tenant.bench.checkpoint.since - tenant.true_now) <= HOUR
