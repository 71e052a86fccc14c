"""What every sender promises (``senders/base.py``), held against real destinations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.core.model import SpooledBatch
from collector.errors import Undelivered
from collector.senders.base import Sender
from tests.fakes.batches import batch_of, numbered
from tests.fakes.destinations import (
    HTTP,
    KINDS,
    STREAMS,
    Destination,
    StreamDestination,
    destinations,
)
from tests.fakes.extra_destinations import EXTRA
from tests.fakes.http_destinations import HttpDestination

EXACTLY_ONCE = ("file", *HTTP, *EXTRA)
CAN_STALL = (*HTTP, *STREAMS)


@pytest.fixture(params=KINDS)
def destination(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Destination]:
    """Each kind of destination in turn."""
    yield from destinations(request.param, tmp_path)


@pytest.fixture(params=EXACTLY_ONCE)
def exact(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Destination]:
    """The destinations that can be kept free of duplicates."""
    yield from destinations(request.param, tmp_path)


@pytest.fixture(params=STREAMS)
def stream(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Destination]:
    """The destinations that acknowledge nothing, with a short time-out."""
    yield from destinations(request.param, tmp_path, timeout=0.3)


@pytest.fixture(params=CAN_STALL)
def stalling(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Destination]:
    """The destinations behind a network, with a short time-out."""
    yield from destinations(request.param, tmp_path, timeout=0.3)


def batches(count: int, first: int = 1) -> list[SpooledBatch]:
    """That many batches of fifty records."""
    return [batch_of(numbered(n, 50), n) for n in range(first, first + count)]


def lines_of(sent: list[SpooledBatch]) -> list[bytes]:
    """All their records, in order."""
    return [line for batch in sent for line in batch.lines()]


def deliver(sender: Sender, sent: list[SpooledBatch]) -> str | None:
    """Send and confirm; the new position."""
    for batch in sent:
        assert list(sender.send(batch)) == []
    return sender.flush()


def test_everything_arrives_in_order(destination: Destination) -> None:
    """All records arrive byte for byte, in order, over several flushes."""
    sender = destination.sender()
    sender.rewind(None)
    first, second = batches(3), batches(3, 4)
    deliver(sender, first)
    deliver(sender, second)
    sender.close()
    assert destination.lines() == lines_of(first + second)


def test_large_and_odd_records_arrive(destination: Destination) -> None:
    """A megabyte, one byte and other alphabets pass unchanged."""
    objects_only = isinstance(destination, HttpDestination) and destination.objects_only
    small = b"{}" if objects_only else b"1"
    sent = [batch_of([b'{"a":"' + b"x" * 1_000_000 + b'"}', small, '{"名":"Ω"}'.encode()])]
    sender = destination.sender()
    sender.rewind(None)
    deliver(sender, sent)
    sender.close()
    assert destination.lines() == lines_of(sent)


def test_flush_without_records(destination: Destination) -> None:
    """A flush with nothing sent confirms nothing and does not fail."""
    sender = destination.sender()
    sender.rewind(None)
    sender.flush()
    sender.close()


def test_failure_is_told_and_nothing_is_lost(destination: Destination) -> None:
    """A destination that dies in the middle gives Undelivered; sent again, all is there."""
    sender = destination.sender()
    sender.rewind(None)
    confirmed, lost = batches(2), batches(5, 3)
    position = deliver(sender, confirmed)
    destination.fail_once()
    with pytest.raises(Undelivered) as failure:
        deliver(sender, lost)
    assert failure.value.remedy
    destination.repair()
    sender.rewind(position)
    deliver(sender, lost)
    sender.close()
    assert set(destination.lines()) == set(lines_of(confirmed + lost))
    assert destination.lines()[-len(lines_of(lost)) :] == lines_of(lost)


def test_retry_without_duplicates(exact: Destination) -> None:
    """Where the destination allows it, a failure and the retry leave no duplicate."""
    sender = exact.sender()
    sender.rewind(None)
    sent = batches(2)
    position = deliver(sender, sent)
    exact.fail_once()
    again = batches(5, 3)
    with pytest.raises(Undelivered):
        deliver(sender, again)
    exact.repair()
    sender.rewind(position)
    deliver(sender, again)
    sender.close()
    assert exact.lines() == lines_of(sent + again)


def test_new_sender_goes_on(destination: Destination) -> None:
    """A second process with the stored position continues where the first ended."""
    first, second = batches(2), batches(2, 3)
    sender = destination.sender()
    sender.rewind(None)
    position = deliver(sender, first)
    sender.close()
    sender = destination.sender()
    sender.rewind(position)
    deliver(sender, second)
    sender.close()
    assert destination.lines() == lines_of(first + second)


def test_close_after_failure(destination: Destination) -> None:
    """Close never raises, even twice and after a failure."""
    sender = destination.sender()
    sender.rewind(None)
    deliver(sender, batches(1))
    destination.fail_once()
    with pytest.raises(Undelivered):
        deliver(sender, batches(5, 2))
    sender.close()
    sender.close()


def test_stalled_destination_times_out(stalling: Destination) -> None:
    """A destination that takes nothing more gives Undelivered, not a hang."""
    assert isinstance(stalling, StreamDestination | HttpDestination)
    sender = stalling.sender()
    sender.rewind(None)
    stalling.receiver.stalled.set()
    noise = [f"{n:08d}{n * 2_654_435_761 % 2**64:020d}" * 500 for n in range(2_000)]
    large = [batch_of([line.encode() for line in noise[i::20]], i + 1) for i in range(20)]
    with pytest.raises(Undelivered, match="in time"):
        deliver(sender, large)
    sender.close()


def test_receiver_that_leaves_early(stream: Destination) -> None:
    """A receiver that closes with a FIN before it has all does not confirm."""
    assert isinstance(stream, StreamDestination)
    sender = stream.sender()
    sender.rewind(None)
    sent = batches(20)
    stream.receiver.leave_after = 100
    with pytest.raises(Undelivered):
        deliver(sender, sent)
    sender.rewind(None)
    deliver(sender, sent)
    sender.close()
    assert set(stream.lines()) == set(lines_of(sent))


def test_receiver_that_never_closes(stream: Destination) -> None:
    """A receiver that keeps a half-closed connection is not sent everything for ever."""
    assert isinstance(stream, StreamDestination)
    stream.receiver.never_closes = True
    sender = stream.sender()
    sender.rewind(None)
    sent = batches(4)
    deliver(sender, sent[:2])
    deliver(sender, sent[2:])
    sender.close()
    assert stream.lines() == lines_of(sent)


def test_unreachable_destination(stream: Destination) -> None:
    """A port where nobody listens is named as the cause."""
    assert isinstance(stream, StreamDestination)
    sender = stream.sender()
    stream.receiver.__exit__(None, None, None)
    sender.rewind(None)
    with pytest.raises(Undelivered, match="refused the connection"):
        deliver(sender, batches(1))
    sender.close()
