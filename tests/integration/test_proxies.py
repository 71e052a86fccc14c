"""Proxies with user and password, for calls, streams and posts, over a real tunnel.

The password is odd on purpose: it must survive URLs, and show in no error.
"""

from __future__ import annotations

import base64
import ssl
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from collector.core.model import Request
from collector.errors import CollectorError
from collector.net.proxies import DIRECT, Proxy
from collector.senders.http import HttpSender
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.stream import StreamLimits
from collector.wire.tls import vendor_context
from collector.wire.websocket import WebSocketWire
from tests.fakes.batches import FIRST
from tests.fakes.clock import ManualClock
from tests.fakes.connect_proxy import ConnectProxy
from tests.fakes.destinations import Authority
from tests.fakes.raw_server import Peer, RawServer, answer
from tests.fakes.tls_doors import SECONDS, attempt, deliver

USER = "ann@example.com"
PASSWORD = "canary/9c:3@ %41"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

# Goes to the server of an authority, over a proxy.
Way: TypeAlias = Callable[[str, Path, Proxy | None], None]


def call(url: str, ca: Path, proxy: Proxy | None) -> None:
    """A call to the vendor."""
    wire = HttpWire(HttpLimits(), vendor_context(ca), proxy)
    try:
        wire.send(Request(method="GET", url=url))
    finally:
        wire.close()


def stream(url: str, ca: Path, proxy: Proxy | None) -> None:
    """A stream of the vendor."""
    limits = StreamLimits(connect_timeout=SECONDS, close_timeout=0.2)
    wire = WebSocketWire(limits, ManualClock(FIRST), vendor_context(ca), proxy)
    with wire.open(Request(method="GET", url=url.replace("http", "ws", 1))):
        pass


def post(url: str, ca: Path, proxy: Proxy | None) -> None:
    """A post to a destination."""
    deliver(HttpSender(url=url, ca=ca, proxy=proxy, timeout=SECONDS, clock=ManualClock(FIRST)))


WAYS: dict[str, Way] = {"call": call, "stream": stream, "post": post}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A new authority."""
    return Authority(tmp_path)


def serve(peer: Peer) -> None:
    """Whatever is asked for: a stream, a call or a post."""
    if peer.header("upgrade"):
        peer.upgrade()
        peer.wait()
    else:
        peer.send(answer(b"{}"))


def server(context: ssl.SSLContext | None) -> RawServer:
    """Where the proxy leads."""
    return RawServer(serve, context)


def known(proxy: ConnectProxy, password: str = PASSWORD) -> Proxy:
    """The proxy with our user."""
    return Proxy(url=proxy.url, username=USER, password=password)


def told(error: CollectorError | None) -> str:
    """All that an error could ever show."""
    assert error is not None
    shown = "".join(traceback.format_exception(error)) + repr(error)
    sent = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, "canary", sent):
        assert secret not in shown
    return str(error)


@each_way
def test_a_proxy_with_user_and_password(way: Way, authority: Authority) -> None:
    """The tunnel is asked for by name and password; what goes through it is verified TLS."""
    with ConnectProxy(f"{USER}:{PASSWORD}") as proxy, server(authority.server()) as behind:
        way(behind.url, authority.ca, known(proxy))
        assert set(proxy.places) == {f"127.0.0.1:{behind.port}"}
        assert behind.heads
        assert b"Proxy-Authorization" not in b"".join(behind.heads)


@each_way
@pytest.mark.parametrize("given", [True, False])
def test_a_proxy_that_refuses_us(way: Way, authority: Authority, given: bool) -> None:  # noqa: FBT001
    """A wrong password, or none: the proxy is named, and the settings that help."""
    with ConnectProxy(f"{USER}:another") as proxy, server(authority.server()) as behind:
        mine = known(proxy) if given else Proxy(url=proxy.url)
        said = told(attempt(lambda: way(behind.url, authority.ca, mine)))
        assert behind.heads == []
    assert "the proxy refused our user and password (407)" in said
    assert "proxy.password" in said


@each_way
def test_a_proxy_that_forbids_the_place(way: Way, authority: Authority) -> None:
    """Its status is told."""
    with ConnectProxy(status="403 Forbidden") as proxy, server(authority.server()) as behind:
        said = told(attempt(lambda: way(behind.url, authority.ca, known(proxy))))
    assert "the proxy did not let the call through (403)" in said


@each_way
def test_a_proxy_that_is_not_there(way: Way, authority: Authority) -> None:
    """It is the proxy that is named, not what lies behind it."""
    with ConnectProxy() as gone:
        mine = known(gone)
    with server(authority.server()) as behind:
        said = told(attempt(lambda: way(behind.url, authority.ca, mine)))
    assert "proxy did not let the call through" in said


@each_way
def test_none_goes_past_the_environment(
    way: Way, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``proxy: none`` is stronger than the variables."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with server(authority.server()) as behind:
        way(behind.url, authority.ca, DIRECT)
        assert behind.heads


@each_way
def test_ours_goes_before_the_environments(
    way: Way, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the settings is stronger than the variables, NO_PROXY among them."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ConnectProxy() as proxy, server(authority.server()) as behind:
        way(behind.url, authority.ca, Proxy(url=proxy.url))
        assert proxy.places
        assert behind.heads


@each_way
def test_the_environments_proxy(
    way: Way, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for by ``proxy: environment``, the default of inputs."""
    with ConnectProxy("ann:invented") as proxy, server(authority.server()) as behind:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//ann:invented@"))
        way(behind.url, authority.ca, None)
        assert proxy.places
        assert behind.heads


def test_an_output_heeds_no_environment_by_itself(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Destinations are reached directly unless the settings say otherwise."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with server(authority.server()) as behind:
        clock = ManualClock(FIRST)
        deliver(HttpSender(url=behind.url, ca=authority.ca, timeout=SECONDS, clock=clock))
        assert behind.heads
