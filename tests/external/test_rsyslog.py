"""A real rsyslog takes what we send: every record once, byte for byte, in its own frame."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.core.model import SpooledBatch
from collector.errors import Undelivered
from collector.senders.framing import name, printable
from collector.senders.syslog import SyslogSender
from tests.fakes import rsyslog
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.corpora import STRINGS, needs_strings
from tests.fakes.pki import Pki
from tests.fakes.rsyslog import Rsyslog

pytestmark = pytest.mark.skipif(
    rsyslog.PROGRAM is None,
    reason="rsyslogd is not installed: apt-get install rsyslog rsyslog-gnutls",
)

LOG = logging.getLogger("tests.rsyslog")
MAX_BYTES = 100_000
HEADER = (
    b"<14>1 2026-01-01T00:00:00.000000Z host.example.com casb.proofpoint.alert - casb.alerts - "
)
OLD_HEADER = b"<14>Jan  1 00:00:00 host.example.com casb.proofpoint.alert: "
WAYS = ("tcp octet_counting", "tcp newline", "tls octet_counting", "tls newline")


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """An authority."""
    return Pki(tmp_path)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Transport and framing."""
    return str(request.param)


@pytest.fixture
def receiver(tmp_path: Path, pki: Pki, way: str) -> Iterator[Rsyslog]:
    """A running rsyslog."""
    with Rsyslog(tmp_path, pki if way.startswith("tls") else None) as running:
        yield running


def sender(receiver: Rsyslog, pki: Pki, way: str, **options: object) -> SyslogSender:
    """A sender to it."""
    protocol, framing = way.split()
    settings: dict[str, object] = {
        "hostname": "host.example.com",
        "max_message_bytes": MAX_BYTES,
        **options,
    }
    return SyslogSender(
        address="127.0.0.1",
        port=receiver.port,
        protocol=protocol,  # type: ignore[arg-type]
        framing=framing,  # type: ignore[arg-type]
        ca=pki.ca.cert,
        timeout=20.0,
        clock=ManualClock(FIRST),
        log=LOG,
        **settings,  # type: ignore[arg-type]
    )


def deliver(to: SyslogSender, *batches: SpooledBatch) -> None:
    """Send, confirm and close; nothing may be refused."""
    for batch in batches:
        assert list(to.send(batch)) == []
    to.flush()
    to.close()


def record(number: int, text: str) -> bytes:
    """A record as the vendor writes it: JSON, control characters escaped."""
    return json.dumps({"id": number, "text": text}, ensure_ascii=False).encode()


def hostile() -> list[bytes]:
    """Records that try to leave their frame, and long ones."""
    draw = random.Random(7)
    texts = [
        "a\nb\r\nc\rd\0e",
        "\n<14>1 2026-01-01T00:00:00Z forged evil - - - forged",
        "<13>Jan  1 00:00:00 forged evil: forged",
        "100 <14>1 - forged",
        '] [sd@1 x="\\"] \\" ]',
        "#012 \\n \\u000a %0a &#10;",
        "\u202e\u2028\u0085\ufeff\u200b \U0001f512 äöü 漢字",
        "\x7f\x1b[31m\t\b",
        "x" * 5_000,
        "".join(draw.choice("äx€\U0001f512 ") for _ in range(20_000)),
        "y" * 60_000,
        "",
    ]
    return [record(number, text) for number, text in enumerate(texts)]


def test_hostile_records(
    receiver: Rsyslog, pki: Pki, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each one arrives once and unchanged, under our header; rsyslog confirms by closing."""
    lines = hostile()
    deliver(sender(receiver, pki, way), batch_of(lines))
    messages = receiver.messages()
    assert [message.raw for message in messages] == [HEADER + line for line in lines]
    assert {message.hostname for message in messages} == {b"host.example.com"}
    assert {message.app for message in messages} == {b"casb.proofpoint.alert"}
    assert "does not close" not in caplog.text


def test_the_old_format(receiver: Rsyslog, pki: Pki, way: str) -> None:
    """The same in RFC 3164."""
    lines = hostile()
    deliver(sender(receiver, pki, way, format="rfc3164"), batch_of(lines))
    messages = receiver.messages()
    assert [message.raw for message in messages] == [OLD_HEADER + line for line in lines]
    assert {message.hostname for message in messages} == {b"host.example.com"}


def test_raw_control_characters(receiver: Rsyslog, pki: Pki, way: str) -> None:
    """Bytes that JSON does not allow look alike either way: rsyslog shows what we let through."""
    line = b'{"a":"\r\x00\x1b\xff\xfe\x7f"}'
    deliver(sender(receiver, pki, way), batch_of([line, b"{}"]))
    shown = b'{"a":"#015#000#033\xff\xfe\x7f"}'
    assert [message.raw for message in receiver.messages()] == [HEADER + shown, HEADER + b"{}"]


@needs_strings
def test_naughty_strings(receiver: Rsyslog, pki: Pki, way: str) -> None:
    """All of them, as values of records."""
    texts = json.loads(STRINGS.read_text(encoding="utf-8"))
    lines = [record(number, text) for number, text in enumerate(texts)]
    deliver(sender(receiver, pki, way), batch_of(lines))
    assert [message.raw for message in receiver.messages()] == [HEADER + line for line in lines]


INJECTIONS = (
    "evil host",
    "x\n<13>1 - forged - - - -",
    'a [sd@1 x="y"]',
    "- - - - - ",
    "tab\there",
    "ünïcode",
    "x" * 300,
    "<0>",
    "\0",
    "",
)


@pytest.mark.parametrize("message_format", ["rfc3164", "rfc5424"])
def test_header_injection(receiver: Rsyslog, pki: Pki, way: str, message_format: str) -> None:
    """Whatever is set as host or application name stays in its field."""
    for number, text in enumerate(INJECTIONS):
        options = {"hostname": text, "app_name": text, "msgid": text, "format": message_format}
        deliver(sender(receiver, pki, way, **options), batch_of([record(number, text)]))
    messages = receiver.messages()
    cleaned = name if message_format == "rfc3164" else printable
    for number, (message, text) in enumerate(zip(messages, INJECTIONS, strict=True)):
        assert message.raw.endswith(record(number, text))
        assert message.msg.strip() == record(number, text)
        assert message.data == b"-"
        assert message.hostname == cleaned(text, 255).encode()


def test_over_the_limit(receiver: Rsyslog, pki: Pki, way: str) -> None:
    """What rsyslog would cut is refused by us; its neighbours arrive."""
    small = sender(receiver, pki, way, max_message_bytes=8_096)
    lines = [b'{"id":1}', record(2, "z" * 8_096), b'{"id":3}']
    refusals = list(small.send(batch_of(lines)))
    small.flush()
    small.close()
    assert [refusal.index for refusal in refusals] == [1]
    assert [message.msg.strip() for message in receiver.messages()] == [lines[0], lines[2]]


def test_a_killed_rsyslog_costs_nothing(receiver: Rsyslog, pki: Pki, way: str) -> None:
    """Bytes that it had not read are never confirmed; the replay brings them."""
    batches = [batch_of(numbered(number, 400), number) for number in range(1, 6)]
    to = sender(receiver, pki, way)
    to.send(batches[0])
    to.flush()
    to.send(batches[1])
    receiver.pause()
    with pytest.raises(Undelivered):
        send_and_kill(to, batches[2:4], receiver)
    receiver.start()
    to.rewind(None)
    deliver(to, *batches[1:])
    arrived = [message.raw.removeprefix(HEADER) for message in receiver.messages()]
    confirmed, replayed = batches[0].lines(), [line for b in batches[1:] for line in b.lines()]
    assert arrived[: len(confirmed)] == confirmed
    assert arrived[-len(replayed) :] == replayed
    assert len(arrived) <= len(confirmed) + 2 * len(replayed)


def send_and_kill(to: SyslogSender, batches: list[SpooledBatch], receiver: Rsyslog) -> None:
    """Send to the paused rsyslog, kill it, and ask for the confirmation."""
    for batch in batches:
        to.send(batch)
    receiver.kill()
    to.flush()
