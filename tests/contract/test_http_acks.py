"""Acknowledgements of an HTTP destination that come late, or not, or twice (row 26)."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator

import pytest

from collector.errors import Undelivered
from collector.senders.deliver import deliver
from collector.senders.http import HttpSender
from collector.senders.statistics import DeliveryStats
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.receivers import Answer, HttpReceiver, Posted
from tests.fakes.spool import MemorySpool

BATCHES = [batch_of(numbered(n, 8), number=n) for n in (1, 2, 3)]
LINES = [line for batch in BATCHES for line in batch.lines()]


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """A server that accepts everything until told otherwise."""
    with HttpReceiver() as running:
        yield running


def sender(receiver: HttpReceiver) -> HttpSender:
    """A new sender, as after a restart."""
    return HttpSender(url=receiver.url, clock=ManualClock(FIRST), timeout=0.5)


def delivered(receiver: HttpReceiver) -> MemorySpool:
    """The spool after everything was delivered."""
    clock = ManualClock(FIRST)
    spool = MemorySpool(BATCHES, clock.stop)
    deliver(
        "siem",
        "standard",
        sender(receiver),
        spool,
        clock,
        DeliveryStats(FIRST),
        logging.getLogger("tests"),
        max_retry_wait=60.0,
        jitter=random.Random(7),
    )
    assert spool.owed == {}
    return spool


def kept(receiver: HttpReceiver) -> list[bytes]:
    """The records at a destination that drops repeats by their id, in order."""
    by_id = {posted.headers["idempotency-key"]: posted.body for posted in receiver.accepted}
    return [line for body in by_id.values() for line in body.splitlines()]


def turns(receiver: HttpReceiver, *answers: Answer) -> None:
    """Answer so, one after the other; then well."""
    waiting = iter(answers)
    receiver.answer = lambda _posted: next(waiting, Answer())


def test_late(receiver: HttpReceiver) -> None:
    """Taken, but said after our time-out: sent again under the same id, so it is there once."""
    http = sender(receiver)
    receiver.stalled.set()
    with pytest.raises(Undelivered):
        http.send(BATCHES[0])
    receiver.stalled.clear()
    http.rewind(None)
    http.send(BATCHES[0])
    http.close()
    delivered(receiver)
    assert kept(receiver) == LINES


def test_lost(receiver: HttpReceiver) -> None:
    """Taken, and the connection broke before the answer was whole: its status counts."""
    turns(receiver, Answer(200, body=b"{", cut=True))
    delivered(receiver)
    assert len(receiver.posts) == len(BATCHES)
    assert kept(receiver) == LINES


def test_lost_with_the_process(receiver: HttpReceiver) -> None:
    """Taken, and we died before we wrote it down: the next process uses the same ids."""
    first = sender(receiver)
    for batch in BATCHES[:2]:
        first.send(batch)
    first.close()
    delivered(receiver)
    assert len(receiver.accepted) == len(BATCHES) + 2
    assert kept(receiver) == LINES


def test_twice(receiver: HttpReceiver) -> None:
    """A batch that was confirmed is not owed any more, whatever is said about it later."""
    confirmed = [number for ids in delivered(receiver).confirmed for number in ids]
    assert confirmed == [1, 2, 3]
    again = sender(receiver)
    again.flush()
    again.close()
    assert len(receiver.posts) == len(BATCHES)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 302, 401, 404])
def test_not_yet(receiver: HttpReceiver, status: int) -> None:
    """Kept, and sent again in order; nothing overtakes it."""
    turns(receiver, Answer(), Answer(status, (("Retry-After", "1"),)), Answer(status))
    delivered(receiver)
    assert [line for posted in receiver.accepted for line in posted.body.splitlines()] == LINES


def test_part_of_a_batch(receiver: HttpReceiver) -> None:
    """Too large: halves go alone, each under its own id, until they fit."""
    receiver.answer = lambda posted: Answer(413 if posted.body.count(b"\n") > 3 else 200)
    delivered(receiver)
    assert kept(receiver) == LINES
    assert {posted.body.count(b"\n") for posted in receiver.accepted} == {2}


def test_one_record_refused(receiver: HttpReceiver) -> None:
    """It is set aside with the reason; its neighbours arrive."""
    bad = BATCHES[1].lines()[3]

    def answer(posted: Posted) -> Answer:
        return Answer(422, body=b"bad field") if bad in posted.body else Answer()

    receiver.answer = answer
    spool = delivered(receiver)
    assert [(refusal.raw, "bad field" in refusal.reason) for refusal in spool.refusals] == [
        (bad, True)
    ]
    assert kept(receiver) == [line for line in LINES if line != bad]


def test_errors_inside_a_good_answer_are_not_read(receiver: HttpReceiver) -> None:
    """A status of success means that all of the batch was taken: a body can say anything."""
    body = b'{"errors":true,"items":[{"status":429}]}'
    turns(receiver, *[Answer(200, body=body)] * len(BATCHES))
    delivered(receiver)
    assert len(receiver.posts) == len(BATCHES)
    assert kept(receiver) == LINES
