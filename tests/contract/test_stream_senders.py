"""Devo and syslog: TLS from both sides, lost connections, odd records."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from collector.core.model import NO_TIME, SpooledBatch
from collector.errors import Undelivered
from collector.senders.devo import DevoSender
from collector.senders.syslog import SyslogSender
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.destinations import Authority
from tests.fakes.receivers import StreamReceiver, counted_messages, newline_lines

LOG = logging.getLogger("tests.stream")


@pytest.fixture
def receiver() -> Iterator[StreamReceiver]:
    """A plain TCP receiver."""
    with StreamReceiver() as running:
        yield running


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A throw-away certificate authority."""
    return Authority(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at the start of 2026."""
    return ManualClock(FIRST)


def devo(port: int, clock: ManualClock, address: str = "127.0.0.1") -> DevoSender:
    """A Devo sender over plain TCP."""
    return DevoSender(address=address, port=port, type="TCP", timeout=1.0, clock=clock, log=LOG)


def test_devo_line(receiver: StreamReceiver, clock: ManualClock) -> None:
    """The line is what devo-sdk sends: a constant date, host, tag, colon, message, LF."""
    sender = devo(receiver.port, clock)
    sender.send(batch_of([b'{"id":1}']))
    sender.flush()
    expected = b'<14>Jan  1 00:00:00 collector casb.proofpoint.alert: {"id":1}\n'
    assert receiver.received == expected


@pytest.mark.parametrize(
    ("first", "time"), [(FIRST + 86_400_000_000, b"Jan  2"), (NO_TIME, b"Jan  1")]
)
def test_devo_strict_timestamp(
    receiver: StreamReceiver, clock: ManualClock, first: int, time: bytes
) -> None:
    """With strict timestamps the line carries the event time, or now when there is none."""
    sender = DevoSender(
        address="127.0.0.1",
        port=receiver.port,
        type="TCP",
        strict_timestamp=True,
        clock=clock,
        log=LOG,
    )
    sender.send(batch_of([b"{}"], first=first))
    sender.flush()
    assert receiver.received.startswith(b"<14>" + time + b" 00:00:00 ")


def described(number: int) -> bytes:
    """A record of the second so many after the first, as the collector writes it."""
    moment = f"2026-01-01T00:00:{number:02d}.250000Z"
    vendor = b'"event_time":"2020-02-02T00:00:00Z"'
    return b'{%b,"@collector":{"event_id":"a","event_time":"%b"}}' % (vendor, moment.encode())


def test_devo_strict_timestamps_differ_within_a_batch(
    receiver: StreamReceiver, clock: ManualClock
) -> None:
    """Each record has its own time, whatever its batch's first is and its vendor wrote."""
    sender = DevoSender(
        address="127.0.0.1",
        port=receiver.port,
        type="TCP",
        strict_timestamp=True,
        clock=clock,
        log=LOG,
    )
    sender.send(batch_of([described(1), described(59)]))
    sender.flush()
    times = [line[4:19] for line in receiver.received.splitlines()]
    assert times == [b"Jan  1 00:00:01", b"Jan  1 00:00:59"]


@pytest.mark.parametrize("form", ["rfc3164", "rfc5424"])
def test_syslog_times_differ_within_a_batch(
    receiver: StreamReceiver, clock: ManualClock, form: Literal["rfc3164", "rfc5424"]
) -> None:
    """Each message has the time of its own record."""
    sender = SyslogSender(
        address="127.0.0.1",
        port=receiver.port,
        protocol="tcp",
        format=form,
        framing="newline",
        clock=clock,
        log=LOG,
    )
    sender.send(batch_of([described(1), b"{}", described(59)]))
    sender.flush()
    spelled = {
        "rfc3164": ["Jan  1 00:00:01 ", "Jan  1 00:00:00 ", "Jan  1 00:00:59 "],
        "rfc5424": [
            f"2026-01-01T00:00:{each}Z " for each in ("01.250000", "00.000000", "59.250000")
        ],
    }
    lines = receiver.received.decode().splitlines()
    assert [time in line for time, line in zip(spelled[form], lines, strict=True)] == [True] * 3


@pytest.mark.parametrize("tag", ["Upper.case", "a b", "a:b", "tag\n", ""])
def test_devo_refuses_tags(receiver: StreamReceiver, clock: ManualClock, tag: str) -> None:
    """Records with a tag that Devo cannot route come back and are not sent."""
    sender = devo(receiver.port, clock)
    refusals = list(sender.send(batch_of([b"{}", b"[]"], tag=tag)))
    sender.flush()
    assert [(r.index, r.raw) for r in refusals] == [(0, b"{}"), (1, b"[]")]
    assert receiver.received == b""


def syslog(port: int, clock: ManualClock, **options: object) -> SyslogSender:
    """A syslog sender over plain TCP."""
    return SyslogSender(
        address="127.0.0.1",
        port=port,
        protocol="tcp",
        clock=clock,
        log=LOG,
        timeout=1.0,
        **options,  # type: ignore[arg-type]
    )


def deliver(sender: SyslogSender, batch: SpooledBatch) -> None:
    """Send and confirm."""
    sender.send(batch)
    sender.flush()


def test_newline_framing_cannot_be_split(receiver: StreamReceiver, clock: ManualClock) -> None:
    """A record with CR, NUL and a forged header stays one message."""
    sender = syslog(receiver.port, clock, framing="newline")
    sender.send(batch_of([b"a\r<14>1 forged\x00b", b"c"]))
    sender.flush()
    first, second = newline_lines(receiver.received)
    assert first.endswith(b"a#015<14>1 forged#000b")
    assert second.endswith(b" c")


def test_octet_counting_keeps_bytes(receiver: StreamReceiver, clock: ManualClock) -> None:
    """With counted frames nothing is escaped, and bytes are counted, not characters."""
    sender = syslog(receiver.port, clock)
    sender.send(batch_of(["é\r12 €".encode(), b"\xff\x00"]))
    sender.flush()
    first, second = counted_messages(receiver.received)
    assert first.endswith(" - é\r12 €".encode())
    assert second.endswith(b" - \xff\x00")


def test_oversize_is_refused(receiver: StreamReceiver, clock: ManualClock) -> None:
    """A message over the maximum comes back; its neighbours arrive."""
    sender = syslog(receiver.port, clock, max_message_bytes=200)
    refusals = list(sender.send(batch_of([b"a", b"x" * 200, b"b"])))
    sender.flush()
    assert [(r.index, r.raw) for r in refusals] == [(1, b"x" * 200)]
    assert "max_message_bytes (200)" in refusals[0].reason
    assert [m[-1:] for m in counted_messages(receiver.received)] == [b"a", b"b"]


def test_oversize_is_cut(receiver: StreamReceiver, clock: ManualClock) -> None:
    """Or it is cut to the maximum, between characters, with a mark."""
    sender = syslog(receiver.port, clock, max_message_bytes=200, oversize="truncate")
    assert list(sender.send(batch_of(["€".encode() * 100]))) == []
    sender.flush()
    (message,) = counted_messages(receiver.received)
    assert 197 <= len(message) <= 200
    assert message.decode().endswith("€ [truncated]")


def test_idle_connection_is_replaced(receiver: StreamReceiver, clock: ManualClock) -> None:
    """With nothing unconfirmed, a connection that the peer closed costs nothing."""
    sender = syslog(receiver.port, clock, confirmation="quiet", quiet_seconds=0.05)
    deliver(sender, batch_of(numbered(1, 10)))
    deliver(sender, batch_of(numbered(2, 10)))
    assert len(receiver.connections) == 1
    receiver.leave_after = 1
    with pytest.raises(Undelivered):
        deliver(sender, batch_of(numbered(3, 10)))
    sender.rewind(None)
    deliver(sender, batch_of(numbered(3, 10)))
    assert len(receiver.connections) == 2
    assert len(counted_messages(bytes(receiver.connections[1]))) == 10
    sender.close()


def test_quiet_does_not_confirm_what_is_on_its_way(
    receiver: StreamReceiver, clock: ManualClock
) -> None:
    """Quiet with a full send queue is no confirmation."""
    sender = syslog(
        receiver.port,
        clock,
        confirmation="quiet",
        quiet_seconds=0.1,
        max_message_bytes=20_000_000,
    )
    receiver.stalled.set()
    with pytest.raises(Undelivered, match="in time"):
        deliver(sender, batch_of([b"x" * 10_000_000]))


def test_silent_peer_is_told_once(
    receiver: StreamReceiver, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A peer that never closes is named once; later flushes do not wait for its end."""
    receiver.never_closes = True
    sender = SyslogSender(
        address="127.0.0.1",
        port=receiver.port,
        protocol="tcp",
        clock=clock,
        log=LOG,
        timeout=0.2,
        quiet_seconds=0.05,
    )
    for number in (1, 2, 3):
        sender.send(batch_of(numbered(number, 10), number))
        sender.flush()
    sender.close()
    assert len(caplog.records) == 1
    assert "does not close" in caplog.messages[0]
    assert len(receiver.connections) == 2


def test_stop_does_not_trust_silence(receiver: StreamReceiver, clock: ManualClock) -> None:
    """While stopping there is no time to judge silence: the records stay owed."""
    receiver.never_closes = True
    sender = syslog(receiver.port, clock)
    sender.send(batch_of(numbered(1, 10)))
    clock.stop()
    with pytest.raises(Undelivered):
        sender.flush()


def tls(
    port: int, clock: ManualClock, ca: Path | None, client: tuple[Path, Path] | None = None
) -> SyslogSender:
    """A syslog sender over TLS."""
    cert, key = client or (None, None)
    return SyslogSender(
        address="127.0.0.1",
        port=port,
        ca=ca,
        cert=cert,
        key=key,
        timeout=2.0,
        clock=clock,
        log=LOG,
    )


def refused(sender: SyslogSender) -> str:
    """How the sender explains that nothing could be delivered."""
    sender.rewind(None)
    with pytest.raises(Undelivered) as failure:
        deliver(sender, batch_of(numbered(1, 10)))
    sender.close()
    return str(failure.value)


def test_unknown_authority(authority: Authority, clock: ManualClock) -> None:
    """A server certificate from an unknown authority is refused, with the reason."""
    with StreamReceiver(authority.server()) as receiver:
        text = refused(tls(receiver.port, clock, None))
        assert "is not trusted" in text
        assert receiver.connections == []


def test_wrong_host_name(authority: Authority, clock: ManualClock) -> None:
    """A server certificate for another name is refused as such."""
    with StreamReceiver(authority.server("siem.example.com")) as receiver:
        assert "is for another name" in refused(tls(receiver.port, clock, authority.ca))


def test_client_certificate(authority: Authority, clock: ManualClock) -> None:
    """A server that asks for a client certificate gets ours."""
    with StreamReceiver(authority.server(client_certificates=True)) as receiver:
        sender = tls(receiver.port, clock, authority.ca, authority.client())
        sender.send(batch_of(numbered(1, 10)))
        sender.flush()
        assert len(counted_messages(receiver.received)) == 10


def test_missing_client_certificate(authority: Authority, clock: ManualClock) -> None:
    """Its refusal, which TLS 1.3 tells only after our handshake, is named."""
    with StreamReceiver(authority.server(client_certificates=True)) as receiver:
        assert "refused our client certificate" in refused(tls(receiver.port, clock, authority.ca))


def test_plain_port(receiver: StreamReceiver, authority: Authority, clock: ManualClock) -> None:
    """TLS against a port that does not speak it ends in time."""
    assert "in time" in refused(tls(receiver.port, clock, authority.ca))


def test_public_key_file(authority: Authority, clock: ManualClock) -> None:
    """A private key that everybody can read is refused, with the command that helps."""
    cert, key = authority.client()
    key.chmod(0o644)
    with StreamReceiver(authority.server()) as receiver:
        text = refused(tls(receiver.port, clock, authority.ca, (cert, key)))
    assert f"chmod 600 {key}" in text


@pytest.mark.parametrize("content", [None, b"", b"no pem"])
def test_broken_certificate_file(clock: ManualClock, tmp_path: Path, content: bytes | None) -> None:
    """A missing or broken file is named, and does not end the program."""
    broken = tmp_path / "broken.pem"
    if content is not None:
        broken.write_bytes(content)
    assert "broken.pem" in refused(tls(9, clock, broken))
