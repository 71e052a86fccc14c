"""What we write to Devo is what its own SDK writes, and a strict relay reads it all.

``SDK_...`` is what devo-sdk 7.0.2's ``Sender`` put on a socket for ``MESSAGES`` with the
tag ``casb.proofpoint.alert`` and the host name ``collector``.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator

import pytest

from collector.senders.devo import DevoSender
from tests.fakes import devo_relay
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.receivers import StreamReceiver

LOG = logging.getLogger("tests.devo")
HEAD = b"<14>Jan  1 00:00:00 collector casb.proofpoint.alert: "
MESSAGES = [
    b'{"id":1,"text":"plain"}',
    '{"id":2,"text":"é € 漢 😀"}'.encode(),
    b'{"id":3,"text":"a\\nb"}',
]
SDK_LINES = (
    b'<14>Jan  1 00:00:00 collector casb.proofpoint.alert: {"id":1,"text":"plain"}\n'
    b'<14>Jan  1 00:00:00 collector casb.proofpoint.alert: {"id":2,"text":"'
    b'\xc3\xa9 \xe2\x82\xac \xe6\xbc\xa2 \xf0\x9f\x98\x80"}\n'
    b'<14>Jan  1 00:00:00 collector casb.proofpoint.alert: {"id":3,"text":"a\\nb"}\n'
)
SDK_COUNTED = (
    b'77 <14>Jan  1 00:00:00 collector casb.proofpoint.alert: {"id":1,"text":"plain"}\n'
    b'87 <14>Jan  1 00:00:00 collector casb.proofpoint.alert: {"id":2,"text":"'
    b'\xc3\xa9 \xe2\x82\xac \xe6\xbc\xa2 \xf0\x9f\x98\x80"}\n'
    b'76 <14>Jan  1 00:00:00 collector casb.proofpoint.alert: {"id":3,"text":"a\\nb"}\n'
)
SDK_ZIPPED = bytes.fromhex(
    "1f8b0800000000000003b33134b1f34acc535030543030b0022385e4fc9c9cd4e492fc2285e4c4e224bd82a2"
    "fcfcb482fcccbc12bdc49cd4a2122b856aa5cc14252b431da592d48a12252ba5829cc4cc3ca55a2e1bf20d33"
    "821b7678a5c2a3a6350acff62c52f8307f460365c61ac38d4d8cc94b029a0500e528da80f0000000"
)
# date="Jan  2 03:04:05" gave this.
SDK_DATED = b'<14>Jan  2 03:04:05 collector casb.proofpoint.alert: {"id":1,"text":"plain"}\n'
SDK_BUFFER_BYTES = 19_500


@pytest.fixture
def receiver() -> Iterator[StreamReceiver]:
    """A plain TCP receiver."""
    with StreamReceiver() as running:
        yield running


def sent(
    receiver: StreamReceiver,
    records: list[bytes],
    *,
    first: int = FIRST,
    gzip: bool = False,
    strict_timestamp: bool = False,
) -> bytes:
    """What our sender writes for these records."""
    sender = DevoSender(
        address="127.0.0.1",
        port=receiver.port,
        type="TCP",
        gzip=gzip,
        strict_timestamp=strict_timestamp,
        clock=ManualClock(FIRST),
        log=LOG,
    )
    assert list(sender.send(batch_of(records, first=first))) == []
    sender.flush()
    sender.close()
    return receiver.received


def test_the_relay_reads_the_sdk() -> None:
    """The fake relay takes all three forms of the SDK, and finds the same events."""
    events = devo_relay.lines(SDK_LINES)
    assert [event.message for event in events] == MESSAGES
    assert devo_relay.counted_lines(SDK_COUNTED) == events
    assert devo_relay.zipped_lines(SDK_ZIPPED) == [events]


BROKEN = [
    SDK_LINES[:-1],
    SDK_LINES.replace(b"Jan  1", b"Jan 1"),
    SDK_LINES.replace(b"casb.", b"Casb."),
    SDK_LINES.replace(b"alert: ", b"alert:"),
    SDK_LINES.replace(b"<14>", b""),
    SDK_LINES + b"\n",
]


@pytest.mark.parametrize("stream", BROKEN)
def test_the_relay_is_strict(stream: bytes) -> None:
    """What is only nearly a line does not pass."""
    with pytest.raises(ValueError, match="no event at"):
        devo_relay.lines(stream)


def test_the_relay_is_strict_about_frames() -> None:
    """Neither a wrong length nor a torn member passes."""
    with pytest.raises(ValueError, match="does not end a line"):
        devo_relay.counted_lines(SDK_COUNTED.replace(b"77 ", b"76 "))
    with pytest.raises(ValueError, match="torn"):
        devo_relay.zipped_lines(SDK_ZIPPED[:-4])


def test_plain_lines(receiver: StreamReceiver) -> None:
    """Byte for byte what the SDK sends."""
    assert sent(receiver, MESSAGES) == SDK_LINES


def test_strict_timestamps(receiver: StreamReceiver) -> None:
    """The event's time where the SDK puts a date that it is given."""
    at = FIRST + ((24 + 3) * 3600 + 4 * 60 + 5) * 1_000_000
    assert sent(receiver, MESSAGES[:1], first=at, strict_timestamp=True) == SDK_DATED


def test_gzip(receiver: StreamReceiver) -> None:
    """One member that holds what the SDK's member holds."""
    ours = sent(receiver, MESSAGES, gzip=True)
    assert devo_relay.zipped_lines(ours) == devo_relay.zipped_lines(SDK_ZIPPED)
    assert zlib.decompress(ours, wbits=31) == SDK_LINES


def test_gzip_members(receiver: StreamReceiver) -> None:
    """A large batch goes in members of the SDK's size, whole lines each, nothing lost."""
    records = numbered(1, 3_000)
    members = devo_relay.zipped_lines(sent(receiver, records, gzip=True))
    assert [event.message for member in members for event in member] == records
    sizes = [sum(len(HEAD) + len(event.message) + 1 for event in member) for member in members]
    longest = len(HEAD) + max(map(len, records)) + 1
    assert all(SDK_BUFFER_BYTES <= size < SDK_BUFFER_BYTES + longest for size in sizes[:-1])


HOSTILE = [
    b"",
    b"<14>Jan  1 00:00:00 forged casb.proofpoint.alert: {}",
    b"77 <14>",
    b'{"a":"\r\x00\x1b\xff"}',
    '{"a":"\u2028\u0085\u202e"}'.encode(),
    b'{"a":"' + b"x" * 200_000 + b'"}',
]


@pytest.mark.parametrize("gzip", [False, True])
def test_hostile_records(receiver: StreamReceiver, *, gzip: bool) -> None:
    """None of them becomes two events, or part of another."""
    stream = sent(receiver, HOSTILE, gzip=gzip)
    members = devo_relay.zipped_lines(stream) if gzip else [devo_relay.lines(stream)]
    events = [event for member in members for event in member]
    assert [event.message for event in events] == HOSTILE
    assert {event.host for event in events} == {b"collector"}
