"""The simulator's CASB endpoints, against docs/vendor-notes.md, CASB A2 to A8."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import pytest
import requests

from collector.core.times import HOUR, SECOND, from_datetime
from collector.simulator import Fault, Simulator, SimulatorOptions, identity
from tests.fakes.clock import ManualClock
from tests.fakes.vendor import START, CasbClient, quiet_options


@contextmanager
def vendor(
    options: SimulatorOptions | None = None, *faults: Fault, at: float = 6.5
) -> Iterator[tuple[Simulator, CasbClient, ManualClock]]:
    """A vendor, ``at`` hours into its history, and a client that is logged in."""
    options = options or quiet_options()
    clock = ManualClock(START + round(at * HOUR))
    with Simulator(options, clock, faults) as simulator:
        client = CasbClient(simulator.url, options)
        client.log_in()
        yield simulator, client, clock


def all_alerts(client: CasbClient, **time_range: int | str) -> list[dict[str, Any]]:
    """All pages of a window, to the first that is not full."""
    found: list[dict[str, Any]] = []
    for page in range(1000):
        alerts = client.alerts(page, **time_range).json()["alerts"]
        found += alerts
        if len(alerts) < 50:
            return found
    raise AssertionError("the window never ends")


def all_events(client: CasbClient, **first: str) -> tuple[list[dict[str, Any]], str]:
    """All events from a start or cursor on, and the last cursor."""
    found: list[dict[str, Any]] = []
    answer = client.events(**first).json()
    while answer["content"]:
        found += answer["content"]
        answer = client.events(nextPage=answer["nextPageToken"]).json()
    return found, answer["nextPageToken"]


def test_auth_gives_a_token_that_both_services_take() -> None:
    """One token serves alerts and events (A2)."""
    with vendor() as (simulator, client, _):
        assert client.alerts().status_code == 200
        assert client.events().status_code == 200
        assert [call.service for call in simulator.truth.requests] == ["auth", "alerts", "events"]


@pytest.mark.parametrize("wrong", [{"client_id": "x"}, {"client_secret": "x"}])
def test_wrong_client_is_refused(wrong: dict[str, str]) -> None:
    """Wrong credentials are 403, with a message (A2)."""
    with vendor() as (_, client, _clock):
        answer = client.log_in(**wrong)
        assert answer.status_code == 403
        assert answer.json()["message"]


def test_wrong_key_is_403_and_unknown_token_401() -> None:
    """Every call needs the API key and a raw token; "Bearer" makes it another token."""
    with vendor() as (_, client, _clock):
        good = client.headers["Authorization"]
        client.headers["Authorization"] = f"Bearer {good}"
        assert client.alerts().status_code == 401
        client.headers |= {"Authorization": good, "x-api-key": "wrong"}
        assert client.alerts().status_code == 403
        assert client.log_in().status_code == 403


def test_tokens_expire_by_time_and_by_calls() -> None:
    """The lifetime is in clock seconds; the other limit counts calls."""
    with vendor(quiet_options(token_lifetime_seconds=600)) as (_, client, clock):
        clock.advance(599)
        assert client.alerts().status_code == 200
        clock.advance(1)
        assert client.events().status_code == 401
    with vendor(quiet_options(token_calls=2)) as (_, client, _clock):
        assert [client.alerts().status_code for _ in range(3)] == [200, 200, 401]


def test_quota_is_counted_with_auth_and_given_again_at_midnight() -> None:
    """So many calls a UTC day, then 429."""
    with vendor(quiet_options(calls_per_day=3)) as (_, client, clock):
        assert [client.alerts().status_code for _ in range(3)] == [200, 200, 429]
        clock.advance(18 * 3600)
        client.log_in()
        assert client.alerts().status_code == 200


def test_alerts_are_paged_newest_first_and_complete() -> None:
    """Pages of 50 from 0; all of them together are the truth (A3)."""
    with vendor() as (simulator, client, _):
        alerts = all_alerts(client)
        times = [alert["timestamp"] for alert in alerts]
        assert times == sorted(times, reverse=True)
        assert {identity("alerts", alert) for alert in alerts} == simulator.truth.emitted("alerts")
        assert len(alerts) == 720


def test_time_range_includes_both_ends_and_takes_text() -> None:
    """``from`` and ``to`` are epoch milliseconds, inclusive, as numbers or text."""
    with vendor() as (_, client, _clock):
        inner = client.alerts().json()["alerts"][10:41]
        first, last = inner[-1]["timestamp"], inner[0]["timestamp"]
        assert client.alerts(from_=first, to=last).json()["alerts"] == inner
        assert client.alerts(from_=str(first), to=str(last)).json()["alerts"] == inner


def test_a_burst_fills_more_than_a_page_in_one_millisecond() -> None:
    """A window of one millisecond can need a second page."""
    with vendor(quiet_options(alert_burst=60)) as (_, client, _clock):
        times = [alert["timestamp"] for alert in all_alerts(client)]
        burst = max(set(times), key=times.count)
        assert len(all_alerts(client, from_=burst, to=burst)) == 60


def test_alerts_appear_as_the_clock_passes() -> None:
    """What lies in the future is not served; new alerts drift onto page 0."""
    with vendor(at=1) as (simulator, client, clock):
        before = client.alerts().json()["alerts"]
        clock.advance(1800)
        after = client.alerts().json()["alerts"]
        assert after[0]["timestamp"] > before[0]["timestamp"]
        assert len(all_alerts(client)) == len(simulator.truth.emitted("alerts"))


def test_events_by_cursor_are_complete_while_new_ones_appear() -> None:
    """From a start through empty pages and later polls nothing is missing or doubled (A4)."""
    with vendor(at=2) as (simulator, client, clock):
        found, cursor = all_events(client, startTime="2026-01-01T00:00")
        for _ in range(10):
            clock.advance(7)
            more, cursor = all_events(client, nextPage=cursor)
            found += more
        ids = [identity("events", event) for event in found]
        assert len(set(ids)) == len(ids)
        assert set(ids) == simulator.truth.emitted("events")


def test_empty_page_still_has_a_token() -> None:
    """At the end of the data: size 0, no content, a token that is base64 of JSON."""
    with vendor() as (_, client, _clock):
        _, cursor = all_events(client, startTime="2026-01-01T00:00")
        answer = client.events(nextPage=cursor).json()
        assert answer["size"] == 0
        assert answer["content"] == []
        assert base64.b64decode(answer["nextPageToken"]).startswith(b'{"')


def test_start_time_cuts_at_the_minute() -> None:
    """Nothing dated before the start comes, and nothing after it is missing."""
    with vendor() as (simulator, client, _):
        found, _ = all_events(client, startTime="2026-01-01T03:00")
        since = START + 3 * HOUR
        expected = simulator.truth.emitted("events", since=since)
        assert {identity("events", event) for event in found} == expected


@pytest.mark.parametrize(
    "params", [{"nextPage": "bm90IGEgY3Vyc29y"}, {"nextPage": "%"}, {"startTime": "yesterday"}]
)
def test_bad_cursor_or_start_is_400(params: dict[str, str]) -> None:
    """What cannot be read is a client error with a message."""
    with vendor() as (_, client, _clock):
        answer = client.events(**params)
        assert answer.status_code == 400
        assert answer.json()["message"]


def test_bad_bodies_are_400() -> None:
    """A body that is no JSON, or a negative page, is a client error."""
    with vendor() as (simulator, client, _):
        url = f"{simulator.url}/v1/alerts"
        for body in (b"{", b'{"page":"x"}', b'{"page":-1}', b'{"time_range":{"from":1}}'):
            answer = requests.post(url, data=body, headers=client.headers, timeout=5)
            assert answer.status_code == 400


def test_pages_may_hold_raw_control_characters_and_broken_utf8() -> None:
    """Such a page is no JSON for a strict parser (A3 trap 2)."""
    options = quiet_options(control_characters_rate=0.1, invalid_utf8_rate=0.1)
    with vendor(options) as (_, client, _clock):
        body = client.alerts().content
        assert b"\t" in body
        with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
            msgspec.json.decode(body.decode())


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
def test_scripted_status(status: int) -> None:
    """A status by script is answered once, and logged; then all is well again."""
    fault = Fault(service="alerts", action="status", status=status)
    with vendor(None, fault) as (simulator, client, _):
        assert [client.alerts().status_code for _ in range(2)] == [status, 200]
        assert [call.status for call in simulator.truth.requests] == [200, status, 200]


def test_retry_after_in_three_forms() -> None:
    """Seconds, an HTTP date on the simulator's clock, or no header at all."""
    faults = (
        Fault(service="alerts", action="status", status=429, retry_after=7),
        Fault(
            service="alerts",
            action="status",
            status=429,
            retry_after=60,
            retry_after_form="date",
            nth=2,
        ),
        Fault(service="alerts", action="status", status=429, nth=3),
    )
    with vendor(None, *faults) as (_, client, clock):
        assert client.alerts().headers["Retry-After"] == "7"
        moment = parsedate_to_datetime(client.alerts().headers["Retry-After"])
        assert from_datetime(moment) == clock.now() + 60 * SECOND
        assert "Retry-After" not in client.alerts().headers


def test_cut_body_ends_the_connection_early() -> None:
    """The length promises more than comes."""
    with vendor(None, Fault(service="events", action="cut_body")) as (_, client, _clock):
        with pytest.raises(requests.exceptions.RequestException):
            client.events(startTime="2026-01-01T00:00")
        assert client.events(startTime="2026-01-01T00:00").status_code == 200


def test_html_body_comes_with_status_200() -> None:
    """A page for people where JSON was promised."""
    with vendor(None, Fault(service="alerts", action="html_body")) as (_, client, _clock):
        answer = client.alerts()
        assert answer.status_code == 200
        assert answer.text.startswith("<!DOCTYPE html>")


def test_slow_answer_waits_on_the_simulators_clock() -> None:
    """Nothing comes before the clock has passed; then the answer is good."""
    with vendor(None, Fault(service="alerts", action="slow", seconds=30)) as (_, client, clock):
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.post(f"{client.url}/v1/alerts", json={}, headers=client.headers, timeout=0.2)
        clock.advance(30)
        assert client.alerts().status_code == 200


def test_expired_tokens_and_refused_cursor_by_script() -> None:
    """All tokens die at once; a good cursor is refused once."""
    faults = (
        Fault(service="alerts", action="expire_tokens"),
        Fault(service="events", action="refuse_cursor"),
    )
    with vendor(None, *faults) as (_, client, _clock):
        assert client.alerts().status_code == 401
        client.log_in()
        cursor = client.events().json()["nextPageToken"]
        answers = [client.events(nextPage=cursor).status_code for _ in range(2)]
        assert answers == [400, 200]
