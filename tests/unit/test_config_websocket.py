"""The settings of a generic WebSocket input."""

from __future__ import annotations

import base64
from copy import deepcopy
from typing import Any

import pytest

from collector.app.websocket import signed
from collector.config.cautions import cautions
from collector.config.problems import Problem
from collector.config.websocket import WebSocketInput
from collector.core.model import Request
from tests.fakes.config import MINIMAL, problems, settings

URI = "wss://stream.example.com/v1/stream?cid=example_hosted&type=message"


def document(stream: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A configuration with one such input."""
    entry = {"type": "websocket", "uri": URI, "services": {"stream": stream}, **changed}
    return {**deepcopy(MINIMAL), "inputs": {"ws": entry}}


def read(stream: dict[str, Any], **changed: Any) -> WebSocketInput:
    """The input as settings."""
    found = settings(document(stream, **changed)).inputs["ws"]
    assert isinstance(found, WebSocketInput)
    return found


def wrong(stream: dict[str, Any], **changed: Any) -> Problem:
    """The one thing that is wrong."""
    (problem,) = problems(document(stream, **changed))
    return problem


def test_defaults() -> None:
    """Those that people know from Observo, and pings that notice a dead server."""
    stream = read({}).services.stream
    assert stream is not None
    assert (stream.codec, stream.framing.method) == ("raw", "none")
    assert stream.initial_message_timeout_in_seconds == 2
    assert stream.connect_timeout_in_seconds == 30
    assert (stream.ping_interval_in_seconds, stream.ping_timeout_in_seconds) == (60, 30)
    assert stream.deduplicate is False


def test_the_name_of_the_type_is_enough() -> None:
    """As for every other type of input."""
    entry = {"uri": URI, "services": {"stream": {}}}
    assert problems({**deepcopy(MINIMAL), "inputs": {"websocket": entry}}) == ()


@pytest.mark.parametrize(
    "uri",
    [
        "https://stream.example.com",
        "ws://stream.example.com",
        "wss://u:p@stream.example.com",
        "wss://stream.example.com#x",
    ],
)
def test_uris_that_are_refused(uri: str) -> None:
    """Not ours, in the clear, or with a user."""
    problem = wrong({}, uri=uri)
    assert problem.path == "inputs.ws.uri"
    assert uri not in str(problem)


def test_plain_ws_on_this_machine() -> None:
    """There it exposes nothing."""
    assert read({}, uri="ws://127.0.0.1:8080/a?b=c").uri == "ws://127.0.0.1:8080/a?b=c"


WRONG: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("services.stream", {"deduplicate": True}, {}),
    ("services.stream", {"request_period_in_seconds": 60.0}, {}),
    ("services.stream", {"initial_start_time_in_utc": "2026-01-01T00:00:00Z"}, {}),
    ("services.stream", {"ping_interval_in_seconds": 0.0, "ping_message": "hi"}, {}),
    ("services.stream", {"ping_interval_in_seconds": 0.0, "ping_timeout_in_seconds": 1.0}, {}),
    ("services.stream.codec", {"codec": "xml"}, {}),
    ("services.stream.id_field", {"id_field": "a[0]"}, {}),
    ("services.stream.initial_message", {"initial_message": ""}, {}),
    ("services.stream.framing", {"framing": {"method": "character"}}, {}),
    ("services.stream.framing", {"framing": {"delimiter": "|"}}, {}),
    ("services.stream.framing", {"framing": {"method": "length", "spans_messages": True}}, {}),
    (
        "services.stream.framing.delimiter",
        {"framing": {"method": "character", "delimiter": "||"}},
        {},
    ),
    ("credentials", {}, {"credentials": {"strategy": "basic", "user": "ann"}}),
    ("credentials", {}, {"credentials": {"token": "c4n4ry"}}),
    (
        "credentials.user",
        {},
        {"credentials": {"strategy": "basic", "user": "a:b", "password": "p"}},
    ),
    ("credentials.headers.Host", {}, {"credentials": {"headers": {"Host": "x"}}}),
    ("credentials.headers.a b", {}, {"credentials": {"headers": {"a b": "x"}}}),
    ("credentials.headers.X", {}, {"credentials": {"headers": {"X": "a\nb"}}}),
    (
        "credentials",
        {},
        {"credentials": {"strategy": "bearer", "token": "t", "headers": {"authorization": "x"}}},
    ),
]


@pytest.mark.parametrize(("path", "stream", "changed"), WRONG)
def test_what_is_refused(path: str, stream: dict[str, Any], changed: dict[str, Any]) -> None:
    """Each at its place, with reason and fix, and without a secret."""
    problem = wrong(stream, **changed)
    assert problem.path == f"inputs.ws.{path}"
    assert problem.reason
    assert problem.fix
    assert "c4n4ry" not in str(problem)


def handshake(**credentials: Any) -> Request:
    """The request that goes out."""
    found = read({}, credentials=credentials)
    return signed(Request(method="GET", url=found.uri), found.credentials)


def test_authentication() -> None:
    """None, basic, bearer, headers and parameters of the query."""
    assert handshake() == Request(method="GET", url=URI)
    assert handshake(strategy="bearer", token="t").headers == {"Authorization": "Bearer t"}
    basic = handshake(strategy="basic", user="ann", password="p:w").headers["Authorization"]
    assert base64.b64decode(basic.removeprefix("Basic ")) == b"ann:p:w"
    own = handshake(headers={"X-Key": "k", "Authorization": "Custom c"}, parameters={"sig": "s"})
    assert own.headers == {"X-Key": "k", "Authorization": "Custom c"}
    assert own.params == {"sig": "s"}


def test_check_warns_that_nothing_can_be_fetched_later() -> None:
    """Once for each stream that is enabled."""
    (caution,) = cautions(settings(document({})))
    assert caution.path == "inputs.ws.services.stream"
    assert "cannot fetch what it misses" in caution.reason
    for off in (document({"enabled": False}), document({}, enabled=False)):
        (caution,) = cautions(settings(off))
        assert "nothing is collected" in caution.reason
