"""HTTP destinations that refuse everything, or that never finish an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from collector.core.model import SpooledBatch
from collector.errors import Undelivered
from collector.senders.error_numbers import ALL_REFUSED, TIMED_OUT
from collector.senders.http import HttpSender
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.raw_server import Peer, RawServer, Script, answer
from tests.fakes.receivers import Answer, HttpReceiver, Posted

RECORDS = 1000


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """A server that accepts everything until told otherwise."""
    with HttpReceiver() as running:
        yield running


@pytest.fixture
def sender(receiver: HttpReceiver) -> Iterator[HttpSender]:
    """A sender to it."""
    made = HttpSender(
        url=receiver.url, headers={"x-api-key": "s3cret-key"}, clock=ManualClock(FIRST)
    )
    yield made
    made.close()


@pytest.fixture
def batch() -> SpooledBatch:
    """A thousand records."""
    return batch_of(numbered(1, RECORDS))


def refusing(batch: SpooledBatch, bad: set[int]) -> Callable[[Posted], Answer]:
    """An answer that refuses posts with any of these records."""
    lines = {batch.lines()[index] for index in bad}

    def decide(posted: Posted) -> Answer:
        return Answer(400 if lines & set(posted.body.splitlines()) else 200)

    return decide


@pytest.mark.parametrize("status", [400, 413, 422])
def test_nothing_is_ever_taken(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch, status: int
) -> None:
    """No record is refused for good, few posts are made, and the operator hears why."""
    receiver.answer = lambda _: Answer(status, (), b"unknown index; key s3cret-key")
    with pytest.raises(Undelivered) as failure:
        sender.send(batch)
    assert failure.value.number == ALL_REFUSED
    assert f"answered {status}: unknown index; key ***" in failure.value.cause
    assert "url, headers and body" in failure.value.remedy
    assert len(receiver.posts) < 40


def test_once_the_settings_are_right(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch
) -> None:
    """What was refused while everything was is not held against the records."""
    receiver.answer = lambda _: Answer(400)
    for _ in range(2):
        with pytest.raises(Undelivered):
            sender.send(batch)
        sender.rewind(None)
    receiver.answer = lambda _: Answer()
    assert list(sender.send(batch)) == []
    assert [posted.body for posted in receiver.accepted] == [batch.body]


BAD = {
    "one": {0},
    "the last": {999},
    "first ones": set(range(9)),
    "a whole half": set(range(500)),
    "first, and one in each half": {0, 1, 2, 250, 500, 750, 999},
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_records_are_isolated(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch, kind: str
) -> None:
    """However many they are: as long as something is taken, each other record arrives once."""
    receiver.answer = refusing(batch, BAD[kind])
    refusals = list(sender.send(batch))
    assert {refusal.index for refusal in refusals} == BAD[kind]
    arrived = [line for posted in receiver.accepted for line in posted.body.splitlines()]
    assert sorted(arrived) == sorted(
        line for index, line in enumerate(batch.lines()) if index not in BAD[kind]
    )
    assert [refusal.index for refusal in refusals] == sorted(BAD[kind])


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_to_tell(receiver: HttpReceiver, sender: HttpSender, count: int) -> None:
    """One or two records prove nothing about the settings: they are refused for good."""
    receiver.answer = lambda _: Answer(400)
    refusals = sender.send(batch_of(numbered(1, count)))
    assert [refusal.index for refusal in refusals] == list(range(count))


def test_different_reasons(receiver: HttpReceiver, sender: HttpSender) -> None:
    """A destination that answers by record does look at them."""
    small = batch_of(numbered(1, 4))
    receiver.answer = lambda posted: Answer(422 if posted.body == small.lines()[1] + b"\n" else 400)
    assert [refusal.index for refusal in sender.send(small)] == [0, 1, 2, 3]


def test_other_batches_are_remembered(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch
) -> None:
    """A batch accepted before the trouble is not posted again."""
    first = batch_of(numbered(2, 5), number=2)
    sender.send(first)
    receiver.answer = lambda _: Answer(400)
    with pytest.raises(Undelivered):
        sender.send(batch)
    sender.rewind(None)
    receiver.posts.clear()
    assert list(sender.send(first)) == []
    assert receiver.posts == []


PAUSES = {
    "30": 30.0,
    "9" * 500: 86_400.0,
    "Jan 1 99:99:99 ( 999999999999999999999999999999 +9999 GMT": None,
    "soon": None,
}


@pytest.mark.parametrize("asked", PAUSES)
def test_odd_pauses(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch, asked: str
) -> None:
    """No Retry-After ends the delivery, or holds it up for longer than a day."""
    receiver.answer = lambda _: Answer(503, (("Retry-After", asked),))
    with pytest.raises(Undelivered) as failure:
        sender.send(batch)
    assert failure.value.retry_after == PAUSES[asked]


DRIPS: dict[str, Script] = {
    "head": lambda peer: peer.drip(answer(b"", "X: " + "x" * 30_000), 0.005),
    "continue and continue": lambda peer: peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 999, 0.005),
}


@pytest.mark.parametrize("kind", DRIPS)
def test_a_dripping_head_is_given_up(batch: SpooledBatch, kind: str) -> None:
    """Though never silent for long, it is no answer."""
    with RawServer(DRIPS[kind]) as server:
        sender = HttpSender(url=server.url, clock=ManualClock(FIRST), timeout=0.5)
        with pytest.raises(Undelivered) as failure:
            sender.send(batch)
        sender.close()
    assert failure.value.number == TIMED_OUT


def test_a_dripping_body_is_not_waited_for(batch: SpooledBatch) -> None:
    """The status counts; the rest of the answer may stay where it is."""

    def drip(peer: Peer) -> None:
        peer.send(answer(b"", length=100_000))
        peer.drip(b"x" * 100_000, 0.005)

    with RawServer(drip) as server:
        sender = HttpSender(url=server.url, clock=ManualClock(FIRST), timeout=0.5)
        assert list(sender.send(batch)) == []
        sender.close()
