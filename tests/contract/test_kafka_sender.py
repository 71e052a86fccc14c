"""Kafka: keys, headers, sizes, queues, and what each failure is called."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest
from confluent_kafka import KafkaError, Message

from collector.errors import Undelivered
from collector.senders.error_numbers import (
    CONNECTION_LOST,
    KAFKA_TOO_LARGE,
    TLS_FAILED,
    TLS_FILES,
    UNTRUSTED,
)
from collector.senders.kafka import KafkaSender, Key
from collector.senders.kafka_settings import KafkaSasl, KafkaSettings
from collector.senders.tls import ClientTls
from tests.fakes.batches import batch_of, numbered
from tests.fakes.destinations import Authority
from tests.fakes.kafka_brokers import KafkaBrokers
from tests.fakes.kafka_engines import ENGINES, LOG, sender_over
from tests.fakes.receivers import StreamReceiver

TAG = "casb.proofpoint.alert"


@pytest.fixture
def brokers() -> Iterator[KafkaBrokers]:
    """A cluster with one topic of one partition."""
    with KafkaBrokers() as running:
        running.create(TAG)
        yield running


@pytest.fixture
def settings(brokers: KafkaBrokers) -> KafkaSettings:
    """Settings that reach the cluster."""
    return KafkaSettings(servers=[brokers.servers], timeout=20.0)


Make: TypeAlias = Callable[..., KafkaSender]


@pytest.fixture(params=ENGINES)
def sender_of(request: pytest.FixtureRequest) -> Make:
    """Makes senders over one of the libraries."""
    return partial(sender_over, request.param)


def described_lines(count: int) -> list[bytes]:
    """Records with the collector's metadata."""
    return [b'{"a":1,"@collector":{"event_id":"event-%d"}}' % n for n in range(count)]


def values(messages: list[Message]) -> list[bytes | None]:
    """The records of the messages."""
    return [message.value() for message in messages]


def test_each_record_is_a_message(
    sender_of: Make, brokers: KafkaBrokers, settings: KafkaSettings
) -> None:
    """One message a record, once, in order, with its key and where it came from."""
    batch = batch_of(described_lines(50), 7)
    sender = sender_of(settings)
    assert list(sender.send(batch)) == []
    sender.flush()
    sender.close()
    messages = brokers.messages(TAG)
    assert values(messages) == batch.lines()
    assert len({message.key() for message in messages}) == 50
    assert messages[0].headers() == [
        ("tag", TAG.encode()),
        ("source", b"casb.alerts"),
        ("batch", b"uid-7"),
        ("mode", b"live"),
    ]


def test_crash_before_the_flush(
    sender_of: Make, brokers: KafkaBrokers, settings: KafkaSettings
) -> None:
    """What was sent and not confirmed comes again with the same keys, so that it counts once."""
    batch = batch_of(described_lines(20))
    first = sender_of(settings)
    first.send(batch)
    first.flush()  # the spool was not told of it
    first.close()
    second = sender_of(settings)
    second.send(batch)
    second.flush()
    second.close()
    messages = brokers.messages(TAG)
    assert values(messages) == batch.lines() * 2
    assert [message.key() for message in messages[:20]] == [
        message.key() for message in messages[20:]
    ]


def test_close_drops_what_waits(
    sender_of: Make, brokers: KafkaBrokers, settings: KafkaSettings
) -> None:
    """A sender that is closed before its flush delivers nothing behind the loop's back."""
    brokers.go_down()
    sender = sender_of(settings)
    sender.send(batch_of(numbered(1, 5)))
    sender.close()
    brokers.come_up()
    assert brokers.messages(TAG) == []


@pytest.mark.parametrize(("key", "expected"), [("source", b"casb.alerts"), ("none", None)])
def test_other_keys(
    sender_of: Make,
    brokers: KafkaBrokers,
    settings: KafkaSettings,
    key: Key,
    expected: bytes | None,
) -> None:
    """One key a service, or none; the topic is a pattern."""
    brokers.create("logs.alerts")
    sender = sender_of(settings, topic="logs.{service}", key=key)
    batch = msgspec.structs.replace(batch_of(numbered(1, 3)), source="casb#alerts")
    sender.send(batch)
    sender.flush()
    sender.close()
    keys = {message.key() for message in brokers.messages("logs.alerts")}
    assert keys == {b"casb#alerts" if expected else None}


def test_own_limit(sender_of: Make, brokers: KafkaBrokers, settings: KafkaSettings) -> None:
    """A record over our own limit is refused alone; its neighbours arrive."""
    lines = [b"1", b'"' + b"x" * 5_000 + b'"', b"3"]
    sender = sender_of(msgspec.structs.replace(settings, max_message_bytes=4_000))
    (refusal,) = sender.send(batch_of(lines, 9))
    sender.flush()
    sender.close()
    assert (refusal.batch, refusal.index, refusal.raw) == (9, 1, lines[1])
    assert "5002 bytes" in refusal.reason
    assert values(brokers.messages(TAG)) == [b"1", b"3"]


def test_topic_limit(sender_of: Make, brokers: KafkaBrokers, settings: KafkaSettings) -> None:
    """A set that a broker finds too large goes again one by one; the one that is, is refused."""
    lines = numbered(1, 4)
    batch = batch_of(lines)
    # One set of messages: it waits for all four.
    sender = sender_of(msgspec.structs.replace(settings, linger=0.5))
    brokers.refuse([KafkaError.MSG_SIZE_TOO_LARGE])
    sender.send(batch)
    with pytest.raises(Undelivered) as failure:
        sender.flush()
    assert failure.value.number == KAFKA_TOO_LARGE
    sender.rewind(None)
    brokers.refuse([0, KafkaError.MSG_SIZE_TOO_LARGE])
    (refusal,) = sender.send(batch)
    sender.flush()
    sender.close()
    assert (refusal.index, refusal.raw) == (1, lines[1])
    assert values(brokers.messages(TAG)) == [lines[0], lines[2], lines[3]]


def test_small_queue(sender_of: Make, brokers: KafkaBrokers, settings: KafkaSettings) -> None:
    """More records than the queue takes wait for room; none is dropped."""
    batch = batch_of(numbered(1, 200))
    sender = sender_of(msgspec.structs.replace(settings, queue_messages=10))
    sender.send(batch)
    sender.flush()
    sender.close()
    assert values(brokers.messages(TAG)) == batch.lines()


def test_brokers_down(sender_of: Make, brokers: KafkaBrokers, settings: KafkaSettings) -> None:
    """A cluster that goes away is named; when it is back the records arrive, once."""
    batch = batch_of(numbered(1, 5))
    brokers.go_down()
    hasty = sender_of(msgspec.structs.replace(settings, timeout=0.5))
    hasty.send(batch)
    # An idempotent producer may ask for its id twice, half a second apart, before it sends.
    patient = sender_of(settings)
    patient.send(batch)
    with pytest.raises(Undelivered) as failure:
        hasty.flush()
    hasty.close()
    assert failure.value.number == CONNECTION_LOST
    assert brokers.servers in failure.value.cause
    brokers.come_up()
    patient.rewind(None)
    patient.send(batch)
    patient.flush()
    patient.close()
    assert values(brokers.messages(TAG)) == batch.lines()


def test_untrusted_brokers(sender_of: Make, tmp_path: Path) -> None:
    """Brokers whose certificate another authority signed get nothing; what to set is named."""
    (tmp_path / "ours").mkdir()
    stranger, ours = Authority(tmp_path), Authority(tmp_path / "ours")
    with StreamReceiver(stranger.server("127.0.0.1")) as receiver:
        settings = KafkaSettings(
            servers=[f"127.0.0.1:{receiver.port}"], tls=ClientTls(ca=ours.ca), timeout=0.5
        )
        sender = sender_of(settings, topic=TAG)
        sender.send(batch_of(numbered(1, 1)))
        with pytest.raises(Undelivered) as failure:
            sender.flush()
        sender.close()
    assert failure.value.number in {TLS_FAILED, UNTRUSTED}
    assert f"127.0.0.1:{receiver.port}" in failure.value.cause
    assert "set ca " in failure.value.remedy
    assert receiver.received == b""


def test_missing_certificate_file(sender_of: Make, tmp_path: Path) -> None:
    """A file that is not there is named before any connection."""
    settings = KafkaSettings(servers=["127.0.0.1:1"], tls=ClientTls(ca=tmp_path / "gone.pem"))
    sender = sender_of(settings)
    with pytest.raises(Undelivered, match=r"gone\.pem") as failure:
        sender.send(batch_of(numbered(1, 1)))
    assert failure.value.number == TLS_FILES


def test_library_log_is_ours(sender_of: Make, caplog: pytest.LogCaptureFixture) -> None:
    """What the library tells comes to our log at DEBUG, without the password."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    sasl = KafkaSasl(mechanism="PLAIN", username="collector", password="k4fka-secret")
    settings = KafkaSettings(servers=[f"127.0.0.1:{port}"], sasl=sasl, timeout=0.5)
    sender = sender_of(settings, topic=TAG)
    with caplog.at_level(logging.DEBUG, logger=LOG.name):
        sender.send(batch_of(numbered(1, 1)))
        with pytest.raises(Undelivered, match="refused"):
            sender.flush()
    sender.close()
    told = [record for record in caplog.records if record.name == LOG.name]
    assert any(f"127.0.0.1:{port}" in record.getMessage() for record in told)
    assert {record.levelno for record in told} == {logging.DEBUG}
    assert "k4fka-secret" not in caplog.text
