"""A generic WebSocket input from a real server to a file."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from collector.config.load import load
from collector.probe.findings import Result, Step
from collector.simulator import frames
from tests.fakes.config import NOW
from tests.fakes.destinations import Authority
from tests.fakes.probing import failure, probed
from tests.fakes.processes import eventually
from tests.fakes.raw_server import Peer, RawServer, answer
from tests.fakes.websocket_input import Place

HOST = "a.example.com"


def text(data: bytes) -> bytes:
    """A text message in one frame."""
    return frames.frame(data, frames.TEXT)


def stay(peer: Peer) -> None:
    """Stay until the client says goodbye, and confirm that."""
    while (frame := peer.frame()) is not None:
        if frame[0] == frames.CLOSE:
            peer.send(frames.close_frame(frames.NORMAL))


def sending(peer: Peer, messages: Sequence[bytes]) -> None:
    """Accept the handshake and send binary messages; the client is to leave first."""
    peer.upgrade()
    peer.send(*(frames.frame(each, frames.BINARY) for each in messages))
    stay(peer)


def gelf(number: int) -> bytes:
    """A message of GELF."""
    fields = {"version": "1.1", "host": HOST, "short_message": f"m{number}", "timestamp": number}
    return json.dumps(fields).encode()


CODECS: dict[str, tuple[list[bytes], list[dict[str, Any]]]] = {
    "raw": ([b"one", b"\xff"], [{"message": "one"}, {"message_base64": "/w=="}]),
    "json": ([b'{"a":1}', b'[{"a":2},3]'], [{"a": 1}, {"a": 2}, {"message": 3}]),
    "native_json": ([b'{"log":{"a":1}}', b'{"log":{"b":2}}'], [{"a": 1}, {"b": 2}]),
    "gelf": ([gelf(1), gelf(2)], [json.loads(gelf(1)), json.loads(gelf(2))]),
    "syslog": (
        [b"<34>1 - - - - - - x", b"<34>Oct 11 22:14:15 h su: y"],
        [
            {"facility": "auth", "severity": "crit", "version": 1, "message": "x"},
            {
                "facility": "auth",
                "severity": "crit",
                "timestamp": "Oct 11 22:14:15",
                "hostname": "h",
                "appname": "su",
                "message": "y",
            },
        ],
    ),
}


def split(stream: bytes) -> list[bytes]:
    """A stream in messages of seven bytes."""
    return [stream[at : at + 7] for at in range(0, len(stream), 7)]


def written(method: str, sent: list[bytes]) -> list[bytes]:
    """The records as messages of a framing; those that may span messages do."""
    if method == "none":
        return sent
    if method == "length":
        return split(b"".join(len(each).to_bytes(4) + each for each in sent))
    if method == "octet_counting":
        return split(b"".join(b"%d %b" % (len(each), each) for each in sent))
    end = b"\n" if method == "newline" else b"\0"
    return split(b"".join(each + end for each in sent))


FRAMINGS: dict[str, dict[str, Any]] = {
    "none": {"method": "none"},
    "newline": {"method": "newline", "spans_messages": True},
    "character": {"method": "character", "delimiter": "\0", "spans_messages": True},
    "length": {"method": "length"},
    "octet_counting": {"method": "octet_counting"},
}


def test_every_codec_with_every_framing(tmp_path: Path) -> None:
    """Twenty-five streams beside each other: each record is delivered, in order."""
    place = Place(tmp_path)
    names = {f"{codec}-{method}": (codec, method) for codec in CODECS for method in FRAMINGS}

    def script(peer: Peer) -> None:
        codec, method = names[peer.head.split()[1].decode().removeprefix("/v1/stream/")]
        sending(peer, written(method, CODECS[codec][0]))

    with RawServer(script) as server:
        for name, (codec, method) in names.items():
            stream = {"codec": codec, "framing": FRAMINGS[method]}
            place.add(name, f"{server.ws_url}/{name}", stream)
        with place.running():
            expected = {name: CODECS[codec][1] for name, (codec, _) in names.items()}
            eventually(lambda: {name: place.contents(name) for name in names} == expected)
    assert place.report().dead_letters == 0


def test_who_asks(tmp_path: Path) -> None:
    """Basic, bearer, headers and parameters arrive; the query of the URI stays."""
    ways: dict[str, dict[str, Any]] = {
        "basic": {"strategy": "basic", "user": "ann", "password": "p:w"},
        "bearer": {"strategy": "bearer", "token": "abc.def"},
        "own": {"headers": {"X-Key": "k"}, "parameters": {"sig": "a+b"}},
    }
    place = Place(tmp_path)
    with RawServer(lambda peer: sending(peer, [b"x"])) as server:
        for name, credentials in ways.items():
            place.add(name, f"{server.ws_url}?way={name}", {}, credentials=credentials)
        with place.running():
            eventually(lambda: all(place.records(name) for name in ways))
    heads = {head.split(b"way=")[1].split(b" ")[0]: head for head in server.heads}
    basic = base64.b64encode(b"ann:p:w")
    assert b"\r\nAuthorization: Basic " + basic + b"\r\n" in heads[b"basic"]
    assert b"\r\nAuthorization: Bearer abc.def\r\n" in heads[b"bearer"]
    assert b"\r\nX-Key: k\r\n" in heads[b"own&sig=a%2Bb"]
    assert b"Authorization" not in heads[b"own&sig=a%2Bb"]


def test_tls_with_a_company_authority(tmp_path: Path) -> None:
    """The settings of TLS are those of every input."""
    authority = Authority(tmp_path)
    place = Place(tmp_path)
    with RawServer(lambda peer: sending(peer, [b"x"]), authority.server()) as server:
        place.add("ws", server.ws_url, {}, tls={"ca": str(authority.ca)})
        with place.running():
            eventually(lambda: place.contents("ws") == [{"message": "x"}])


def test_an_initial_message_is_answered(tmp_path: Path) -> None:
    """The server speaks after the subscription; its answer is a record like any other."""
    place = Place(tmp_path)

    def script(peer: Peer) -> None:
        peer.upgrade()
        if peer.frame() == (frames.TEXT, b'{"subscribe":"mail"}'):
            peer.send(text(b'{"ok":true}'), text(b'{"a":1}'))
        stay(peer)

    stream = {"codec": "json", "initial_message": '{"subscribe":"mail"}'}
    with RawServer(script) as server:
        place.add("ws", server.ws_url, stream)
        with place.running():
            eventually(lambda: place.contents("ws") == [{"ok": True}, {"a": 1}])


def test_an_initial_message_that_nobody_answers(tmp_path: Path) -> None:
    """The connection is made anew; without a limit it is kept."""
    place = Place(tmp_path)
    patient: list[Peer] = []

    def script(peer: Peer) -> None:
        peer.upgrade()
        assert peer.frame() == (frames.TEXT, b"hi")
        if b"/patient" in peer.head:
            patient.append(peer)
            while len(server.heads) < 3:
                peer.over.wait(0.01)
            peer.send(text(b"late"))
        stay(peer)

    with RawServer(script) as server:
        stream = {"initial_message": "hi", "initial_message_timeout_in_seconds": 0.05}
        place.add("hasty", server.ws_url, stream)
        stream = {"initial_message": "hi", "initial_message_timeout_in_seconds": 0.0}
        place.add("patient", f"{server.ws_url}/patient", stream)
        with place.running():
            eventually(lambda: place.contents("patient") == [{"message": "late"}])
    assert len(patient) == 1
    assert place.records("hasty") == []


def test_pings(tmp_path: Path) -> None:
    """Frames of WebSocket, or a text; what is not answered in time is connected anew."""
    place = Place(tmp_path)
    seen: list[tuple[int, bytes]] = []
    again = threading.Event()

    def script(peer: Peer) -> None:
        peer.upgrade()
        if peer.header("x-kind") == "text":
            seen.append(peer.frame() or (0, b""))
            peer.send(text(b"pong"))
        elif sum(b"x-kind: frames" in head.lower() for head in server.heads) > 1:
            again.set()
        else:
            seen.append(peer.frame() or (0, b""))
        stay(peer)

    short = {"ping_interval_in_seconds": 0.05, "ping_timeout_in_seconds": 0.1}
    with RawServer(script) as server:
        kind = {"headers": {"X-Kind": "frames"}}
        place.add("frames", server.ws_url, short, credentials=kind)
        kind = {"headers": {"X-Kind": "text"}}
        stream = {"ping_interval_in_seconds": 0.05, "ping_message": "ping!"}
        place.add("text", server.ws_url, stream, credentials=kind)
        with place.running():
            eventually(lambda: place.contents("text") == [{"message": "pong"}])
            assert again.wait(20)
    assert sorted(seen) == [(frames.TEXT, b"ping!"), (frames.PING, b"")]


def test_a_break_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that hangs up is connected again; the gap is in ledger and log."""
    place = Place(tmp_path)
    closes = iter([True, False])

    def script(peer: Peer) -> None:
        peer.upgrade()
        peer.send(text(b"x"))
        if next(closes):
            return
        stay(peer)

    with RawServer(script) as server:
        place.add("ws", server.ws_url, {})
        with place.running():
            eventually(lambda: len(place.records("ws")) == 2)
    ids = [each["@collector"]["event_id"] for each in place.records("ws")]
    assert len(set(ids)) == 2
    rows = place.rows("ws#stream")
    assert {row.state for row in rows} == {"partial"}
    assert any("not heard from" in (row.reason or "") for row in rows)
    assert "PullError 311" in caplog.text


def test_what_cannot_be_decoded(tmp_path: Path) -> None:
    """It goes to the dead letters, and the session goes on."""
    place = Place(tmp_path)
    messages = [b"{", b"<", b'{"a":1}']
    with RawServer(lambda peer: sending(peer, messages)) as server:
        place.add("ws", server.ws_url, {"codec": "json"})
        with place.running():
            eventually(lambda: place.contents("ws") == [{"a": 1}])
    report = place.report()
    assert report.dead_letters == 2
    assert len(server.heads) == 1


def test_repeats_and_equal_records(tmp_path: Path) -> None:
    """Dropped on request, by id and time; otherwise each is delivered."""
    place = Place(tmp_path)
    record = b'{"meta":{"id":"x"},"t":1767225600,"n":%d}'
    messages = [record % 1, record % 1, record % 2]
    fields = {"codec": "json", "id_field": "meta.id", "time_field": "t", "time_format": "unix"}
    with RawServer(lambda peer: sending(peer, messages)) as server:
        place.add("all", server.ws_url, fields)
        place.add("once", server.ws_url, {**fields, "deduplicate": True})
        with place.running():
            eventually(lambda: len(place.records("all")) == 3 and place.records("once"))
    (about,) = [each["@collector"] for each in place.records("once")]
    assert (about["event_id"], about["event_time"]) == ("x", "2026-01-01T00:00:00Z")
    assert [each["n"] for each in place.contents("all")] == [1, 1, 2]


def test_connection_test(tmp_path: Path) -> None:
    """It ends with TLS, for what a test hears is lost; on request it opens a session."""
    place = Place(tmp_path)

    def script(peer: Peer) -> None:
        peer.upgrade()
        if b"/gone" in peer.head:
            peer.send(frames.close_frame(1000))
        else:
            sent = [text(b"x")] if b"/loud" in peer.head else []
            peer.send(*sent)
        stay(peer)

    with RawServer(script) as server:
        for name in ("loud", "gone"):
            place.add(name, f"{server.ws_url}/{name}", {})
        (skipped,) = [
            each
            for each in probed(place.document, "loud").findings
            if each.step is Step.AUTHENTICATION
        ]
        assert skipped.result is Result.SKIPPED
        opened = probed(place.document, "loud", session=True)
        gone = probed(place.document, "gone", session=True)
    assert opened.findings[-1].seen == "a message came"
    assert failure(gone).step is Step.ANSWER


PAGE = (Path(__file__).parents[2] / "docs" / "websocket-input.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_page_is_right(block: str, tmp_path: Path) -> None:
    """What a reader copies is accepted."""
    path = tmp_path / "config.yaml"
    rest = 'globals: {id: "4711", name: acme}\noutputs: {screen: {type: console}}\n'
    path.write_text(rest + block, encoding="utf-8")
    environ = dict.fromkeys(("GATEWAY_TOKEN", "TUNNEL_PASSWORD"), "invented")
    assert len(load(path, environ, NOW).inputs) == 1


def test_a_run_that_ends_reads_no_stream(tmp_path: Path) -> None:
    """Nothing is due; nothing is opened."""
    place = Place(tmp_path)
    with RawServer(lambda peer: sending(peer, [b"x"])) as server:
        place.add("ws", server.ws_url, {})
        assert place.run_once() == 0
    assert server.heads == []


def test_a_replaced_token_is_used(tmp_path: Path) -> None:
    """A server that stops taking the old one is asked with the new one, without a restart."""
    place = Place(tmp_path)
    secret = tmp_path / "token"
    secret.write_text("old")

    def script(peer: Peer) -> None:
        if peer.header("authorization") == "Bearer new":
            sending(peer, [b"x"])
        else:
            secret.write_text("new")
            peer.send(answer(b"", status="401 Unauthorized"))

    with RawServer(script) as server:
        credentials = {"strategy": "bearer", "token": "file:token"}
        place.add("ws", server.ws_url, {}, credentials=credentials)
        with place.running(speed=50):
            eventually(lambda: place.contents("ws") == [{"message": "x"}])
    assert len(server.heads) == 2
