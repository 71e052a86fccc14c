"""Every answer of the vendor, on the first, a middle and the last page of a pull.

Row 16 of the fault matrix.  The pull loop runs over the real HTTP client; the answers
come from requests-mock.  Whatever the answer: the checkpoint never moves over records
that did not come, the vendor is not hammered, and the next good pull brings the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from requests_mock import Mocker

from collector.core.model import Micros
from collector.core.times import HOUR, SECOND
from collector.errors import (
    AuthenticationError,
    CollectorError,
    SessionTaken,
    UnreadableAnswer,
    VendorRefused,
    VendorUnavailable,
)
from tests.fakes.pulls import SOURCE_ID, START, Bench, as_json
from tests.fakes.sources import alerts
from tests.fakes.tenants import ALERTS, ATTEMPTS, AUTH, CAP, WiredTenant

NOW = START + HOUR
FIRST, MIDDLE, LAST = 0, 1, 2
IDS = ["a-0", "a-1", "a-2", "a-3", "a-4"]


def http_date(seconds: int) -> str:
    """So many seconds from the start of the pull, as HTTP writes it."""
    return format_datetime(datetime.fromtimestamp(NOW // SECOND + seconds, UTC), usegmt=True)


class Answer(NamedTuple):
    """What the vendor says."""

    status: int
    body: bytes = b'{"message":"told so"}'
    headers: Mapping[str, str] = MappingProxyType({})


def throttled(retry_after: str) -> Answer:
    """A wish for a pause."""
    return Answer(429, headers={"Retry-After": retry_after})


# The answer, what it makes of the pull, and how often it is asked for in that pull.
ANSWERS: dict[str, tuple[Answer, type[CollectorError], int]] = {
    "200 with HTML": (Answer(200, b"<html>log in</html>"), UnreadableAnswer, 3),
    "200 cut short": (Answer(200, b'{"alerts":[{"id":"a-'), UnreadableAnswer, 3),
    "204": (Answer(204), VendorUnavailable, 1),
    "206": (Answer(206), VendorUnavailable, 1),
    "302": (Answer(302), VendorUnavailable, 1),
    "304": (Answer(304), VendorUnavailable, 1),
    "400": (Answer(400), VendorRefused, 1),
    "401": (Answer(401), AuthenticationError, 2),
    "403": (Answer(403), AuthenticationError, 1),
    "404": (Answer(404), VendorRefused, 1),
    "408": (Answer(408), VendorUnavailable, 1),
    "409": (Answer(409), SessionTaken, 1),
    "410": (Answer(410), VendorRefused, 1),
    "413": (Answer(413), VendorRefused, 1),
    "422": (Answer(422), VendorRefused, 1),
    "425": (Answer(425), VendorUnavailable, 1),
    "429": (Answer(429), VendorUnavailable, ATTEMPTS),
    "429 seconds": (throttled("7"), VendorUnavailable, ATTEMPTS),
    "429 date": (throttled(http_date(40)), VendorUnavailable, ATTEMPTS),
    "429 past date": (throttled(http_date(-40)), VendorUnavailable, ATTEMPTS),
    "429 a day": (throttled("86400"), VendorUnavailable, ATTEMPTS),
    "429 garbage": (throttled("soon"), VendorUnavailable, ATTEMPTS),
    "500": (Answer(500), VendorUnavailable, ATTEMPTS),
    "502": (Answer(502), VendorUnavailable, ATTEMPTS),
    "503": (Answer(503), VendorUnavailable, ATTEMPTS),
    "504": (Answer(504), VendorUnavailable, ATTEMPTS),
    "520": (Answer(520), VendorUnavailable, 1),
}


class Tenant:
    """Five alerts on three pages; ``bad`` answers a page so often otherwise."""

    def __init__(self, mocker: Mocker) -> None:
        self.asked: list[int] = []
        self.bad: dict[int, list[Answer]] = {}
        self.bench = Bench(alerts(url=ALERTS, page_size=2), NOW)
        self.wired = WiredTenant(self.bench.clock, self.bench.store)
        mocker.post(AUTH, json={"auth_token": "token", "expires_in": 864_000})
        mocker.post(ALERTS, content=self._answer)
        self._puller = self.bench.puller(self.wired.vendor.fetch)

    def pull(self) -> None:
        """One pull."""
        self._puller.pull()

    def complete_at(self, began: Micros) -> bool:
        """Whether a pull that began then has brought everything, and each alert once."""
        totals = self.bench.store.totals(SOURCE_ID)
        assert totals.balanced()
        complete = self.bench.checkpoint.since == began - began % 1000 - 60 * SECOND
        return complete and sorted(self.bench.delivered()) == IDS

    def _answer(self, request: Any, context: Any) -> bytes:
        page = request.json()["page"]
        self.asked.append(page)
        if self.bad.get(page):
            answer = self.bad[page].pop()
            context.status_code = answer.status
            context.headers.update(answer.headers)
            return answer.body
        found = [{"id": each, "timestamp": START // 1000} for each in IDS[2 * page :][:2]]
        return as_json({"alerts": found})


@pytest.fixture
def tenant(requests_mock: Mocker) -> Iterator[Tenant]:
    """A tenant that answers well."""
    made = Tenant(requests_mock)
    with made.wired:
        yield made


@pytest.mark.parametrize("page", [FIRST, MIDDLE, LAST])
@pytest.mark.parametrize("kind", ANSWERS)
def test_no_answer_costs_a_record(tenant: Tenant, kind: str, page: int) -> None:
    """The window is not complete before each of its pages came; then every alert is there once."""
    answer, error, asked = ANSWERS[kind]
    tenant.bad = {page: [answer] * 100}
    with pytest.raises(error) as caught:
        tenant.pull()
    assert type(caught.value) is error
    assert tenant.asked.count(page) == asked
    assert tenant.bench.checkpoint.since == START
    assert tenant.bench.clock.monotonic() <= ATTEMPTS * CAP

    tenant.bad = {}
    tenant.bench.clock.advance(900)
    began = tenant.bench.clock.now()
    tenant.pull()
    assert tenant.complete_at(began)
    kept_aside = 1 if error is UnreadableAnswer else 0
    assert tenant.bench.store.totals(SOURCE_ID).dead_lettered == kept_aside


PASSING = ["401", *(kind for kind, (_, _, asked) in ANSWERS.items() if asked >= 3)]


@pytest.mark.parametrize("page", [FIRST, MIDDLE, LAST])
@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_costs_no_pull(tenant: Tenant, kind: str, page: int) -> None:
    """Once a bad answer, then good ones: the same pull is complete."""
    tenant.bad = {page: [ANSWERS[kind][0]]}
    tenant.pull()
    assert tenant.asked.count(page) == 2
    assert tenant.complete_at(NOW)
