"""Faults of the services with an interface of their own, each in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from collector.core.model import SpooledBatch
from collector.errors import Undelivered
from collector.senders.base import Sender
from tests.fakes import azure, hec, sumo
from tests.fakes.batches import batch_of, numbered
from tests.fakes.http_destinations import VENDORS, HttpDestination, vendor
from tests.fakes.receivers import Answer, HttpReceiver, Posted

SECRETS = (hec.TOKEN, azure.SECRET, "token-number-1", sumo.PATH)
ONCE = ("elasticsearch",)


@pytest.fixture(params=VENDORS)
def destination(request: pytest.FixtureRequest) -> Iterator[HttpDestination]:
    """Each service in turn."""
    with HttpReceiver() as receiver:
        yield vendor(request.param, receiver, timeout=2.0)


@pytest.fixture(params=ONCE)
def once(request: pytest.FixtureRequest) -> Iterator[HttpDestination]:
    """The services with a key for each record."""
    with HttpReceiver() as receiver:
        yield vendor(request.param, receiver, timeout=2.0)


@pytest.fixture
def batch() -> SpooledBatch:
    """Forty records."""
    return batch_of(numbered(1, 40))


def interrupted(destination: HttpDestination, fault: Callable[[Posted], Answer | None]) -> None:
    """Let a fault decide about each post; where it has nothing to say all is as usual."""
    usual = destination.receiver.answer
    destination.receiver.answer = lambda posted: fault(posted) or usual(posted)


def first_record(batch: SpooledBatch) -> bytes:
    """What only a post with the first record holds."""
    return batch.lines()[0]


def lose_one_answer(destination: HttpDestination, batch: SpooledBatch) -> None:
    """Take the next post with records, and say nothing."""
    usual = destination.receiver.answer
    turn = iter([True])

    def fault(posted: Posted) -> Answer | None:
        if first_record(batch) in posted.body and next(turn, False):
            usual(posted)
            return Answer(lost=True)
        return None

    interrupted(destination, fault)


def deliver(sender: Sender, batch: SpooledBatch) -> None:
    """Send and confirm a batch of which nothing is refused."""
    assert list(sender.send(batch)) == []
    sender.flush()


def test_lost_answer(destination: HttpDestination, batch: SpooledBatch) -> None:
    """Taken without an answer: sent again, and nothing is missing."""
    sender = destination.sender()
    lose_one_answer(destination, batch)
    with pytest.raises(Undelivered):
        deliver(sender, batch)
    sender.rewind(None)
    deliver(sender, batch)
    sender.close()
    assert set(destination.lines()) == set(batch.lines())


def test_lost_answer_where_each_record_has_a_key(
    once: HttpDestination, batch: SpooledBatch
) -> None:
    """Sent again, each record is there once; also when another process does it."""
    sender = once.sender()
    lose_one_answer(once, batch)
    with pytest.raises(Undelivered):
        deliver(sender, batch)
    sender.close()
    again = once.sender()
    deliver(again, batch)
    again.close()
    assert once.lines() == batch.lines()


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503])
def test_not_now(destination: HttpDestination, batch: SpooledBatch, status: int) -> None:
    """The records wait as long as is asked; the failure has a remedy and no secret."""
    sender = destination.sender()
    refusing = iter([True, True])

    def fault(posted: Posted) -> Answer | None:
        if first_record(batch) in posted.body and next(refusing, False):
            said = f"{posted.headers.get('authorization')} at {posted.path}"
            return Answer(status, (("Retry-After", "7"),), said.encode())
        return None

    interrupted(destination, fault)
    with pytest.raises(Undelivered) as failure:
        deliver(sender, batch)
    assert failure.value.retry_after == 7.0
    assert failure.value.remedy
    assert [secret for secret in SECRETS if secret in str(failure.value)] == []
    destination.repair()
    sender.rewind(None)
    deliver(sender, batch)
    sender.close()
    assert destination.lines() == batch.lines()


def test_too_large(destination: HttpDestination, batch: SpooledBatch) -> None:
    """413 halves the batch until it fits."""
    sender = destination.sender()

    def fault(posted: Posted) -> Answer | None:
        held = [line for line in batch.lines() if line in posted.body]
        return Answer(413) if len(held) > 10 else None

    interrupted(destination, fault)
    deliver(sender, batch)
    sender.close()
    assert destination.lines() == batch.lines()


def test_one_record_is_refused(destination: HttpDestination, batch: SpooledBatch) -> None:
    """It comes back with the reason; the others arrive."""
    bad = batch.lines()[17]
    sender = destination.sender()
    interrupted(destination, lambda posted: Answer(400) if bad in posted.body else None)
    refusals = list(sender.send(batch))
    sender.flush()
    sender.close()
    assert [(refusal.index, refusal.raw) for refusal in refusals] == [(17, bad)]
    assert "answered" in refusals[0].reason
    assert destination.lines() == [line for line in batch.lines() if line != bad]


def test_everything_is_refused(destination: HttpDestination, batch: SpooledBatch) -> None:
    """Settings that the service takes nothing with cost no record."""
    sender = destination.sender()
    records = batch.lines()

    def fault(posted: Posted) -> Answer | None:
        return Answer(400) if any(record in posted.body for record in records) else None

    interrupted(destination, fault)
    with pytest.raises(Undelivered, match="the records wait"):
        sender.send(batch)
    destination.repair()
    sender.rewind(None)
    deliver(sender, batch)
    sender.close()
    assert destination.lines() == records
