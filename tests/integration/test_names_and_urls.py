"""Where the collector connects to, and that no answer decides that (rows 18 and 19)."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from requests_mock import Mocker

from collector.core.model import Request
from collector.core.times import HOUR
from collector.errors import VendorUnavailable
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.stream import StreamLimits
from collector.wire.websocket import WebSocketWire
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import START, Bench, as_json
from tests.fakes.sources import alerts, events
from tests.fakes.tenants import ALERTS, AUTH, EVENTS, WiredTenant

NO_SUCH_NAME = "vendor.invalid"
"""RFC 6761: this name exists nowhere."""


def test_an_unknown_name_is_an_outage() -> None:
    """Told without the URL, whose query may hold a secret; the next try may fare better."""
    url = f"https://{NO_SUCH_NAME}/v1/alerts"
    with (
        closing(HttpWire(HttpLimits(connect_timeout=5.0))) as wire,
        pytest.raises(VendorUnavailable, match=r"500.*could not be reached") as caught,
    ):
        wire.send(Request(method="GET", url=url, params={"q": "secret-canary"}))
    assert "canary" not in str(caught.value)
    assert "name resolution" in caught.value.remedy


def test_an_unknown_name_of_a_stream() -> None:
    """The same for the handshake."""
    wire = WebSocketWire(StreamLimits(connect_timeout=5.0), ManualClock(START))
    request = Request(
        method="GET", url=f"wss://{NO_SUCH_NAME}/v1/stream", params={"cid": "secret-canary"}
    )
    with pytest.raises(VendorUnavailable, match="could not be reached") as caught:
        wire.open(request)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("error", [socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL])
def test_a_name_is_looked_up_at_every_try(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """Not known, not answered, server failure: each try asks anew, so a change is found."""
    asked: list[Any] = []

    def failing(host: Any, *_args: Any, **_options: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(error, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", failing)
    stream = WebSocketWire(StreamLimits(connect_timeout=5.0), ManualClock(START))
    with closing(HttpWire(HttpLimits())) as wire:
        for _ in range(3):
            with pytest.raises(VendorUnavailable):
                wire.send(Request(method="GET", url="https://vendor.example.com/"))
            with pytest.raises(VendorUnavailable):
                stream.open(Request(method="GET", url="wss://vendor.example.com/"))
    assert len(asked) == 6


FOREIGN = [
    "https://192.0.2.1/v2/events?nextPage=1",
    "http://api.example.com/v2/events",
    "//evil.example.net/",
    "/../../admin",
    "?startTime=2020-01-01T00:00&nextPage=x",
    "a&nextPage=b#c",
    "a+b/c==%2F",
    "\r\nHost: evil.example.net",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("cursor", FOREIGN)
def test_a_cursor_is_only_ever_a_value(requests_mock: Mocker, cursor: str) -> None:
    """Whatever it looks like: the next call goes to the configured place, and carries it whole."""
    requests_mock.post(AUTH, json={"auth_token": "t"})
    pages = [{"content": [{"eventId": "1"}], "nextPageToken": cursor}, {"content": []}]
    requests_mock.get(EVENTS, [{"content": as_json(page)} for page in pages])
    bench = Bench(events(url=EVENTS), START + HOUR)
    with WiredTenant(bench.clock, bench.store) as tenant:
        bench.puller(tenant.vendor.fetch).pull()
    (_, _, second) = requests_mock.request_history
    url = urlsplit(second.url)
    assert f"{url.scheme}://{url.netloc}{url.path}" == EVENTS
    assert parse_qs(url.query) == {"nextPage": [cursor]}
    assert len(bench.store.records()) == 1


def test_links_in_an_answer_are_not_followed(requests_mock: Mocker) -> None:
    """The collector makes its own URLs; no field of an answer is one."""
    requests_mock.post(AUTH, json={"auth_token": "t", "url": FOREIGN[0], "next": FOREIGN[0]})
    link = {"next": FOREIGN[0], "links": {"next": FOREIGN[0]}, "alerts": []}
    requests_mock.post(ALERTS, json=link, headers={"Link": f'<{FOREIGN[0]}>; rel="next"'})
    bench = Bench(alerts(url=ALERTS), START + HOUR)
    with WiredTenant(bench.clock, bench.store) as tenant:
        bench.puller(tenant.vendor.fetch).pull()
    assert [call.url for call in requests_mock.request_history] == [AUTH, ALERTS]
