"""Calls to the vendor by what it answers: statuses, retries, quota, tokens.

Only the answers matter here, so they are given by requests-mock; broken bytes are
in ``test_http_wire.py``.
"""

from __future__ import annotations

import random
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from requests_mock import Mocker

from collector.clock import SystemClock
from collector.core import times
from collector.core.auth import Token
from collector.core.model import Clock, Request, Response
from collector.core.policy import Quota, Usage
from collector.core.times import SECOND
from collector.errors import (
    AuthenticationError,
    CollectorError,
    QuotaExhausted,
    SessionTaken,
    Stopped,
    TokenRejected,
    VendorRefused,
    VendorUnavailable,
)
from collector.persistence.sqlite import SqliteStore
from collector.setup.casb import CasbSetup
from collector.setup.keeper import Keeper
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.retry import Patience
from collector.wire.statuses import TABLE, error_for
from collector.wire.throttle import Throttle
from collector.wire.vendor import Calls, Vendor
from tests.fakes.clock import ManualClock
from tests.fakes.stores import START

AUTH = "https://api.example.com/v1/auth"
ALERTS = "https://api.example.com/v1/alerts"
SECRETS = ("key-canary", "id-canary", "secret-canary", "token-one", "token-two", "token-three")
ATTEMPTS = 4
CAP = 300.0


class Bench:
    """A vendor client over a real store, its HTTP answered by requests-mock."""

    def __init__(self, store: SqliteStore, clock: Clock, *, honour: bool = True) -> None:
        self.waits: list[tuple[int, float]] = []
        self.store = store
        self.clock = clock
        self.http = HttpWire(HttpLimits())
        self.throttle = Throttle("casb", Quota(per_day=50, min_interval=0), store, clock)
        self.calls = Calls(
            self.http,
            self.throttle,
            Patience(attempts=ATTEMPTS, base=1.0, cap=CAP),
            clock,
            random.Random(7),
            retry_statuses=frozenset({429, 500, 502, 503, 504}),
            honour_retry_after=honour,
            waiting=lambda error, seconds: self.waits.append((error.number, seconds)),
        )
        setup = CasbSetup(
            url=AUTH, api_key=SECRETS[0], client_id=SECRETS[1], client_secret=SECRETS[2]
        )
        self.keeper = Keeper(setup, self.calls.send, clock)
        self.vendor = Vendor(self.calls, setup, self.keeper)

    def fetch(self) -> Response:
        """One call for alerts."""
        return self.vendor.send(Request(method="POST", url=ALERTS, json={"page": 0}))


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at the start."""
    return ManualClock(START)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteStore]:
    """An empty store."""
    with closing(SqliteStore.open(tmp_path / "state", clock)) as opened:
        yield opened


@pytest.fixture
def bench(store: SqliteStore, clock: ManualClock, requests_mock: Mocker) -> Iterator[Bench]:
    """A client whose vendor hands out one token after the other."""
    tokens = [{"json": {"auth_token": token}} for token in SECRETS[3:]]
    requests_mock.post(AUTH, tokens)
    made = Bench(store, clock)
    with closing(made.http):
        yield made


def asked(requests_mock: Mocker, url: str) -> list[Any]:
    """The requests that went to an address."""
    return [each for each in requests_mock.request_history if each.url == url]


def assert_no_secret(error: BaseException) -> None:
    """Neither the error nor the traceback that a log would print holds one."""
    shown: list[Callable[[BaseException], object]] = [str, repr, traceback.format_exception]
    for show in shown:
        assert not [secret for secret in SECRETS if secret in str(show(error))]


def test_a_call_is_signed(bench: Bench, requests_mock: Mocker) -> None:
    """The raw token and the key; the credentials go to the token call alone."""
    requests_mock.post(ALERTS, json={"alerts": []})
    assert bench.fetch().body == b'{"alerts": []}'
    (call,) = asked(requests_mock, ALERTS)
    assert (call.headers["Authorization"], call.headers["x-api-key"]) == (SECRETS[3], SECRETS[0])
    assert call.json() == {"page": 0}
    (auth,) = asked(requests_mock, AUTH)
    assert auth.json() == {"client_id": SECRETS[1], "client_secret": SECRETS[2]}
    assert "Authorization" not in auth.headers


# What each status leads to, and how often the call is made.
STATUSES: dict[int, tuple[type[CollectorError], int, int]] = {
    204: (VendorUnavailable, 204, 1),
    206: (VendorUnavailable, 206, 1),
    302: (VendorUnavailable, 302, 1),
    304: (VendorUnavailable, 304, 1),
    400: (VendorRefused, 400, 1),
    403: (AuthenticationError, 103, 1),
    404: (VendorRefused, 404, 1),
    405: (VendorRefused, 405, 1),
    408: (VendorUnavailable, 408, 1),
    409: (SessionTaken, 409, 1),
    410: (VendorRefused, 410, 1),
    413: (VendorRefused, 413, 1),
    422: (VendorRefused, 422, 1),
    425: (VendorUnavailable, 425, 1),
    429: (VendorUnavailable, 429, ATTEMPTS),
    500: (VendorUnavailable, 500, ATTEMPTS),
    502: (VendorUnavailable, 502, ATTEMPTS),
    503: (VendorUnavailable, 503, ATTEMPTS),
    504: (VendorUnavailable, 504, ATTEMPTS),
    520: (VendorUnavailable, 520, 1),
}


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_its_meaning(bench: Bench, requests_mock: Mocker, status: int) -> None:
    """Stop, refuse, or wait and repeat; the vendor's own words are in the text."""
    kind, number, tries = STATUSES[status]
    requests_mock.post(ALERTS, status_code=status, json={"message": "told so"})
    with pytest.raises(kind, match=rf"\(HTTP {status}\): told so") as caught:
        bench.fetch()
    assert (type(caught.value), caught.value.number) == (kind, number)
    assert len(asked(requests_mock, ALERTS)) == tries
    assert_no_secret(caught.value)


def test_the_table_is_covered() -> None:
    """Each status of the table is in the test above, but 401 and 407, which have their own."""
    assert set(TABLE) - {401, 407} <= set(STATUSES)


@pytest.mark.parametrize("status", [100, 204, 302, 399, 418, 499, 599, 600, 999])
def test_any_status_makes_an_error(status: int) -> None:
    """With the status in its text and something to do."""
    error = error_for(status, "")
    assert f"(HTTP {status})" in str(error)
    assert error.remedy


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "a", "error": "b"}', ": a "),
        (b'{"error": "b"}', ": b "),
        (b'{"message": {"deep": 1}}', ""),
        (b'{"message": "%s"}' % (b"x" * 5000), "x" * 200 + " "),
        (b"<html>secret</html>", ""),
        (b"[" * 100_000, ""),
        (b"\xff\xfe", ""),
        (b"", ""),
    ],
)
def test_what_the_vendor_says_is_bounded(
    bench: Bench, requests_mock: Mocker, body: bytes, words: str
) -> None:
    """Its ``message`` or ``error``, cut; anything else is left out."""
    requests_mock.post(ALERTS, status_code=400, content=body)
    with pytest.raises(VendorRefused) as caught:
        bench.fetch()
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "html" not in str(caught.value)


def test_a_bad_moment_passes(bench: Bench, requests_mock: Mocker) -> None:
    """Each wait is announced, longer than the one before, and none too short."""
    bad = [{"status_code": status} for status in (503, 500, 429)]
    requests_mock.post(ALERTS, [*bad, {"json": {}}])
    assert bench.fetch().status == 200
    numbers, seconds = zip(*bench.waits, strict=True)
    assert numbers == (503, 500, 429)
    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(seconds))


HTTP_DATE = format_datetime(datetime.fromtimestamp(START // SECOND + 40, UTC), usegmt=True)
PAST_DATE = format_datetime(datetime.fromtimestamp(START // SECOND - 40, UTC), usegmt=True)


@pytest.mark.parametrize(
    ("asked_for", "least", "most"),
    [
        ("7", 7.0, 7.0),
        ("0", 0.5, 1.0),
        (HTTP_DATE, 40.0, 40.0),
        (PAST_DATE, 0.5, 1.0),
        ("86400", CAP, CAP),
        ("9" * 400, CAP, CAP),
        ("-5", 0.5, 1.0),
        ("soon", 0.5, 1.0),
        ("Thu, 99 Foo 20XX", 0.5, 1.0),
        ("", 0.5, 1.0),
        ("\u0667", 0.5, 1.0),  # a seven in Arabic
    ],
)
def test_retry_after(
    bench: Bench, requests_mock: Mocker, asked_for: str, least: float, most: float
) -> None:
    """Seconds and dates are honoured up to the longest wait; nonsense is no answer."""
    refusal = {"status_code": 429, "headers": {"Retry-After": asked_for}}
    requests_mock.post(ALERTS, [refusal, {"json": {}}])
    bench.fetch()
    ((_, seconds),) = bench.waits
    assert least <= seconds <= most


def test_a_pause_holds_for_all_services_and_the_next_start(
    bench: Bench, requests_mock: Mocker, clock: ManualClock
) -> None:
    """It is stored with the quota."""
    refusal = {"status_code": 429, "headers": {"Retry-After": "100"}}
    requests_mock.post(ALERTS, [refusal] * ATTEMPTS)
    with pytest.raises(VendorUnavailable):
        bench.fetch()
    assert bench.store.usage("casb").not_before == clock.now() + 100 * SECOND
    other = Throttle("casb", Quota(min_interval=0), bench.store, clock)
    before = clock.now()
    other.wait()
    assert clock.now() == before + 100 * SECOND


def test_retry_after_can_be_ignored(
    store: SqliteStore, clock: ManualClock, requests_mock: Mocker
) -> None:
    """Where the vendor's header is known to be wrong."""
    requests_mock.post(AUTH, json={"auth_token": SECRETS[3]})
    refusal = {"status_code": 429, "headers": {"Retry-After": "100"}}
    requests_mock.post(ALERTS, [refusal, {"json": {}}])
    bench = Bench(store, clock, honour=False)
    with closing(bench.http):
        bench.fetch()
    ((_, seconds),) = bench.waits
    assert seconds <= 1.0


def test_a_stop_ends_the_waiting(bench: Bench, requests_mock: Mocker, clock: ManualClock) -> None:
    """Not after the retries are used up, but at the first wait."""
    requests_mock.post(ALERTS, status_code=503)
    bench.keeper.token()
    clock.stop()
    with pytest.raises(Stopped):
        bench.fetch()
    assert len(asked(requests_mock, ALERTS)) == 1


def test_a_rejected_token_is_renewed_once_and_the_call_repeated(
    bench: Bench, requests_mock: Mocker
) -> None:
    """The repeat carries the new token, and the next call uses it too."""
    requests_mock.post(ALERTS, [{"status_code": 401}, {"json": {}}, {"json": {}}])
    assert bench.fetch().status == 200
    bench.fetch()
    used = [call.headers["Authorization"] for call in asked(requests_mock, ALERTS)]
    assert used == [SECRETS[3], SECRETS[4], SECRETS[4]]
    assert len(asked(requests_mock, AUTH)) == 2


def test_a_new_token_that_is_rejected_too(bench: Bench, requests_mock: Mocker) -> None:
    """The credentials no longer hold; two calls and no third."""
    requests_mock.post(ALERTS, status_code=401)
    with pytest.raises(AuthenticationError, match=r"104.*just granted") as caught:
        bench.fetch()
    assert len(asked(requests_mock, ALERTS)) == len(asked(requests_mock, AUTH)) == 2
    assert_no_secret(caught.value)


def test_a_token_that_no_header_can_carry(bench: Bench, requests_mock: Mocker) -> None:
    """It is refused where it comes in, and not shown."""
    for odd in ("secret-canary\r\nX-Evil: 1", "secret-canary€", "secret-canary\x00", " \n"):
        requests_mock.post(AUTH, json={"auth_token": odd})
        requests_mock.post(ALERTS, json={})
        with pytest.raises(AuthenticationError, match="102") as caught:
            bench.fetch()
        assert_no_secret(caught.value)
        bench.clock.sleep(60)
    assert asked(requests_mock, ALERTS) == []


# The token call (reliability matrix, row 14): answer, error, number of calls.
TOKEN_ANSWERS: dict[str, tuple[dict[str, Any], type[CollectorError], int]] = {
    "wrong secret": ({"status_code": 401, "json": {}}, AuthenticationError, 1),
    **{
        code: ({"status_code": 400, "json": {"error": code}}, AuthenticationError, 1)
        for code in (
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
            "access_denied",
            "no code of the standard",
        )
    },
    "invalid_client with 401": (
        {"status_code": 401, "json": {"error": "invalid_client"}},
        AuthenticationError,
        1,
    ),
    **{
        code: ({"status_code": 400, "json": {"error": code}}, VendorUnavailable, 1)
        for code in ("server_error", "temporarily_unavailable", "slow_down")
    },
    "busy with 200": ({"json": {"error": "temporarily_unavailable"}}, VendorUnavailable, 1),
    "error is no text": ({"status_code": 400, "json": {"error": [1]}}, AuthenticationError, 1),
    "forbidden": ({"status_code": 403}, AuthenticationError, 1),
    "no token": ({"json": {"token": "x"}}, AuthenticationError, 1),
    "token is a number": ({"json": {"auth_token": 7}}, AuthenticationError, 1),
    "token is empty": ({"json": {"auth_token": ""}}, AuthenticationError, 1),
    "page of HTML": ({"text": "<html>log in</html>"}, VendorUnavailable, 1),
    "10 MB of HTML": ({"text": "<p>" * 3_500_000}, VendorUnavailable, 1),
    "a token of 10 MB": ({"json": {"auth_token": "x" * 10_000_000}}, AuthenticationError, 1),
    "a list": ({"json": [1]}, VendorUnavailable, 1),
    "not UTF-8": ({"content": b'{"auth_token": "\xff"}'}, VendorUnavailable, 1),
    "nothing": ({"content": b""}, VendorUnavailable, 1),
    "deep": ({"content": b"[" * 100_000}, VendorUnavailable, 1),
    "redirect": ({"status_code": 302, "json": {}}, VendorUnavailable, 1),
    "moved": ({"status_code": 404, "json": {"message": "x"}}, VendorUnavailable, 1),
    "error page with JSON": ({"status_code": 520, "json": {"error": "x"}}, VendorUnavailable, 1),
    "too many calls": ({"status_code": 429}, VendorUnavailable, ATTEMPTS),
    "server error": ({"status_code": 500, "json": {}}, VendorUnavailable, ATTEMPTS),
}


@pytest.mark.parametrize("kind", TOKEN_ANSWERS)
def test_answers_to_the_token_call(bench: Bench, requests_mock: Mocker, kind: str) -> None:
    """A refusal is for good, an outage is not; the alerts are not asked for."""
    answer, error, tries = TOKEN_ANSWERS[kind]
    requests_mock.post(AUTH, **answer)
    with pytest.raises(error) as caught:
        bench.fetch()
    assert type(caught.value) is error
    assert [call.url for call in requests_mock.request_history] == [AUTH] * tries
    assert_no_secret(caught.value)


def test_the_quota_counts_every_call(bench: Bench, requests_mock: Mocker) -> None:
    """Token calls and repeats too; when it is used up nothing is sent."""
    requests_mock.post(ALERTS, [{"status_code": 503}, {"json": {}}])
    bench.fetch()
    assert bench.store.usage("casb").calls == 3
    bench.store.save_usage("casb", Usage(day=START, calls=50))
    sent = len(requests_mock.request_history)
    with pytest.raises(QuotaExhausted, match=r"2026-01-02T00:00:00Z.*calls_per_day") as caught:
        bench.fetch()
    assert caught.value.retry_after is not None
    assert len(requests_mock.request_history) == sent
    assert_no_secret(caught.value)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid", "Australia/Lord_Howe"])
def test_the_quota_is_given_again_at_midnight_utc(
    tmp_path: Path, requests_mock: Mocker, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """Whatever the machine's zone, across its change to summer time."""
    monkeypatch.setenv("TZ", zone)
    requests_mock.post(AUTH, json={"auth_token": SECRETS[3], "expires_in": 864_000})
    requests_mock.post(ALERTS, json={})
    with freeze_time("2026-03-28 23:59:00") as frozen:
        clock = SystemClock()
        with closing(SqliteStore.open(tmp_path / "state", clock)) as store:
            bench = Bench(store, clock)
            store.save_usage("casb", Usage(day=times.parse("2026-03-28"), calls=48))
            bench.fetch()
            with pytest.raises(QuotaExhausted) as caught:
                bench.fetch()
            assert caught.value.retry_after == 60
            frozen.move_to("2026-03-29 00:00:00")
            bench.fetch()
            assert store.usage("casb").calls == 1
            bench.http.close()


def test_one_token_call_serves_all_threads(bench: Bench, requests_mock: Mocker) -> None:
    """Eight services start at once: seven wait for the first one's call."""
    entered, go = threading.Event(), threading.Event()

    def slow(_request: object, _context: object) -> dict[str, str]:
        entered.set()
        assert go.wait(20)
        return {"auth_token": SECRETS[3]}

    requests_mock.post(AUTH, json=slow)
    with ThreadPoolExecutor(8) as threads:
        tokens = [threads.submit(bench.keeper.token) for _ in range(8)]
        assert entered.wait(20)
        go.set()
        assert {token.result().value for token in tokens} == {SECRETS[3]}
    assert len(asked(requests_mock, AUTH)) == 1


def test_one_refresh_serves_all_threads(bench: Bench, requests_mock: Mocker) -> None:
    """All find the same token rejected; the first gets a new one for them all."""
    old = bench.keeper.token()
    with ThreadPoolExecutor(8) as threads:
        new = set(threads.map(bench.keeper.refresh, [old] * 8))
    assert new == {Token(SECRETS[4], expires=bench.keeper.token().expires)}
    assert len(asked(requests_mock, AUTH)) == 2


def test_a_token_is_replaced_before_it_expires(
    bench: Bench, requests_mock: Mocker, clock: ManualClock
) -> None:
    """A minute before its end, or at half of a short life."""
    requests_mock.post(ALERTS, json={})
    requests_mock.post(AUTH, json=lambda *_: {"auth_token": f"t{clock.now()}", "expires_in": "600"})
    for seconds in (0, 530, 20, 530):
        clock.advance(seconds)
        bench.fetch()
    used = [call.headers["Authorization"] for call in asked(requests_mock, ALERTS)]
    renewed = f"t{START + 550 * SECOND}"
    assert used == [f"t{START}", f"t{START}", renewed, renewed]


def test_a_refused_token_call_is_made_again_a_minute_later(
    bench: Bench, requests_mock: Mocker, clock: ManualClock
) -> None:
    """Until then the same answer is given without a call."""
    requests_mock.post(ALERTS, json={})
    requests_mock.post(AUTH, [{"status_code": 401}, {"json": {"auth_token": SECRETS[3]}}])
    for _ in range(3):
        with pytest.raises(AuthenticationError, match=r"HTTP 401"):
            bench.fetch()
        clock.advance(29)
    assert len(asked(requests_mock, AUTH)) == 1
    assert bench.fetch().status == 200


def test_a_token_call_that_failed_otherwise_is_made_again(
    bench: Bench, requests_mock: Mocker
) -> None:
    """An outage is not remembered."""
    requests_mock.post(ALERTS, json={})
    requests_mock.post(AUTH, [{"status_code": 404}, {"json": {"auth_token": SECRETS[3]}}])
    with pytest.raises(VendorUnavailable):
        bench.fetch()
    assert bench.fetch().status == 200


def test_tokens_and_setups_never_show_their_secret(bench: Bench) -> None:
    """Not by ``repr``, ``str`` or an f-string."""
    token = Token("token-one")
    setup = CasbSetup(url=AUTH, api_key=SECRETS[0], client_id=SECRETS[1], client_secret=SECRETS[2])
    for shown in (repr(token), str(token), f"{setup}", repr(setup), repr(bench)):
        assert not [secret for secret in SECRETS if secret in shown]


def test_401_has_its_own_error() -> None:
    """A stream's handshake has no token to renew and hands it on."""
    assert type(error_for(401, "")) is TokenRejected
