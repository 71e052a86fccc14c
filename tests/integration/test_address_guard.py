"""The vendor's name leads where it must not (reliability matrix, row 18).

The resolver is the test's own: it knows ``vendor.example.com`` on this machine.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from collector.core.model import Request, Response
from collector.errors import VendorUnavailable
from collector.simulator import frames
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.stream import StreamLimits
from collector.wire.websocket import WebSocketWire
from tests.fakes.batches import FIRST
from tests.fakes.clock import ManualClock
from tests.fakes.raw_server import Peer, RawServer, answer
from tests.fakes.receivers import StreamReceiver

NAME = "vendor.example.com"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that has been poisoned, and no proxy to ask in its place."""
    real: Callable[..., Any] = socket.getaddrinfo

    def poisoned(host: Any, *rest: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host == NAME else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", poisoned)
    for each in PROXIES:
        monkeypatch.delenv(each, raising=False)
        monkeypatch.delenv(each.lower(), raising=False)


def ask(url: str, *, allow_private: bool = False) -> Response:
    """One call."""
    limits = HttpLimits(connect_timeout=2, read_timeout=2)
    with closing(HttpWire(limits, allow_private=allow_private)) as wire:
        return wire.send(Request(method="GET", url=url, headers={"x-api-key": "canary"}))


def listen(url: str, *, allow_private: bool = False) -> list[bytes]:
    """One session."""
    limits = StreamLimits(connect_timeout=2, max_seconds=5)
    wire = WebSocketWire(limits, ManualClock(FIRST), allow_private=allow_private)
    with wire.open(Request(method="GET", url=url)) as stream:
        return stream.read()


@contextmanager
def vendor() -> Iterator[RawServer]:
    """A server for both kinds of call."""

    def serve(peer: Peer) -> None:
        if peer.header("upgrade"):
            peer.upgrade()
            peer.send(frames.frame(b"{}", frames.TEXT), frames.close_frame(1000))
            peer.wait()
        else:
            peer.send(answer(b"{}"))

    with RawServer(serve) as server:
        yield server


@pytest.mark.parametrize("scheme", ["http", "https", "ws", "wss"])
def test_a_name_that_leads_to_this_machine(scheme: str) -> None:
    """Refused before a byte is sent, with what to do if it is right."""
    call: Callable[[str], object] = ask if scheme.startswith("http") else listen
    with StreamReceiver() as server:
        with pytest.raises(VendorUnavailable, match="no public address") as caught:
            call(f"{scheme}://{NAME}:{server.port}/")
        assert server.received == b""
    assert "127.0.0.1" in caught.value.cause
    assert "allow_private_addresses" in caught.value.remedy


def test_an_internal_name_that_is_allowed() -> None:
    """``allow_private_addresses`` says that the resolver is right."""
    with vendor() as server:
        assert ask(f"http://{NAME}:{server.port}/", allow_private=True).body == b"{}"
        assert listen(f"ws://{NAME}:{server.port}/", allow_private=True) == [b"{}"]
    assert len(server.heads) == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_address_that_was_configured(host: str) -> None:
    """A URL that says itself where it leads needs no permission."""
    with vendor() as server:
        assert ask(f"http://{host}:{server.port}/").status == 200
        assert listen(f"ws://{host}:{server.port}/") == [b"{}"]


def test_a_proxy_may_be_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """It decides where the name leads; its own address is usually private."""

    def serve(peer: Peer) -> None:
        peer.send(answer(b"", status="502 No"))

    with RawServer(serve) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{NAME}:{proxy.port}")
        assert ask("http://other.example.com/").status == 502
        with pytest.raises(VendorUnavailable, match="proxy did not let"):
            listen("ws://other.example.com/")
    assert [head.split(b" ")[1] for head in proxy.heads] == [
        b"http://other.example.com/",
        b"other.example.com:80",
    ]
