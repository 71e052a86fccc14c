"""An endpoint that keeps failing is asked seldom (invariant I10), over a day of virtual time.

The jobs run as often as the scheduler lets them; the calls that reach the vendor are
counted, and so are the sessions asked for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from requests_mock import Mocker

from collector.app.jobs import Job
from collector.app.outcome import Outcome
from collector.app.services import ServiceJob
from collector.core.model import Request
from collector.core.times import DAY, HOUR
from collector.errors import SessionTaken, TokenRejected, VendorRefused, VendorUnavailable
from collector.pullers.stream import Streamer, Turns
from collector.wire.retry import Patience, patiently
from tests.fakes.pulls import START, Bench
from tests.fakes.sources import alerts, events, messages
from tests.fakes.tenants import ALERTS, ATTEMPTS, AUTH, EVENTS, WiredTenant
from tests.fakes.wire import ScriptedSession

HOURS = 24


class Tenant:
    """Both services of a tenant as jobs that share a clock, a store and a token."""

    def __init__(self, mocker: Mocker) -> None:
        self.calls: dict[str, list[float]] = {AUTH: [], ALERTS: [], EVENTS: []}
        bench = Bench(alerts(url=ALERTS), START + HOUR)
        other = Bench(events(url=EVENTS), START, clock=bench.clock)
        self.clock = bench.clock
        self.wired = WiredTenant(bench.clock, bench.store)
        self._jobs = [self._job(each) for each in (bench, other)]
        self.answer(mocker, AUTH, json={"auth_token": "t", "expires_in": 90_000})

    def answer(self, mocker: Mocker, url: str, **answer: Any) -> None:
        """Answer every call to an address like this."""

        def note(_request: object) -> bool:
            self.calls[url].append(self.clock.monotonic())
            return True

        mocker.register_uri(
            "GET" if url == EVENTS else "POST", url, [answer], additional_matcher=note
        )

    def run(self, period: float) -> None:
        """Run both jobs, so often, for a day."""
        while self.clock.monotonic() < HOURS * 3600:
            for job in self._jobs:
                job.run()
            self.clock.advance(period)

    def _job(self, bench: Bench) -> Job:
        service = ServiceJob(
            source_id="casb",
            component="tests",
            setup_component="tests",
            puller_class="Tests",
            setup=self.wired.keeper.token,
            run=bench.puller(self.wired.vendor.fetch).pull,
            period=60.0,
            intake=bench.intake,
        )
        return Job(service, Outcome(), self.clock, self.clock.stop)


@pytest.fixture
def tenant(requests_mock: Mocker) -> Iterator[Tenant]:
    """A tenant that grants tokens."""
    made = Tenant(requests_mock)
    with made.wired:
        yield made


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials(tenant: Tenant, requests_mock: Mocker, status: int) -> None:
    """At most one token call a minute for the whole input, in fact two in a quarter of an hour."""
    tenant.answer(requests_mock, AUTH, status_code=status, json={"error": "invalid_client"})
    tenant.run(period=5)
    calls = tenant.calls[AUTH]
    assert 2 <= len(calls) <= 2 * HOURS * 4 + 2
    assert min(b - a for a, b in pairwise(calls)) >= 60
    assert tenant.calls[ALERTS] == tenant.calls[EVENTS] == []


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_refused_requests(tenant: Tenant, requests_mock: Mocker, status: int) -> None:
    """Four times an hour somebody may have acted."""
    for url in (ALERTS, EVENTS):
        tenant.answer(requests_mock, url, status_code=status)
    tenant.run(period=5)
    for url in (ALERTS, EVENTS):
        assert HOURS <= len(tenant.calls[url]) <= 2 * HOURS * 4
    assert len(tenant.calls[AUTH]) <= 2 * HOURS * 4 + 1


@pytest.mark.parametrize("answer", [{"status_code": 503}, {"status_code": 429}, {"text": "<html>"}])
def test_an_outage(tenant: Tenant, requests_mock: Mocker, answer: dict[str, Any]) -> None:
    """A pull tries a few times, each time after a longer wait, then leaves it to the next."""
    tenant.answer(requests_mock, ALERTS, **answer)
    tenant.answer(requests_mock, EVENTS, json={"content": []})
    tenant.run(period=600)
    assert HOURS * 6 <= len(tenant.calls[ALERTS]) <= HOURS * 6 * ATTEMPTS
    assert len(tenant.calls[AUTH]) <= 2


def hours_of(connect: Callable[[Bench], Callable[[Request], Any]], period: float) -> list[float]:
    """When a live service asked for a session, in seconds, over a day."""
    bench = Bench(messages(mode="live"), START + DAY)
    clock = bench.clock
    asked: list[float] = []
    opened = connect(bench)

    def counted(request: Request) -> Any:
        asked.append(clock.monotonic())
        if clock.monotonic() > HOURS * 3600:
            clock.stop()
        return opened(request)

    patience = Patience(attempts=0, cap=60.0)
    streamer = Streamer(
        bench.source,
        Request(method="GET", url="wss://stream.example.com"),
        lambda request: patiently(lambda: counted(request), patience, clock, random.Random(7)),
        None,
        bench.intake,
        Turns(),
        bench.journal,
        clock,
        random.Random(7),
    )
    service = ServiceJob(
        source_id="pod#message",
        component="tests",
        setup_component="tests",
        puller_class="Tests",
        setup=lambda: None,
        run=streamer.run,
        period=period,
        intake=bench.intake,
        lasting=True,
    )
    job = Job(service, Outcome(), clock, clock.stop)
    while not clock.stopping():
        job.run()
        clock.advance(period)
    return asked


REFUSALS: dict[str, tuple[Exception, int]] = {
    "401": (TokenRejected(401, "rejected", "check it"), 4),
    "404": (VendorRefused(404, "no such address", "check it"), 4),
    "409": (SessionTaken(409, "taken", "wait"), 120),
    "429": (VendorUnavailable(429, "too many", "wait"), 120),
    "503": (VendorUnavailable(503, "down", "wait"), 120),
    "429 for 5 min": (VendorUnavailable(429, "too many", "wait", 300.0), 12),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_refused_sessions(kind: str) -> None:
    """Whatever the handshake is answered with, for a day."""
    error, an_hour = REFUSALS[kind]

    def refuse(_request: Request) -> None:
        raise error

    asked = hours_of(lambda _bench: refuse, period=10)
    assert len(asked) <= HOURS * an_hour + 10
    waits = [b - a for a, b in pairwise(asked)]
    assert min(waits) >= 0.5
    assert min(waits[8:]) >= 3600 / an_hour


@pytest.mark.parametrize("ends", ["clean", "abrupt", "silent"])
def test_sessions_that_end_at_once(ends: str) -> None:
    """However they end: each is waited for longer than the one before, up to a minute."""

    def connect(bench: Bench) -> Callable[[Request], ScriptedSession]:
        return lambda _request: ScriptedSession(bench.clock, [], ends=ends)

    asked = hours_of(connect, period=10)
    waits = [b - a for a, b in pairwise(asked)]
    assert min(waits) >= 0.5
    assert min(waits[8:]) >= 30
    assert len(asked) <= HOURS * 120 + 10
