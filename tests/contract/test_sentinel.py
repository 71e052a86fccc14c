"""Sentinel: tokens, times, the bound of a call, and settings that Azure does not know."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from collector.errors import Undelivered
from collector.senders.error_numbers import DENIED, SETTINGS_REFUSED, UNREADABLE
from collector.senders.sentinel import SentinelSender
from tests.fakes import azure
from tests.fakes.azure import AzureServer
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.http_destinations import base
from tests.fakes.receivers import Answer, HttpReceiver, Posted


@pytest.fixture
def server() -> AzureServer:
    """Azure."""
    return AzureServer()


@pytest.fixture
def receiver(server: AzureServer) -> Iterator[HttpReceiver]:
    """Its host."""
    with HttpReceiver() as running:
        running.answer = server
        yield running


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the sender."""
    return ManualClock(FIRST)


@pytest.fixture
def sender(receiver: HttpReceiver, clock: ManualClock) -> Iterator[SentinelSender]:
    """A sender to the stream."""
    made = sentinel(receiver, clock)
    yield made
    made.close()


def sentinel(
    receiver: HttpReceiver,
    clock: ManualClock,
    *,
    rule: str = azure.RULE,
    stream: str = azure.STREAM,
    secret: str = azure.SECRET,
) -> SentinelSender:
    """A sender with one setting of its own."""
    return SentinelSender(
        endpoint=base(receiver.url),
        authority=base(receiver.url),
        rule_id=rule,
        stream_name=stream,
        tenant_id=azure.TENANT,
        client_id=azure.CLIENT,
        client_secret=secret,
        clock=clock,
        timeout=2.0,
    )


def test_time_is_spliced(server: AzureServer, sender: SentinelSender) -> None:
    """The event's time is added behind the record's own bytes, where there is none yet."""
    timed = b'{"a": 1.50,"@collector":{"event_time":"2026-01-01T11:59:43.881767Z"}}'
    own = b'{"TimeGenerated":"2020-02-02T00:00:00Z"}'
    sender.send(batch_of([timed, b'{"b":2}', own]))
    assert server.rows == [
        timed[:-1] + b',"TimeGenerated":"2026-01-01T11:59:43.881767Z"}',
        b'{"b":2,"TimeGenerated":"2026-01-01T00:00:00Z"}',
        own,
    ]


def test_one_token_for_many_calls(
    server: AzureServer, receiver: HttpReceiver, sender: SentinelSender, clock: ManualClock
) -> None:
    """A token is kept while it is good, and renewed before it expires."""
    for number in (1, 2, 3):
        sender.send(batch_of(numbered(number, 3), number))
        sender.rewind(None)
    assert server.granted == 1
    clock.advance(3500)
    sender.send(batch_of(numbered(4, 3), 4))
    assert server.granted == 2
    assert receiver.posts[1].headers["content-encoding"] == "gzip"


def test_token_that_is_revoked(server: AzureServer, sender: SentinelSender) -> None:
    """A 401 is answered with a new token, once and at once."""
    sender.send(batch_of(numbered(1, 3), 1))
    server.revoke()
    assert list(sender.send(batch_of(numbered(2, 3), 2))) == []
    assert server.granted == 2
    assert len(server.rows) == 6


def test_token_that_is_never_good(
    server: AzureServer, receiver: HttpReceiver, sender: SentinelSender
) -> None:
    """It is renewed once for a try, not for ever."""

    def answer(posted: Posted) -> Answer:
        told = server(posted)
        server.revoke()
        return told

    receiver.answer = answer
    with pytest.raises(Undelivered, match="answered 401"):
        sender.send(batch_of(numbered(1, 3)))
    assert server.granted == 2


def test_wrong_secret(receiver: HttpReceiver, clock: ManualClock) -> None:
    """Azure's own words, without the secret that they repeat."""
    sender = sentinel(receiver, clock, secret="another~invented.secret")
    with pytest.raises(Undelivered, match="AADSTS7000215") as failure:
        sender.send(batch_of(numbered(1, 3)))
    sender.close()
    assert failure.value.number == DENIED
    assert "another~invented" not in str(failure.value)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, (), b"<html>"),
        Answer(200, (), b'{"token_type":"Bearer"}'),
        Answer(200, (), b'{"access_token":"\xe2\x82\xac","expires_in":3600}'),
        Answer(200, (), b'{"access_token":"a\\nb","expires_in":3600}'),
        Answer(503),
    ],
)
def test_no_token(
    receiver: HttpReceiver, server: AzureServer, sender: SentinelSender, answer: Answer
) -> None:
    """A token service that is not itself takes no record from us."""
    receiver.answer = lambda _: answer
    with pytest.raises(Undelivered):
        sender.send(batch_of(numbered(1, 3)))
    receiver.answer = server
    assert list(sender.send(batch_of(numbered(1, 3)))) == []


@pytest.mark.parametrize("count", [1, 2, 20])
@pytest.mark.parametrize(
    ("setting", "remedy"), [("rule", "check rule_id"), ("stream", "check stream_name")]
)
def test_settings_that_azure_does_not_know(
    receiver: HttpReceiver, clock: ManualClock, setting: str, remedy: str, count: int
) -> None:
    """They cost no record, however few there are, and are named."""
    rule = "dcr-unknown" if setting == "rule" else azure.RULE
    stream = "Custom-Unknown" if setting == "stream" else azure.STREAM
    sender = sentinel(receiver, clock, rule=rule, stream=stream)
    with pytest.raises(Undelivered) as failure:
        sender.send(batch_of(numbered(1, count)))
    sender.close()
    assert failure.value.number == SETTINGS_REFUSED
    assert failure.value.remedy.startswith(remedy)


def test_application_without_the_role(receiver: HttpReceiver, sender: SentinelSender) -> None:
    """The role that is missing is named."""
    granted = AzureServer()

    def answer(posted: Posted) -> Answer:
        told = granted(posted)
        return told if told.status == 200 else azure.error(403, "OperationFailed")

    receiver.answer = answer
    with pytest.raises(Undelivered, match="Monitoring Metrics Publisher"):
        sender.send(batch_of(numbered(1, 3)))


def test_bound_of_a_call(
    receiver: HttpReceiver, server: AzureServer, sender: SentinelSender
) -> None:
    """No call is larger than a megabyte before compression; one record that is comes back."""
    records = [json.dumps({"n": n, "x": "x" * 90_000}).encode() for n in range(30)]
    records[7] = json.dumps({"n": 7, "x": "x" * 1_100_000}).encode()
    refusals = sender.send(batch_of(records))
    assert [refusal.index for refusal in refusals] == [7]
    assert "413" in refusals[0].reason
    assert len(server.rows) == 29
    sizes = [len(posted.body) for posted in receiver.accepted]
    assert max(sizes) <= 1_000_000


def test_unreadable_token_is_named(receiver: HttpReceiver, sender: SentinelSender) -> None:
    """A page in place of a token is told as such."""
    receiver.answer = lambda _: Answer(200, (), b"<html>")
    with pytest.raises(Undelivered) as failure:
        sender.send(batch_of(numbered(1, 3)))
    assert failure.value.number == UNREADABLE
