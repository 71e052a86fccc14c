"""The HTTP wire against a server that breaks every rule (reliability matrix, row 17).

Whatever comes: a whole answer, ``VendorUnavailable`` or ``UnreadableAnswer``,
never another error, never a secret in its text.
"""

from __future__ import annotations

import gzip
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from collector.core import wirejson
from collector.core.model import Request, Response
from collector.errors import CollectorError, UnreadableAnswer, VendorUnavailable
from collector.wire.http import HttpLimits, HttpWire
from collector.wire.tls import vendor_context
from tests.fakes.destinations import Authority
from tests.fakes.raw_server import Peer, RawServer, Script, answer

CANARY = "canary-6f1d"
LIMITS = HttpLimits(
    connect_timeout=2, read_timeout=2, total_timeout=5, max_body=4_000_000, max_ratio=200
)
GZIP = "Content-Encoding: gzip"
CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def wire(limits: HttpLimits = LIMITS, ca: Path | None = None) -> Iterator[HttpWire]:
    """A wire that is closed."""
    opened = HttpWire(limits, vendor_context(ca))
    try:
        yield opened
    finally:
        opened.close()


def request(url: str) -> Request:
    """A request with a secret wherever a request can hold one."""
    return Request(
        method="POST",
        url=f"{url}/{CANARY}",
        params={"token": CANARY},
        headers={"x-api-key": CANARY, "Authorization": CANARY},
        json={"client_secret": CANARY},
    )


def ask(script: Script, limits: HttpLimits = LIMITS) -> Response:
    """The answer of a server with that script."""
    with RawServer(script) as server, wire(limits) as http:
        return http.send(request(server.url))


def saying(data: bytes) -> Script:
    """A script that sends these bytes and ends the connection."""
    return lambda peer: peer.send(data)


def then(data: bytes, script: Script) -> Script:
    """A script that sends these bytes before it does as another one does."""

    def both(peer: Peer) -> None:
        peer.send(data)
        script(peer)

    return both


def test_an_answer_of_any_status_comes_back() -> None:
    """Status, headers whatever their case, and the whole body."""
    response = ask(saying(answer(b'{"a":1}', "Retry-After: 7", status="503 Busy")))
    assert (response.status, response.body) == (503, b'{"a":1}')
    assert response.headers.get("retry-after") == response.headers.get("Retry-After") == "7"


def test_the_request_goes_out_as_described() -> None:
    """Method, path, query percent-encoded, headers and JSON body."""
    with RawServer(saying(answer(b"", "Connection: close"))) as server, wire() as http:
        sent = Request(
            method="POST", url=server.url + "/v1/x", params={"c": "a+/= &"}, json={"k": "é"}
        )
        http.send(sent)
        http.send(Request(method="PUT", url=server.url, body=b"\x00raw"))
    assert server.heads[0].startswith(b"POST /v1/x?c=a%2B%2F%3D+%26 HTTP/1.1\r\n")
    assert server.bodies == [b'{"k": "\\u00e9"}', b"\x00raw"]


BROKEN: dict[str, Script] = {
    "closed without a word": saying(b""),
    "reset": Peer.reset,
    "reset within the body": then(answer(b"x", length=9), Peer.reset),
    "body shorter than said": saying(answer(b'{"a":1}', length=100)),
    "chunk cut": saying(CHUNKED.encode() + b'a\r\n{"a"'),
    "last chunk missing": saying(CHUNKED.encode() + b'7\r\n{"a":1}\r\n'),
    "chunk size is no number": saying(CHUNKED.encode() + b'zz\r\n{"a":1}\r\n'),
    "gzip that is none": saying(answer(b'{"a":1}', GZIP)),
    "gzip with flipped bits": saying(answer(gzip.compress(b'{"a":1}')[:-6] + b"xxxxxx", GZIP)),
    "no HTTP": saying(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "status is no number": saying(b"HTTP/1.1 OK\r\n\r\n"),
    "header of 1 MB": saying(answer(b"{}", "X-Long: " + "x" * 1_000_000)),
    "a thousand headers": saying(answer(b"{}", *(f"X-{n}: {n}" for n in range(1000)))),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_answer_is_no_answer(kind: str) -> None:
    """The vendor was not available; the next try may fare better."""
    with pytest.raises(VendorUnavailable) as caught:
        ask(BROKEN[kind])
    assert caught.value.number == 500
    assert_no_secret(caught.value)


def test_a_gzip_body_that_is_cut_is_no_page() -> None:
    """The frame around it is in order; what comes out is never taken for a whole document."""
    whole = gzip.compress(b"[" + b'{"a":1},' * 10_000 + b"{}]")
    for size in (1, 10, 20, len(whole) // 2):
        with pytest.raises(wirejson.MALFORMED):
            wirejson.strict(ask(saying(answer(whole[:size], GZIP))).body)


def test_more_body_than_said_does_not_reach_the_next_answer() -> None:
    """The rest is thrown away, at the worst together with the connection."""
    script = saying(answer(b"{}HTTP/1.1 200 OK\r\n\r\nevil", length=2))
    bodies: list[bytes] = []
    with RawServer(script) as server, wire() as http:
        for _ in range(5):
            with suppress(VendorUnavailable):
                bodies.append(http.send(request(server.url)).body)
    assert set(bodies) == {b"{}"}


def test_no_body() -> None:
    """204 and an empty 200 are answers."""
    assert ask(saying(answer(b"", status="204 No Content"))).body == b""
    assert ask(saying(answer(b""))).body == b""


def test_a_page_of_html_is_an_answer() -> None:
    """The wire has no opinion on content."""
    assert ask(saying(answer(b"<html>", "Content-Type: text/html"))).body == b"<html>"


def test_compressed_answers() -> None:
    """Both gzip and deflate are undone, chunked or not."""
    packed = gzip.compress(b'{"a":1}')
    chunked = CHUNKED.replace("\r\n\r\n", f"\r\n{GZIP}\r\n\r\n").encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in packed) + b"0\r\n\r\n"
    assert ask(saying(answer(packed, GZIP))).body == b'{"a":1}'
    assert ask(saying(chunked + chunks)).body == b'{"a":1}'
    deflated = answer(zlib.compress(b'{"a":1}'), "Content-Encoding: deflate")
    assert ask(saying(deflated)).body == b'{"a":1}'


def test_a_large_answer_within_the_limits() -> None:
    """Every byte of it."""
    body = bytes(range(256)) * 12_000
    assert ask(saying(answer(body))).body == body


def test_a_body_over_the_limit_is_refused() -> None:
    """With the setting to raise, and before it is in memory as a whole."""
    with pytest.raises(UnreadableAnswer, match=r"301.*limits\.max_body_bytes") as caught:
        ask(saying(answer(b"x" * 5_000_000)))
    assert_no_secret(caught.value)


def test_an_endless_body_is_refused() -> None:
    """No length is said, and no end comes."""

    def endless(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.send(b"x" * 65_536)

    with pytest.raises(UnreadableAnswer, match="301"):
        ask(endless)


def test_a_gzip_bomb_is_refused() -> None:
    """By its ratio, long before the limit of the size."""
    bomb = gzip.compress(bytes(100_000_000))
    limits = HttpLimits(max_body=1_000_000_000, max_ratio=200)
    with pytest.raises(UnreadableAnswer, match="312") as caught:
        ask(saying(answer(bomb, GZIP)), limits)
    assert_no_secret(caught.value)


def test_a_bomb_in_a_bomb_is_refused() -> None:
    """Nested encodings count as one."""
    bomb = gzip.compress(gzip.compress(bytes(100_000_000)))
    with pytest.raises(UnreadableAnswer, match=r"312|301"):
        ask(saying(answer(bomb, "Content-Encoding: gzip, gzip")))


def test_a_small_body_may_compress_well() -> None:
    """A page of almost equal records is genuine."""
    body = b'{"a":1}' * 100_000
    assert ask(saying(answer(gzip.compress(body), GZIP))).body == body


def dripping(data: bytes) -> Script:
    """A script that sends byte after byte, each well within the read time-out."""
    return lambda peer: peer.drip(data, 0.005)


LONG = answer(b"", length=10_000)
SLOW: dict[str, Script] = {
    "silent": Peer.wait,
    "silent after the head": then(LONG, Peer.wait),
    "body byte by byte": then(LONG, dripping(b"x" * 10_000)),
    "chunks byte by byte": then(CHUNKED.encode(), dripping(b"1\r\nx\r\n" * 10_000)),
    "gzip byte by byte": then(
        answer(b"", GZIP, length=10_000), dripping(gzip.compress(bytes(1000)) + bytes(9_900))
    ),
    "head byte by byte": dripping(answer(b"{}", "X: " + "x" * 30_000)),
    "continue and continue": dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 999),
}


@pytest.mark.parametrize("kind", SLOW)
def test_a_slow_answer_is_given_up(kind: str) -> None:
    """Silence after the read time-out, a trickle after the total one."""
    limits = HttpLimits(read_timeout=0.4, total_timeout=0.8)
    with pytest.raises(VendorUnavailable, match="in time") as caught:
        ask(SLOW[kind], limits)
    assert_no_secret(caught.value)


def test_nobody_there() -> None:
    """A closed port is no answer; the text names no URL."""
    with RawServer(saying(b"")) as server:
        url = server.url
    with wire() as http, pytest.raises(VendorUnavailable, match="could not be reached") as caught:
        http.send(request(url))
    assert_no_secret(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """It comes back as it is: ``x-api-key`` would go wherever it points."""
    with RawServer(saying(answer(b"{}"))) as elsewhere:
        moved = answer(b"", f"Location: {elsewhere.url}/x", status=f"{status} Moved")
        assert ask(saying(moved)).status == status
    assert elsewhere.heads == []


def test_credentials_of_a_netrc_file_are_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would take the place of the vendor's token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(saying(answer(b"{}"))) as server, wire() as http:
        http.send(request(server.url))
    assert f"authorization: {CANARY}" in server.heads[0].decode().lower()


def test_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    """The authority comes from a file."""
    authority = Authority(tmp_path)
    with (
        RawServer(saying(answer(b"{}")), authority.server()) as server,
        wire(ca=authority.ca) as http,
    ):
        assert http.send(request(server.url)).body == b"{}"


@pytest.mark.parametrize(("names", "trusted"), [(("127.0.0.1",), False), (("other.test",), True)])
def test_a_certificate_that_is_not_accepted(
    tmp_path: Path, names: tuple[str, ...], *, trusted: bool
) -> None:
    """An unknown authority or another name: told with OpenSSL's reason and what to check."""
    authority = Authority(tmp_path)
    with (
        RawServer(saying(answer(b"{}")), authority.server(*names)) as server,
        wire(ca=authority.ca if trusted else None) as http,
        pytest.raises(VendorUnavailable, match=r"certificate was not accepted.*tls\.ca") as caught,
    ):
        http.send(request(server.url))
    assert_no_secret(caught.value)
    assert server.heads == []


def test_plain_http_where_tls_is_spoken(tmp_path: Path) -> None:
    """No TLS at all is an error like the others."""
    with (
        RawServer(saying(answer(b"{}")), Authority(tmp_path).server()) as server,
        wire() as http,
        pytest.raises(VendorUnavailable) as caught,
    ):
        http.send(request(server.url.replace("https:", "http:")))
    assert_no_secret(caught.value)


def assert_no_secret(error: CollectorError) -> None:
    """Neither the message nor the traceback that a log would print."""
    shown: list[Callable[[CollectorError], object]] = [str, repr, traceback.format_exception]
    assert all(CANARY not in str(show(error)) for show in shown)
