"""What Splunk's answers mean, and which posts wait for the indexer."""

from __future__ import annotations

import pytest

from collector.senders.http_client import Reply
from collector.senders.http_parts import Part
from collector.senders.splunk_acks import Acknowledgements
from collector.senders.splunk_answers import Told, around, failure, parsed, verdict
from tests.fakes.batches import batch_of, numbered

MEANINGS = [
    *((200, code, "accept") for code in (None, 0, 24, 25)),
    (200, 4, "retry"),
    *((400, code, "split") for code in (None, 6, 12, 13, 15)),
    *((400, code, "retry") for code in (5, 7, 10, 11, 14, 16, 21, 22, 99)),
    (413, None, "split"),
    *((status, code, "retry") for status, code in ((401, 3), (403, 4), (429, 26), (503, 9))),
]


def part(count: int) -> Part:
    """A part of so many records, in the middle of a batch."""
    batch = batch_of(numbered(1, 20))
    return Part(batch, 5, batch.lines()[5 : 5 + count])


def reply(status: int, body: bytes = b"") -> Reply:
    """An answer."""
    return Reply(status, body, whole=True, retry_after=None)


@pytest.mark.parametrize(("status", "code", "expected"), MEANINGS)
def test_verdict(status: int, code: int | None, expected: str) -> None:
    """Only what speaks of an event decides about an event."""
    assert verdict(reply(status), Told(code=code)) == expected


@pytest.mark.parametrize("code", [None, 1, 3, 4, 7, 9, 10, 11, 14, 22, 99])
def test_every_failure_has_a_remedy(code: int | None) -> None:
    """No code leaves the operator without a next step."""
    assert len(failure(reply(400), Told(code=code), "here").remedy) > 10


@pytest.mark.parametrize(
    ("position", "sizes"),
    [
        (0, [(5, 1), (6, 7)]),
        (3, [(5, 3), (8, 1), (9, 4)]),
        (7, [(5, 7), (12, 1)]),
        (None, [(5, 4), (9, 4)]),
        (8, [(5, 4), (9, 4)]),
        (-1, [(5, 4), (9, 4)]),
    ],
)
def test_around(position: int | None, sizes: list[tuple[int, int]]) -> None:
    """The named event is alone; a place that cannot be gives halves."""
    pieces = around(part(8), Told(invalid=position))
    assert [(piece.start, len(piece.lines)) for piece in pieces] == sizes


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"code":"x"}', b"\xff"])
def test_unreadable_answer_says_nothing(body: bytes) -> None:
    """The status has to do."""
    assert parsed(reply(200, body)) == Told()


def test_acknowledgements() -> None:
    """Numbers settle once; old ones and doubled ones are lost."""
    acks = Acknowledgements()
    acks.expect(0, part(1), 10.0)
    acks.expect(1, part(2), 20.0)
    acks.settle([0, 7])
    assert acks.waiting(10) == [1]
    assert acks.take_lost(19.0) == []
    acks.expect(1, part(3), 30.0)
    assert acks.take_lost(19.0) == [part(2)]
    assert acks.take_lost(30.0) == [part(3)]
    assert acks.waiting(10) == []
    assert acks.take_lost(30.0) == []
