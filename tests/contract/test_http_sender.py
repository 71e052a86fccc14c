"""HTTP posts: parts, ids, refusals, waits and what never leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.core.model import SpooledBatch
from collector.errors import Undelivered
from collector.senders.http import HttpSender
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.destinations import Authority
from tests.fakes.receivers import Answer, HttpReceiver, Posted

RECORDS = 20


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """A server that accepts everything until told otherwise."""
    with HttpReceiver() as running:
        yield running


@pytest.fixture
def sender(receiver: HttpReceiver) -> Iterator[HttpSender]:
    """A sender with credentials in its headers and in its URL's query."""
    made = HttpSender(
        url=f"{receiver.url}?token=t0ken-secret",
        headers={"Authorization": "Bearer s3cret-token"},
        clock=ManualClock(FIRST),
        timeout=2.0,
    )
    yield made
    made.close()


@pytest.fixture
def batch() -> SpooledBatch:
    """Twenty records."""
    return batch_of(numbered(1, RECORDS))


def ids(posts: list[Posted]) -> list[str]:
    """The ids of the posts."""
    return [posted.headers["idempotency-key"] for posted in posts]


def test_one_post_a_batch(receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch) -> None:
    """The body is the batch, with its id, type and our headers; no cookie comes back."""
    receiver.answer = lambda _: Answer(200, (("Set-Cookie", "session=1; Path=/"),))
    assert list(sender.send(batch)) == []
    sender.flush()
    sender.send(batch)
    first, second = receiver.posts
    assert first.body == batch.body
    assert first.headers["idempotency-key"] == "uid-1"
    assert first.headers["content-type"] == "application/x-ndjson"
    assert first.headers["authorization"] == "Bearer s3cret-token"
    assert "cookie" not in second.headers


def test_json_array_in_gzip(receiver: HttpReceiver, batch: SpooledBatch) -> None:
    """The other body form, compressed."""
    sender = HttpSender(
        url=receiver.url, clock=ManualClock(FIRST), body="json_array", compression="gzip"
    )
    sender.send(batch)
    sender.close()
    (posted,) = receiver.posts
    assert posted.body == b"[" + b",".join(batch.lines()) + b"]"
    assert posted.headers["content-encoding"] == "gzip"


def test_parts_keep_their_ids(receiver: HttpReceiver, batch: SpooledBatch) -> None:
    """A large batch goes in parts; a new process makes the same parts with the same ids."""
    for _ in range(2):
        sender = HttpSender(url=receiver.url, clock=ManualClock(FIRST), max_request_bytes=300)
        sender.send(batch)
        sender.close()
    half = len(receiver.posts) // 2
    assert half > 3
    assert receiver.posts[:half] == receiver.posts[half:]
    assert b"".join(posted.body for posted in receiver.posts[:half]) == batch.body
    assert all(len(posted.body) <= 300 for posted in receiver.posts)
    assert len(set(ids(receiver.posts))) == half


@pytest.mark.parametrize("status", [400, 413, 422])
def test_bisects_to_the_refused_records(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch, status: int
) -> None:
    """Exactly the records that the destination refuses come back; the others arrive once."""
    bad = [batch.lines()[3], batch.lines()[17]]

    def answer(posted: Posted) -> Answer:
        refused = any(line in posted.body for line in bad)
        return Answer(status, (), b"bad field for Bearer s3cret-token") if refused else Answer()

    receiver.answer = answer
    refusals = list(sender.send(batch))
    assert [refusal.index for refusal in refusals] == [3, 17]
    assert [refusal.raw for refusal in refusals] == bad
    assert f"answered {status}: bad field for *** ***" in refusals[0].reason
    arrived = b"".join(posted.body for posted in receiver.accepted)
    good = [line for line in batch.lines() if line not in bad]
    assert arrived == b"".join(line + b"\n" for line in good)


def test_accepted_parts_are_not_posted_again(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch
) -> None:
    """After a failure in the middle, only the rest is posted, and refusals are not forgotten."""
    bad = batch.lines()[0]
    statuses: list[int] = []

    def answer(posted: Posted) -> Answer:
        statuses.append(400 if bad in posted.body else 503 if len(statuses) == 7 else 200)
        return Answer(statuses[-1])

    receiver.answer = answer
    with pytest.raises(Undelivered):
        sender.send(batch)
    sender.rewind(None)
    refusals = list(sender.send(batch))
    assert [refusal.index for refusal in refusals] == [0]
    assert 503 in statuses
    arrived = b"".join(posted.body for posted in receiver.accepted)
    assert sorted(arrived.splitlines()) == sorted(batch.lines()[1:])


@pytest.mark.parametrize("status", [302, 401, 403, 404, 408, 429, 500, 503])
def test_failures_carry_no_secret(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch, status: int
) -> None:
    """A failure names the place and the status, and none of our credentials."""
    receiver.answer = lambda _: Answer(status, (("Location", receiver.url),))
    with pytest.raises(Undelivered) as failure:
        sender.send(batch)
    assert len(receiver.posts) == 1
    text = str(failure.value)
    assert f"answered {status}" in text
    assert "s3cret-token" not in text
    assert "t0ken-secret" not in text


@pytest.mark.parametrize("value", ["30", "Thu, 01 Jan 2026 00:00:30 GMT"])
def test_retry_after(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch, value: str
) -> None:
    """The wait that the destination asks for reaches the loop."""
    receiver.answer = lambda _: Answer(429, (("Retry-After", value),))
    with pytest.raises(Undelivered) as failure:
        sender.send(batch)
    assert failure.value.retry_after == 30.0


def test_large_answers_are_not_read(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch
) -> None:
    """Of a large answer only a start is read, and the next batch still arrives."""
    receiver.answer = lambda _: Answer(200, (), b"x" * 5_000_000)
    sender.send(batch)
    sender.send(batch_of(numbered(2, RECORDS), 2))
    assert ids(receiver.accepted) == ["uid-1", "uid-2"]


def test_answer_that_breaks_off(
    receiver: HttpReceiver, sender: HttpSender, batch: SpooledBatch
) -> None:
    """An accepted batch stays accepted when the rest of the answer does not come."""
    receiver.answer = lambda _: Answer(200, (), b"o", cut=True)
    assert list(sender.send(batch)) == []
    sender.send(batch_of(numbered(2, RECORDS), 2))
    assert ids(receiver.accepted) == ["uid-1", "uid-2"]


def test_statuses_can_be_overridden(receiver: HttpReceiver, batch: SpooledBatch) -> None:
    """A destination that says 409 to a repeat can be told to mean success."""
    receiver.answer = lambda _: Answer(409)
    sender = HttpSender(url=receiver.url, clock=ManualClock(FIRST), statuses={409: "accept"})
    assert list(sender.send(batch)) == []
    sender.close()


def test_unreachable(batch: SpooledBatch) -> None:
    """A port where nobody listens is named, without the secrets of the URL."""
    with HttpReceiver() as gone:
        url = gone.url.replace("http://", "http://user:pa55word@")
    sender = HttpSender(url=f"{url}?token=t0ken-secret", clock=ManualClock(FIRST))
    with pytest.raises(Undelivered, match="refused the connection") as failure:
        sender.send(batch)
    assert "t0ken" not in str(failure.value)
    assert "user:pa55word" not in str(failure.value)
    sender.close()


def test_tls_is_verified(tmp_path: Path, batch: SpooledBatch) -> None:
    """The destination's certificate must come from the authority that is set, and fit."""
    authority = Authority(tmp_path)
    with HttpReceiver(authority.server()) as receiver:
        trusting = HttpSender(url=receiver.url, clock=ManualClock(FIRST), ca=authority.ca)
        assert list(trusting.send(batch)) == []
        trusting.close()
        strange = HttpSender(url=receiver.url, clock=ManualClock(FIRST))
        with pytest.raises(Undelivered, match="is not trusted"):
            strange.send(batch)
        strange.close()
    with HttpReceiver(authority.server("siem.example.com")) as receiver:
        misled = HttpSender(url=receiver.url, clock=ManualClock(FIRST), ca=authority.ca)
        with pytest.raises(Undelivered, match="another name"):
            misled.send(batch)
        misled.close()


def test_client_certificate(tmp_path: Path, batch: SpooledBatch) -> None:
    """A destination that asks for a client certificate gets ours."""
    authority = Authority(tmp_path)
    cert, key = authority.client()
    with HttpReceiver(authority.server(client_certificates=True)) as receiver:
        sender = HttpSender(
            url=receiver.url, clock=ManualClock(FIRST), ca=authority.ca, cert=cert, key=key
        )
        assert list(sender.send(batch)) == []
        sender.close()
