"""Elasticsearch and OpenSearch: names, ids, and answers document by document."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from collector.core.model import NO_TIME, SpooledBatch
from collector.errors import Undelivered
from collector.senders.elasticsearch import ElasticsearchSender
from collector.senders.error_numbers import ALL_REFUSED, UNREADABLE
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.bulk import BulkServer
from tests.fakes.clock import ManualClock
from tests.fakes.http_destinations import base
from tests.fakes.receivers import Answer, HttpReceiver

AUTHORIZATION = "ApiKey czNjcmV0Omtl"
STREAM = "logs-proofpoint.casb.alerts-default"


@pytest.fixture
def server() -> BulkServer:
    """A cluster with one data stream."""
    return BulkServer(streams=frozenset({STREAM}), authorization=AUTHORIZATION)


@pytest.fixture
def receiver(server: BulkServer) -> Iterator[HttpReceiver]:
    """Its host."""
    with HttpReceiver() as running:
        running.answer = server
        yield running


@pytest.fixture
def sender(receiver: HttpReceiver) -> Iterator[ElasticsearchSender]:
    """A sender to the data stream."""
    made = elastic(receiver)
    yield made
    made.close()


def elastic(
    receiver: HttpReceiver,
    index: str = "logs-proofpoint.{service}-default",
    ingest_pipeline: str | None = None,
) -> ElasticsearchSender:
    """A sender to an index."""
    return ElasticsearchSender(
        url=base(receiver.url),
        index=index,
        ingest_pipeline=ingest_pipeline,
        authorization=AUTHORIZATION,
        clock=ManualClock(FIRST),
        timeout=2.0,
    )


def record(
    event_id: str, event_time: str = "2026-01-01T11:59:43Z", index: int | None = None
) -> bytes:
    """A record with its metadata."""
    about: dict[str, object] = {"event_id": event_id, "event_time": event_time}
    if index is not None:
        about["record_index"] = index
    return json.dumps({"a": 1, "@collector": about}).encode()


def held(server: BulkServer) -> list[dict[str, object]]:
    """The documents."""
    return [json.loads(document) for document in server.documents.values()]


def test_time_is_added_where_there_is_none(server: BulkServer, sender: ElasticsearchSender) -> None:
    """A data stream takes the records; a time that is there stays."""
    own = b'{"@timestamp":"2020-02-02T00:00:00Z"}'
    assert list(sender.send(batch_of([record("x"), b'{"b":2}', own]))) == []
    assert [document["@timestamp"] for document in held(server)] == [
        "2026-01-01T11:59:43Z",
        "2026-01-01T00:00:00Z",
        "2020-02-02T00:00:00Z",
    ]
    assert {index for index, _ in server.documents} == {STREAM}


def test_index_by_the_time_of_the_record(server: BulkServer, receiver: HttpReceiver) -> None:
    """The date is the record's own, in small letters, whenever it is sent."""
    made = elastic(receiver, index="PP-{SERVICE}-%Y.%m.%d-%H", ingest_pipeline="geo")
    made.send(batch_of([record("x", "2026-01-31T23:59:59Z"), record("y", "2026-02-01T00:00:00Z")]))
    made.send(batch_of([b'{"a":1}'], 2, first=NO_TIME))
    made.close()
    assert [index for index, _ in server.documents] == [
        "pp-casb.alerts-2026.01.31-23",
        "pp-casb.alerts-2026.02.01-00",
        "pp-casb.alerts-2026.01.01-00",
    ]
    assert server.queries[0]["pipeline"] == ["geo"]


def test_same_event_in_another_batch(server: BulkServer, sender: ElasticsearchSender) -> None:
    """With metadata an event that is collected anew is still there once, each of its parts."""
    parts = [record("x", index=0), record("x", index=1), record("y")]
    for number in (1, 2):
        assert list(sender.send(batch_of(parts, number))) == []
        sender.flush()
    assert len(server.documents) == 3
    assert server.repeats == 3


def test_one_id_at_two_times(server: BulkServer, sender: ElasticsearchSender) -> None:
    """Two events that share an id but not their time are two, as they were when they came."""
    events = [record("x", f"2026-01-01T11:59:{second}Z") for second in (43, 44)]
    assert list(sender.send(batch_of(events))) == []
    assert len(server.documents) == 2


def test_equal_records_without_metadata(server: BulkServer, receiver: HttpReceiver) -> None:
    """Two equal records are two documents, and still two when they are sent again."""
    for _ in range(2):
        made = elastic(receiver)
        made.send(batch_of([b'{"a":1}', b'{"a":1}']))
        made.close()
    assert len(server.documents) == 2


def batch() -> SpooledBatch:
    """Thirty records."""
    return batch_of(numbered(1, 30))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, "es_rejected_execution_exception"),
        (503, "unavailable_shards_exception"),
        (403, "cluster_block_exception"),
        (404, "index_not_found_exception"),
        (409, "illegal_state_exception"),
    ],
)
def test_documents_that_may_be_taken_later(
    server: BulkServer,
    receiver: HttpReceiver,
    sender: ElasticsearchSender,
    status: int,
    kind: str,
) -> None:
    """Only those are posted again; what was refused for good is not forgotten."""
    late, bad = batch().lines()[5:8], batch().lines()[20]

    def judge(line: bytes) -> tuple[int, str] | None:
        if any(line.startswith(each[:-1]) for each in late):
            return status, kind
        return (400, "document_parsing_exception") if line.startswith(bad[:-1]) else None

    server.judge = judge
    with pytest.raises(Undelivered, match=f"{status} for a document: {kind}") as failure:
        sender.send(batch())
    assert failure.value.remedy
    server.judge = lambda line: (400, "x") if line.startswith(bad[:-1]) else None
    sender.rewind(None)
    refusals = sender.send(batch())
    assert [(refusal.index, refusal.raw) for refusal in refusals] == [(20, bad)]
    assert len(server.documents) == 29
    assert receiver.posts[1].body.count(b"\n") == 2 * 4


def test_halves_of_what_is_left(
    server: BulkServer, receiver: HttpReceiver, sender: ElasticsearchSender
) -> None:
    """Documents that were taken are not refused when the post of the last one is."""
    last = batch().lines()[29]
    server.judge = lambda line: (429, "x") if line.startswith(last[:-1]) else None
    with pytest.raises(Undelivered):
        sender.send(batch())
    receiver.answer = lambda _: Answer(413)
    refusals = sender.send(batch())
    assert [refusal.index for refusal in refusals] == [29]
    assert all(post.body.strip() for post in receiver.posts)


def test_mapping_that_takes_nothing(server: BulkServer, sender: ElasticsearchSender) -> None:
    """When every document is refused, the settings are suspect and the records wait."""
    server.judge = lambda _: (400, "strict_dynamic_mapping_exception")
    with pytest.raises(Undelivered, match="strict_dynamic_mapping_exception") as failure:
        sender.send(batch())
    assert failure.value.number == ALL_REFUSED
    server.judge = lambda _: None
    sender.rewind(None)
    assert list(sender.send(batch())) == []
    assert len(server.documents) == 30


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, (), b"<html>sign in</html>"),
        Answer(200, (), b'{"errors":false,"items":[]}'),
        Answer(200, (), b'{"errors":false,"ite', cut=True),
    ],
    ids=["page", "no items", "cut"],
)
def test_answer_that_does_not_tell(
    server: BulkServer, receiver: HttpReceiver, sender: ElasticsearchSender, answer: Answer
) -> None:
    """Success alone proves nothing; asked again, each record is there once."""
    receiver.answer = lambda posted: (server(posted), answer)[1]
    with pytest.raises(Undelivered) as failure:
        sender.send(batch())
    assert failure.value.number == UNREADABLE
    receiver.answer = server
    sender.rewind(None)
    assert list(sender.send(batch())) == []
    assert len(server.documents) == server.repeats == 30


def test_wrong_credentials(receiver: HttpReceiver, sender: ElasticsearchSender) -> None:
    """The failure shows no part of them."""
    receiver.answer = BulkServer(authorization="ApiKey another")
    with pytest.raises(Undelivered, match="answered 401") as failure:
        sender.send(batch())
    assert AUTHORIZATION.split()[1] not in str(failure.value)


def test_answer_that_is_too_long(
    server: BulkServer, receiver: HttpReceiver, sender: ElasticsearchSender
) -> None:
    """Fewer documents make a shorter one."""
    padding = b" " * 9_000_000

    def answer(posted: object) -> Answer:
        told = server(posted)  # type: ignore[arg-type]
        long = told.body.count(b"status") > 20
        return told._replace(body=padding + told.body) if long else told

    receiver.answer = answer
    assert list(sender.send(batch())) == []
    assert len(server.documents) == 30
