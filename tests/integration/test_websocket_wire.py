"""The WebSocket wire against a server that breaks the rules (reliability matrix, rows 21 to 23).

A session ends in one of four known ways; what came before its end is never lost, and
no message decides about a session.
"""

from __future__ import annotations

import contextlib
import gc
import ssl
import threading
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.core.model import Request
from collector.errors import (
    AuthenticationError,
    CollectorError,
    SessionEnded,
    SessionSilent,
    SessionTaken,
    TokenRejected,
    VendorRefused,
    VendorUnavailable,
)
from collector.net.proxies import Proxy
from collector.net.tls import Checks, client_side
from collector.simulator import frames
from collector.wire.inbox import End
from collector.wire.stream import Stream, StreamLimits
from collector.wire.websocket import WebSocketWire, batches
from tests.fakes.batches import FIRST
from tests.fakes.clock import ManualClock
from tests.fakes.destinations import Authority
from tests.fakes.pki import Pki
from tests.fakes.raw_server import Peer, RawServer, Script, answer

CANARY = "canary-88aa"
LIMITS = StreamLimits(max_seconds=10, max_message=1_000_000)
NORMAL = frames.close_frame(1000)


def text(data: bytes) -> bytes:
    """A text message in one frame."""
    return frames.frame(data, frames.TEXT)


def accepting(*sent: bytes, then: Script = Peer.wait) -> Script:
    """A script that accepts the handshake, sends frames, and goes on as another script."""

    def script(peer: Peer) -> None:
        peer.upgrade()
        peer.send(*sent)
        then(peer)

    return script


def request(url: str) -> Request:
    """A signed request."""
    return Request(
        method="GET",
        url=url,
        params={"cid": "example_hosted", "type": "message", "key": CANARY},
        headers={"Authorization": f"Bearer {CANARY}"},
    )


@contextmanager
def session(
    script: Script, limits: StreamLimits = LIMITS, clock: ManualClock | None = None
) -> Iterator[Stream]:
    """A session with a server of that script, let go of at the end."""
    with RawServer(script) as server:
        wire = WebSocketWire(limits, clock or ManualClock(FIRST))
        stream = wire.open(request(server.ws_url))
        try:
            yield stream
        finally:
            stream.abandon()
            del stream, wire
            gc.collect()  # shows what was not let go of


def drained(stream: Stream) -> list[bytes]:
    """All messages until the session ends."""
    messages: list[bytes] = []
    while stream.lasts:
        messages += stream.read()
    return messages


def assert_no_secret(error: CollectorError) -> None:
    """Neither the message nor the traceback that a log would print."""
    shown: list[Callable[[CollectorError], object]] = [str, repr, traceback.format_exception]
    assert all(CANARY not in str(show(error)) for show in shown)


def test_the_handshake_asks_as_described() -> None:
    """Path, query percent-encoded, bearer, and the offer of compression."""
    with RawServer(accepting(NORMAL)) as server:
        sent = Request(method="GET", url=server.ws_url, params={"sinceTime": "2026-01-01T00+0000"})
        WebSocketWire(LIMITS, ManualClock(FIRST)).open(sent).abandon()
    first = server.heads[0].split(b"\r\n")[0]
    assert first == b"GET /v1/stream?sinceTime=2026-01-01T00%2B0000 HTTP/1.1"
    assert b"permessage-deflate" in server.heads[0]


def test_more_headers_do_no_harm() -> None:
    """A query in the URL and headers of the caller's go out; no token is in the log."""
    with RawServer(accepting(NORMAL)) as server:
        sent = Request(
            method="GET",
            url=f"{server.ws_url}?a=1",
            params={"b": "2 3", "at": "01:02"},
            headers={"X-Tenant": "example"},
        )
        WebSocketWire(LIMITS, ManualClock(FIRST)).open(sent).abandon()
    head = server.heads[0]
    assert head.startswith(b"GET /v1/stream?a=1&b=2%203&at=01:02 HTTP/1.1\r\n")
    assert b"\r\nX-Tenant: example\r\n" in head
    assert b"\r\nUser-Agent: proofpoint-collector\r\n" in head


def test_the_library_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """At its lowest level it would print the bearer."""
    caplog.set_level(1)
    with session(ABRUPT["reserved bits"]) as stream:
        drained(stream)
    assert [each for each in caplog.records if each.name.startswith("picows")] == []


HANDSHAKES: dict[int, tuple[type[CollectorError], int]] = {
    200: (VendorUnavailable, 200),
    400: (VendorRefused, 400),
    401: (TokenRejected, 401),
    403: (AuthenticationError, 103),
    404: (VendorRefused, 404),
    405: (VendorRefused, 405),
    409: (SessionTaken, 409),
    429: (VendorUnavailable, 429),
    430: (VendorRefused, 430),
    500: (VendorUnavailable, 500),
    503: (VendorUnavailable, 503),
    520: (VendorUnavailable, 520),
}


@pytest.mark.parametrize("status", HANDSHAKES)
def test_a_handshake_that_is_refused(status: int) -> None:
    """By the same table as HTTP calls; the pause that was asked for comes with it."""
    refusal = answer(b"no", "Retry-After: 9", status=f"{status} No")
    with pytest.raises(HANDSHAKES[status][0]) as caught, session(lambda peer: peer.send(refusal)):
        pass
    error = caught.value
    assert (type(error), error.number) == HANDSHAKES[status]
    if isinstance(error, VendorUnavailable):
        assert error.retry_after == 9
    assert_no_secret(error)


def test_an_old_proxy_that_refuses() -> None:
    """HTTP/1.0 is understood, though no session can come of it."""
    refusal = answer(b"", "Retry-After: 9", status="503 No").replace(b"HTTP/1.1", b"HTTP/1.0")
    with (
        pytest.raises(VendorUnavailable, match="503") as caught,
        session(lambda peer: peer.send(refusal)),
    ):
        pass
    assert caught.value.retry_after == 9


@pytest.mark.parametrize(
    "header",
    [
        "Sec-WebSocket-Extensions: x-snappy",
        "Sec-WebSocket-Extensions: permessage-deflate",
        "Sec-WebSocket-Protocol: soap",
    ],
)
def test_an_answer_to_another_question(header: str) -> None:
    """A session with what was not offered would be misread."""
    limits = StreamLimits(compression=False)
    with (
        pytest.raises(VendorUnavailable, match="not offered") as caught,
        session(lambda peer: peer.upgrade(header), limits),
    ):
        pass
    assert_no_secret(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """The bearer token would go wherever it points."""
    with RawServer(accepting(NORMAL)) as elsewhere:
        moved = answer(b"", f"Location: {elsewhere.url}/", status=f"{status} Moved")
        with (
            pytest.raises(VendorUnavailable, match=str(status)) as caught,
            session(lambda peer: peer.send(moved)),
        ):
            pass
    assert elsewhere.heads == []
    assert_no_secret(caught.value)


def wrong_key(peer: Peer) -> None:
    """Accept another handshake than the client's."""
    peer.head = b"GET / HTTP/1.1\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    peer.upgrade()


NO_HANDSHAKE: dict[str, Script] = {
    "closed": lambda peer: peer.send(b""),
    "reset": Peer.reset,
    "no HTTP": lambda peer: peer.send(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "half an answer": lambda peer: peer.send(b"HTTP/1.1 101 Switch"),
    "silent": Peer.wait,
    "another key": wrong_key,
    "a header of 1 MB": lambda peer: peer.send(answer(b"", "X: " + "x" * 1_000_000)),
}


@pytest.mark.parametrize("kind", NO_HANDSHAKE)
def test_no_handshake(kind: str) -> None:
    """The vendor is not available; nothing of the URL or the headers is told."""
    limits = StreamLimits(connect_timeout=1.0)
    with pytest.raises(VendorUnavailable) as caught, session(NO_HANDSHAKE[kind], limits):
        pass
    assert_no_secret(caught.value)


def test_nobody_there() -> None:
    """A closed port."""
    with RawServer(Peer.wait) as server:
        url = server.ws_url
    with pytest.raises(VendorUnavailable, match="could not be reached") as caught:
        WebSocketWire(LIMITS, ManualClock(FIRST)).open(request(url))
    assert_no_secret(caught.value)


def test_credentials_of_a_netrc_file_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bearer goes out, whatever the file says of all hosts."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(accepting(NORMAL)) as server:
        WebSocketWire(LIMITS, ManualClock(FIRST)).open(request(server.ws_url)).abandon()
    assert f"Authorization: Bearer {CANARY}".encode() in server.heads[0]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A WebSocket goes the way of HTTPS; the token is not shown to a proxy that refuses."""
    refusal = answer(b"", status="403 No")
    with RawServer(lambda peer: peer.send(refusal)) as proxy:
        monkeypatch.setenv(variable, proxy.url.replace("//", "//user:pass@"))
        with pytest.raises(VendorUnavailable, match="proxy did not let") as caught:
            WebSocketWire(LIMITS, ManualClock(FIRST)).open(request("wss://stream.example.com/v1"))
    assert proxy.heads[0].startswith(b"CONNECT stream.example.com:443 ")
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNz" in proxy.heads[0]
    assert CANARY.encode() not in proxy.heads[0]
    assert_no_secret(caught.value)


def test_a_session_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy gives a tunnel; in it the session is like any other."""

    def tunnel(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        peer.next_head()
        accepting(text(b"1"), NORMAL)(peer)

    with RawServer(tunnel) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        sent = request("ws://stream.example.com/v1")
        with WebSocketWire(LIMITS, ManualClock(FIRST)).open(sent) as stream:
            assert drained(stream) == [b"1"]
    assert proxy.heads[0].startswith(b"CONNECT stream.example.com:80 ")
    assert CANARY.encode() not in proxy.heads[0]


def test_a_proxy_that_was_set() -> None:
    """It counts, and not the environment's; 407 says what it wants."""
    with RawServer(lambda peer: peer.send(answer(b"", status="407 No"))) as server:
        chosen = Proxy(url=server.url, username="user", password=CANARY)
        wire = WebSocketWire(LIMITS, ManualClock(FIRST), proxy=chosen)
        with pytest.raises(VendorUnavailable, match="407") as caught:
            wire.open(request("wss://stream.example.com/v1"))
    assert_no_secret(caught.value)
    with pytest.raises(VendorUnavailable, match="proxy did not let"):
        wire.open(request("wss://stream.example.com/v1"))


def test_hosts_that_need_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """``NO_PROXY`` is heeded."""
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with session(accepting(NORMAL)) as stream:
        assert drained(stream) == []


def test_over_tls(tmp_path: Path) -> None:
    """With an authority of its own; without it, the certificate is not accepted."""
    authority = Authority(tmp_path)
    with RawServer(accepting(text(b"{}"), NORMAL), authority.server()) as server:
        trusting = WebSocketWire(LIMITS, ManualClock(FIRST), client_side(authority.ca))
        with trusting.open(request(server.ws_url)) as stream:
            assert drained(stream) == [b"{}"]
        with pytest.raises(VendorUnavailable, match="certificate was not accepted") as caught:
            WebSocketWire(LIMITS, ManualClock(FIRST), client_side()).open(request(server.ws_url))
    assert_no_secret(caught.value)
    del caught, stream
    gc.collect()  # shows what was not let go of


def test_another_name_over_tls(tmp_path: Path) -> None:
    """The certificate is for the name that the context asks for, not for the URL's."""
    pki = Pki(tmp_path)
    issued = pki.issue(names=["stream.example.com"], issuer=pki.ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    named = client_side(pki.ca.cert, checks=Checks(server_name="stream.example.com"))
    with RawServer(accepting(text(b"1"), NORMAL), context) as server:
        with WebSocketWire(LIMITS, ManualClock(FIRST), named).open(
            request(server.ws_url)
        ) as stream:
            assert drained(stream) == [b"1"]
        with pytest.raises(VendorUnavailable, match="certificate was not accepted"):
            WebSocketWire(LIMITS, ManualClock(FIRST), client_side(pki.ca.cert)).open(
                request(server.ws_url)
            )


@pytest.mark.parametrize("code", [1000, 1001])
def test_an_orderly_close(code: int) -> None:
    """Nothing was in flight."""
    with session(accepting(text(b"1"), frames.close_frame(code))) as stream:
        assert drained(stream) == [b"1"]
        assert (stream.end, stream.clean, stream.code) == (End.CLEAN, True, code)


@pytest.mark.parametrize("code", [*range(1002, 1004), *range(1007, 1015), 3000, 4000, 4999])
def test_a_close_with_an_error_code(code: int) -> None:
    """What came before is kept; something may be missing."""
    with session(accepting(text(b"1"), frames.close_frame(code))) as stream:
        assert drained(stream) == [b"1"]
        assert (stream.end, stream.clean, stream.code) == (End.FAILED, False, code)
        assert str(code) in stream.ended


def test_a_close_without_a_code() -> None:
    """RFC 6455, 7.1.5: it is a close frame all the same."""
    with session(accepting(frames.frame(b"", frames.CLOSE))) as stream:
        assert drained(stream) == []
        assert (stream.end, stream.clean) == (End.CLEAN, True)


DEFLATE_FLAG = frames.FINAL | frames.COMPRESSED
ABRUPT: dict[str, Script] = {
    "end of TCP": accepting(text(b"1"), then=lambda peer: peer.send(b"")),
    "half a frame": accepting(text(b"1"), text(b"x" * 100)[:50], then=lambda peer: peer.send(b"")),
    "reserved bits": accepting(text(b"1"), frames.frame(b"x", frames.TEXT, 0xF0)),
    "reserved opcode": accepting(text(b"1"), frames.frame(b"x", 0x5)),
    "compressed though not agreed": accepting(text(b"1"), frames.frame(b"x", 1, DEFLATE_FLAG)),
    "continuation of nothing": accepting(text(b"1"), frames.frame(b"x", frames.CONTINUATION)),
    "long control frame": accepting(text(b"1"), frames.frame(b"x" * 200, frames.PING)),
    "cut control frame": accepting(text(b"1"), frames.frame(b"x", frames.PING, 0)),
    "64-bit length": accepting(text(b"1"), b"\x81\x7f" + b"\xff" * 8),
    "close code of one byte": accepting(text(b"1"), frames.frame(b"\x03", frames.CLOSE)),
    "close code that is none": accepting(text(b"1"), frames.close_frame(999)),
    "close code that is never sent": accepting(text(b"1"), frames.close_frame(1006)),
    "close code of nobody": accepting(text(b"1"), frames.close_frame(5000)),
    "masked frame": accepting(text(b"1"), b"\x81\x81\x00\x00\x00\x00x"),
    "message in a message": accepting(text(b"1"), frames.frame(b"x", frames.TEXT, 0), text(b"2")),
    "reserved bit of a fragment": accepting(
        text(b"1"),
        frames.frame(b"x", frames.TEXT, 0),
        frames.frame(b"y", frames.CONTINUATION, DEFLATE_FLAG),
    ),
}


@pytest.mark.parametrize("kind", ABRUPT)
def test_an_end_without_order(kind: str) -> None:
    """No close frame, or frames that no client can follow; what came before is kept."""
    with session(ABRUPT[kind]) as stream:
        assert drained(stream) == [b"1"]
        assert (stream.end, stream.clean) == (End.ABRUPT, False)


def test_what_follows_a_broken_frame_does_not_count() -> None:
    """The vendor learns why the session ends, and whatever it goes on to say is not taken."""
    seen: list[tuple[int, bytes]] = []
    broken = frames.frame(b"x", frames.CONTINUATION)
    script = accepting(text(b"1"), broken, text(b"2"), NORMAL, then=lambda peer: see(peer, seen))
    with session(script) as stream:
        assert drained(stream) == [b"1"]
        assert (stream.end, stream.code) == (End.ABRUPT, 1002)
    assert seen[0] == (frames.CLOSE, (1002).to_bytes(2, "big"))


def see(peer: Peer, seen: list[tuple[int, bytes]]) -> None:
    """Note all further frames of the client."""
    seen.extend(peer.frames())


@pytest.mark.parametrize("last", [text(b"1"), frames.frame(b"?", frames.PING)])
def test_a_reset(last: bytes) -> None:
    """Also right after a ping, whose answer has nowhere to go."""
    with session(accepting(last, then=Peer.reset)) as stream:
        assert drained(stream) in ([], [b"1"])
        assert stream.end is End.ABRUPT


def test_messages_are_bytes_as_they_came() -> None:
    """Text that is no UTF-8, binary, empty, and a large one; none ends the session."""
    large = bytes(range(256)) * 3000
    sent = [b'{"a":"\xff\xfe"}', b"", "é".encode(), b"\x00\x01", large]
    data = [frames.frame(each, frames.TEXT) for each in sent]
    data[3] = frames.frame(sent[3], frames.BINARY)
    with session(accepting(*data, NORMAL)) as stream:
        assert drained(stream) == sent
        assert stream.clean


def test_fragments_are_one_message() -> None:
    """With a ping between them, as a server may."""
    body = b"0123456789" * 100
    pieces = frames.message(body, frames.TEXT, deflate=False, pieces=7)
    first = frames.frame(b"ab", frames.TEXT, 0)
    rest = frames.frame(b"cd", frames.CONTINUATION)
    ping = frames.frame(b"?", frames.PING)
    with session(accepting(pieces, first, ping, rest, NORMAL)) as stream:
        assert drained(stream) == [body, b"abcd"]


def test_compression_is_undone() -> None:
    """Small and large messages, whole and in fragments, when it was agreed."""
    bodies = [b'{"a":1}', b'{"b":2}' * 50_000]
    sent = [
        frames.message(body, frames.TEXT, deflate=True, pieces=pieces)
        for body in bodies
        for pieces in (1, 3)
    ]

    def script(peer: Peer) -> None:
        assert frames.offers_deflate(peer.header("sec-websocket-extensions"))
        peer.upgrade(f"Sec-WebSocket-Extensions: {frames.DEFLATE}")
        peer.send(*sent, NORMAL)
        peer.wait()

    with session(script) as stream:
        assert drained(stream) == [bodies[0], bodies[0], bodies[1], bodies[1]]


def test_compression_with_a_window_that_is_kept() -> None:
    """Later messages refer to earlier ones; plain ones may stand between."""
    bodies = [b'{"guid":"%032d","host":"mx.example.com"}' % number for number in range(50)]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    sent = [
        frames.frame(
            (packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4],
            frames.TEXT,
            DEFLATE_FLAG,
        )
        for body in bodies
    ]

    def script(peer: Peer) -> None:
        peer.upgrade("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=15")
        peer.send(*sent, text(b"plain"), NORMAL)
        peer.wait()

    with session(script) as stream:
        assert drained(stream) == [*bodies, b"plain"]
        assert stream.clean


def test_compression_can_be_left_out() -> None:
    """Then it is not offered."""
    with RawServer(accepting(NORMAL)) as server:
        limits = StreamLimits(compression=False)
        WebSocketWire(limits, ManualClock(FIRST)).open(request(server.ws_url)).abandon()
    assert b"permessage-deflate" not in server.heads[0]


def test_a_deflate_bomb_ends_the_session() -> None:
    """Long before all of it is in memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = packer.compress(bytes(200_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)

    def script(peer: Peer) -> None:
        peer.upgrade(f"Sec-WebSocket-Extensions: {frames.DEFLATE}")
        peer.send(frames.frame(bomb[:-4], frames.TEXT, DEFLATE_FLAG))
        peer.wait()

    with session(script) as stream:
        assert drained(stream) == []
        assert stream.end is End.ABRUPT


@pytest.mark.parametrize("pieces", [1, 5])
def test_a_message_over_the_limit(pieces: int) -> None:
    """Up to twice the limit it is handed on, for the source to keep aside; then it is too much."""
    limits = StreamLimits(max_message=100_000)
    for size, taken in ((200_000, True), (200_001, False)):
        sent = frames.message(b"x" * size, frames.TEXT, deflate=False, pieces=pieces)
        with session(accepting(text(b"1"), sent, NORMAL), limits) as stream:
            assert [len(each) for each in drained(stream)] == ([1, size] if taken else [1])
            assert stream.clean is taken
            assert stream.code == (1000 if taken else 1009)


def test_endless_fragments_end_the_session() -> None:
    """A message that never ends is no message."""

    def endless(peer: Peer) -> None:
        peer.send(frames.frame(b"", frames.TEXT, 0))
        while True:
            peer.send(frames.frame(b"x" * 65_000, frames.CONTINUATION, 0))

    with session(accepting(then=endless)) as stream:
        assert drained(stream) == []
        assert stream.end is End.ABRUPT


def test_a_batch_is_bounded() -> None:
    """By its count, or by its bytes, whichever comes first; nothing is lost between."""
    sent = [b"%03d" % number * 100 for number in range(25)]
    script = accepting(*map(text, sent), NORMAL)
    with session(script, StreamLimits(max_records=10)) as stream:
        read = []
        while stream.lasts:
            read.append(stream.read())
        assert [len(batch) for batch in read[:2]] == [10, 10]
        assert [message for batch in read for message in batch] == sent
    with session(script, StreamLimits(max_bytes=900)) as stream:
        assert len(stream.read()) == 3


def test_a_small_batch_ends_in_time() -> None:
    """A slow stream is not held back until a batch is full."""
    with session(accepting(text(b"1")), StreamLimits(max_seconds=0.3)) as stream:
        assert stream.read() == [b"1"]
        assert stream.lasts


def test_the_vendors_ping_is_answered() -> None:
    """With its own content."""
    pongs: list[tuple[int, bytes] | None] = []

    def script(peer: Peer) -> None:
        pongs.append(peer.frame())
        peer.send(NORMAL)
        peer.wait()

    with session(accepting(frames.frame(b"abc", frames.PING), then=script)) as stream:
        drained(stream)
    assert pongs == [(frames.PONG, b"abc")]


@pytest.mark.parametrize("flood", [0, 5000])
def test_our_ping_goes_out(flood: int) -> None:
    """When its interval is over, whether the stream is silent or full."""
    clock = ManualClock(FIRST)
    heard: list[tuple[int, bytes] | None] = []

    def script(peer: Peer) -> None:
        heard.append(peer.frame())
        peer.send(NORMAL)
        peer.wait()

    limits = StreamLimits(ping_interval=90, max_records=100, max_seconds=0.2)
    with session(accepting(*[text(b"1")] * flood, then=script), limits, clock) as stream:
        stream.read()
        assert heard == []
        clock.advance(91)
        assert len(drained(stream)) >= flood - 100
    assert heard == [(frames.PING, b"")]


def test_a_ping_of_the_vendors_own() -> None:
    """A text that it asks for in place of a ping frame."""
    clock = ManualClock(FIRST)
    heard: list[tuple[int, bytes] | None] = []

    def script(peer: Peer) -> None:
        heard.append(peer.frame())
        peer.send(NORMAL)
        peer.wait()

    limits = StreamLimits(ping_interval=90, ping_text='{"op":"ping"}', max_seconds=0.2)
    with session(accepting(then=script), limits, clock) as stream:
        clock.advance(91)
        drained(stream)
    assert heard == [(frames.TEXT, b'{"op":"ping"}')]


def test_a_ping_that_must_be_answered() -> None:
    """Where a pong is due, a shorter silence ends the session."""
    clock = ManualClock(FIRST)
    limits = StreamLimits(ping_interval=90, pong_timeout=20, max_seconds=0.2)
    with session(accepting(), limits, clock) as stream:
        clock.advance(91)
        assert stream.read() == []
        clock.advance(19)
        assert stream.read() == []
        assert stream.lasts
        clock.advance(2)
        stream.read()
        assert stream.end is End.SILENT


def test_a_greeting_opens_a_session() -> None:
    """Before anything else is sent."""
    heard: list[tuple[int, bytes] | None] = []

    def script(peer: Peer) -> None:
        heard.append(peer.frame())
        peer.send(NORMAL)
        peer.wait()

    with RawServer(accepting(then=script)) as server:
        wire = WebSocketWire(LIMITS, ManualClock(FIRST), greeting='{"op":"subscribe"}')
        with wire.open(request(server.ws_url)) as stream:
            drained(stream)
    assert heard == [(frames.TEXT, b'{"op":"subscribe"}')]


def test_a_flood_of_pings() -> None:
    """One that does not read our answers gets no more of them, and holds nothing up."""
    flood = [frames.frame(b"?" * 125, frames.PING)] * 100_000

    def script(peer: Peer) -> None:
        peer.send(*flood, text(b"1"), NORMAL)
        peer.wait()

    with session(accepting(then=script)) as stream:
        assert drained(stream) == [b"1"]
        assert stream.clean


def test_silence_ends_a_session() -> None:
    """After the idle limit of the collector's clock."""
    clock = ManualClock(FIRST)
    limits = StreamLimits(idle=600, max_seconds=0.2)
    with session(accepting(text(b"1")), limits, clock) as stream:
        assert stream.read() == [b"1"]
        clock.advance(599)
        assert stream.read() == []
        assert (stream.lasts, stream.silent_for) == (True, 599)
        clock.advance(2)
        stream.read()
        assert (stream.end, stream.clean) == (End.SILENT, False)


def test_a_pong_is_a_sign_of_life() -> None:
    """A quiet stream lasts as long as its pings are answered."""
    clock = ManualClock(FIRST)
    ponged = threading.Event()

    def script(peer: Peer) -> None:
        while (frame := peer.frame()) is not None:
            peer.send(frames.frame(frame[1], frames.PONG))
            ponged.set()

    limits = StreamLimits(ping_interval=90, idle=600, max_seconds=0.2)
    with session(accepting(then=script), limits, clock) as stream:
        for _ in range(8):
            clock.advance(91)
            ponged.clear()
            while not ponged.is_set() or stream.silent_for:
                assert stream.read() == []
        assert stream.lasts


def test_without_an_idle_limit_silence_never_ends_a_session() -> None:
    """Audit is silent for days."""
    clock = ManualClock(FIRST)
    with session(accepting(), StreamLimits(idle=0, max_seconds=0.1), clock) as stream:
        clock.advance(10 * 86_400)
        stream.read()
        assert stream.lasts


@pytest.mark.parametrize("kind", ["pings", "fragments"])
def test_an_archive_session_without_messages_is_given_up(kind: str) -> None:
    """It has an end, so whatever else comes, only whole messages put its limit off."""

    def script(peer: Peer) -> None:
        opcode = frames.TEXT
        while not peer.over.wait(0.01):
            if kind == "pings":
                peer.send(frames.frame(b"", frames.PING))
            else:
                peer.send(frames.frame(b"", opcode, flags=0))
                opcode = frames.CONTINUATION

    got: list[bytes] = []
    with RawServer(accepting(text(b"1"), then=script)) as server:
        clock = SystemClock(FIRST, speed=1000.0)
        limits = StreamLimits(idle=0, message_idle=600, max_seconds=100)
        stream = WebSocketWire(limits, clock).open(request(server.ws_url))
        with pytest.raises(SessionSilent, match="303"):
            got.extend(message for each in batches(stream) for message in each.messages)
    assert (got, stream.end) == ([b"1"], End.SILENT)


def test_time_in_which_nobody_reads_is_no_lack_of_messages() -> None:
    """While the spool is full no message can come; those that do come put the limit off."""
    clock = ManualClock(FIRST)
    limits = StreamLimits(idle=0, message_idle=600, max_seconds=0.1)
    with session(accepting(text(b"1")), limits, clock) as stream:
        assert stream.read() == [b"1"]
        for _ in range(3):
            clock.advance(3600)
            assert stream.read() == []
        assert stream.lasts


def test_our_close_takes_all_that_was_in_flight() -> None:
    """Records, a ping among them, then the vendor's answer."""
    received: list[tuple[int, bytes]] = []

    def script(peer: Peer) -> None:
        close = peer.frame()
        assert close is not None
        peer.send(text(b"2"), frames.frame(b"?", frames.PING), text(b"3"))
        peer.send(frames.frame(close[1], frames.CLOSE))
        received.extend([close, *peer.frames()])

    with session(accepting(text(b"1"), then=script), StreamLimits(max_seconds=0.2)) as stream:
        assert stream.read() == [b"1"]
        assert stream.finish() == [b"2", b"3"]
        assert (stream.end, stream.code) == (End.CLEAN, 1000)
        assert stream.finish() == []
    closes = [frame for frame in received if frame[0] == frames.CLOSE]
    assert closes == [(frames.CLOSE, (1000).to_bytes(2, "big"))]


@pytest.mark.parametrize("then", [Peer.wait, Peer.reset, lambda peer: peer.send(b"")])
def test_a_close_that_nobody_answers(then: Script) -> None:
    """The session has not ended in order: what was in flight is not known."""

    def script(peer: Peer) -> None:
        assert peer.frame() is not None
        peer.send(text(b"2"))
        then(peer)

    with session(accepting(then=script), StreamLimits(close_timeout=0.3)) as stream:
        assert stream.finish() in ([], [b"2"])
        assert (stream.end, stream.clean) == (End.ABRUPT, False)


def test_a_stop_ends_a_read_at_once() -> None:
    """A batch that would wait for a minute comes back with what there is."""
    clock = ManualClock(FIRST)
    with session(accepting(text(b"1")), StreamLimits(max_seconds=60), clock) as stream:
        stopping = threading.Timer(0.2, clock.stop)
        stopping.start()
        assert stream.read() == [b"1"]
        assert stream.lasts
        stopping.join()
        assert stream.read() == []


@pytest.mark.parametrize("secure", [False, True])
def test_while_nobody_reads_nothing_is_taken(tmp_path: Path, *, secure: bool) -> None:
    """The server is held up long before it has sent all: memory stays bounded."""
    authority = Authority(tmp_path)
    sent = 0
    held_up = threading.Event()
    message = text(b"x" * 100_000)

    def script(peer: Peer) -> None:
        nonlocal sent
        peer.over.wait(0.01)
        with contextlib.suppress(TimeoutError):
            peer.limit_sending(0.5)
            while sent < 2000:
                peer.send(message)
                sent += 1
        held_up.set()

    with RawServer(accepting(then=script), authority.server() if secure else None) as server:
        wire = WebSocketWire(
            StreamLimits(max_records=5), ManualClock(FIRST), client_side(authority.ca)
        )
        stream = wire.open(request(server.ws_url))
        assert len(stream.read()) == 5
        assert held_up.wait(30)
        stream.abandon()
    assert sent < 1000


def test_a_close_with_more_than_a_batch_unread() -> None:
    """All that came before it is handed out, batch by batch, or at once by whoever leaves."""
    sent = [b"%d" % number for number in range(95)]
    script = accepting(*map(text, sent), NORMAL)
    with session(script, StreamLimits(max_records=10)) as stream:
        first = stream.read()
        while not stream.clean and len(first) < 40:
            first += stream.read()
        assert first + stream.finish() == sent
        assert stream.clean


def test_a_finite_stream_in_batches() -> None:
    """All messages, then the end of the iteration."""
    script = accepting(*[text(b"1")] * 7, NORMAL)
    with RawServer(script) as server:
        stream = WebSocketWire(StreamLimits(max_records=3), ManualClock(FIRST)).open(
            request(server.ws_url)
        )
        answers = list(batches(stream))
    assert [message for each in answers for message in each.messages] == [b"1"] * 7
    assert {each.status for each in answers} == {101}


@pytest.mark.parametrize("end", [b"", frames.close_frame(1011)])
def test_a_finite_stream_that_is_cut(end: bytes) -> None:
    """What came is handed out, then it is said that the answer is not whole."""
    script = accepting(text(b"1"), end, then=lambda peer: peer.send(b""))
    got: list[bytes] = []
    with RawServer(script) as server:
        stream = WebSocketWire(LIMITS, ManualClock(FIRST)).open(request(server.ws_url))
        with pytest.raises(SessionEnded, match="303"):
            got.extend(message for each in batches(stream) for message in each.messages)
    assert got == [b"1"]


def test_a_reader_that_leaves_closes_the_session() -> None:
    """Whatever made it leave."""
    frames_seen: list[tuple[int, bytes]] = []

    def script(peer: Peer) -> None:
        frames_seen.extend(peer.frames())

    with RawServer(accepting(text(b"1"), then=script)) as server:
        limits = StreamLimits(max_seconds=0.2, close_timeout=0.2)
        stream = WebSocketWire(limits, ManualClock(FIRST)).open(request(server.ws_url))
        for each in batches(stream):
            assert list(each.messages) == [b"1"]
            break
        gc.collect()
    assert [opcode for opcode, _ in frames_seen] == [frames.CLOSE]
