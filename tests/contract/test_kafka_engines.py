"""The two libraries that speak to Kafka: what goes out is the same, and so are the failures."""

from __future__ import annotations

import gc
import logging
import socket
import threading
from asyncio import AbstractEventLoop
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError

from collector.errors import Undelivered
from collector.senders.error_numbers import (
    CONNECTION_LOST,
    KAFKA_DENIED,
    KAFKA_FAILED,
    KAFKA_REPLICAS,
    KAFKA_TOO_LARGE,
    KAFKA_TOPIC,
    NAME_UNKNOWN,
    TIMED_OUT,
    TLS_FAILED,
)
from collector.senders.kafka import Key
from collector.senders.kafka_settings import Codec, KafkaSasl, KafkaSettings, Mechanism
from collector.senders.tls import ClientTls
from tests.fakes.batches import batch_of, numbered
from tests.fakes.kafka_brokers import INIT_PRODUCER_ID, PRODUCE, KafkaBrokers
from tests.fakes.kafka_engines import ENGINES, sender_over
from tests.fakes.kafka_login import KafkaLogin
from tests.fakes.listener import Listener

TAG = "casb.proofpoint.alert"
PARTITIONS = 4
PASSWORD = "canary-6b21"


class Closing(Listener):
    """Closes each connection when it has heard something."""

    def serve(self, plain: socket.socket) -> None:
        """Serve one connection."""
        with plain:
            plain.recv(65_536)


both = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture
def brokers() -> Iterator[KafkaBrokers]:
    """A cluster with one topic of four partitions."""
    with KafkaBrokers() as running:
        running.create(TAG, PARTITIONS)
        yield running


def delivered(engine: str, settings: KafkaSettings, lines: list[bytes], key: Key) -> None:
    """Send these records and have them confirmed."""
    sender = sender_over(engine, settings, key=key)
    assert list(sender.send(batch_of(lines))) == []
    sender.flush()
    sender.close()


def failing(engine: str, settings: KafkaSettings, topic: str = TAG) -> Undelivered:
    """The error of an attempt."""
    sender = sender_over(engine, settings, topic=topic)
    sender.send(batch_of(numbered(1, 3)))
    with pytest.raises(Undelivered) as failure:
        sender.flush()
    sender.close()
    assert failure.value.remedy
    assert PASSWORD not in f"{failure.value}{failure.value!r}"
    return failure.value


@pytest.mark.parametrize("key", ["event_id", "source"])
def test_a_key_has_one_partition(brokers: KafkaBrokers, key: Key) -> None:
    """Both put a record with a key where the other does, key and headers being the same."""
    settings = KafkaSettings(servers=[brokers.servers])
    lines = [b'{"@collector":{"event_id":"event-%d"}}' % n for n in range(100)]
    for engine in ENGINES:
        delivered(engine, settings, lines, key)
    messages = brokers.messages(TAG)
    places = {(each.key(), each.partition(), str(each.headers())) for each in messages}
    assert len(messages) == 200
    assert len(places) == (100 if key == "event_id" else 1)
    assert key == "source" or {each.partition() for each in messages} == set(range(PARTITIONS))


@both
def test_a_record_without_a_key_goes_anywhere(brokers: KafkaBrokers, engine: str) -> None:
    """They are spread over the partitions, none is lost."""
    settings = KafkaSettings(servers=[brokers.servers], linger=0.0)
    lines = numbered(1, 500)
    delivered(engine, settings, lines, "none")
    assert sorted(str(each.value()) for each in brokers.messages(TAG)) == sorted(map(str, lines))


@both
@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_each_compression(brokers: KafkaBrokers, engine: str, compression: Codec) -> None:
    """A consumer reads what was sent, whatever the sets were compressed with."""
    settings = KafkaSettings(servers=[brokers.servers], compression=compression)
    lines = [b'"' + b"x" * 2_000 + b'%d"' % n for n in range(200)]
    delivered(engine, settings, lines, "source")
    assert [each.value() for each in brokers.messages(TAG)] == lines


@both
def test_a_large_record(brokers: KafkaBrokers, engine: str) -> None:
    """One that is larger than a set goes alone, in its place."""
    settings = KafkaSettings(servers=[brokers.servers], max_message_bytes=4_000_000)
    lines = [b"1", b'"' + b"x" * 3_000_000 + b'"', b"3"]
    delivered(engine, settings, lines, "source")
    assert [each.value() for each in brokers.messages(TAG)] == lines


@both
def test_few_bytes_in_the_queue(brokers: KafkaBrokers, engine: str) -> None:
    """More bytes than the queue takes wait for room; none is dropped."""
    settings = KafkaSettings(servers=[brokers.servers], queue_bytes=4_096)
    lines = [b'"' + b"x" * 1_000 + b'%d"' % n for n in range(50)]
    delivered(engine, settings, lines, "source")
    assert [each.value() for each in brokers.messages(TAG)] == lines


@both
def test_brokers_that_return_between_two_flushes(brokers: KafkaBrokers, engine: str) -> None:
    """A connection that is gone when the next records come is opened again."""
    sender = sender_over(engine, KafkaSettings(servers=[brokers.servers]), key="source")
    first, second = numbered(1, 5), numbered(2, 5)
    sender.send(batch_of(first, 1))
    sender.flush()
    brokers.go_down()
    brokers.come_up()
    sender.send(batch_of(second, 2))
    sender.flush()
    sender.close()
    assert [each.value() for each in brokers.messages(TAG)] == first + second


def open_loops() -> set[AbstractEventLoop]:
    """The event loops that nobody has closed, other tests' too."""
    gc.collect()
    found = {each for each in gc.get_objects() if isinstance(each, AbstractEventLoop)}
    return {loop for loop in found if not loop.is_closed()}


@both
def test_nothing_goes_on_after_close(brokers: KafkaBrokers, engine: str) -> None:
    """No record, no thread and no event loop is left of what was on its way."""
    threads, loops = set(threading.enumerate()), open_loops()
    sender = sender_over(engine, KafkaSettings(servers=[brokers.servers], timeout=3.0))
    sender.send(batch_of(numbered(1, 5), 1))
    sender.flush()
    brokers.go_down()
    sender.send(batch_of(numbered(2, 5), 2))
    with pytest.raises(Undelivered):
        sender.flush()
    sender.close()
    brokers.come_up()
    assert set(threading.enumerate()) <= threads
    assert open_loops() <= loops
    assert len(brokers.messages(TAG)) == 5


def test_a_record_refused_leaves_no_gap(brokers: KafkaBrokers) -> None:
    """After one that was refused aiokafka's numbers would have a gap, so it gets a new id."""
    lines = numbered(1, 3)
    sender = sender_over("aiokafka", KafkaSettings(servers=[brokers.servers]), key="source")
    brokers.refuse([KafkaError.MSG_SIZE_TOO_LARGE])
    sender.send(batch_of(lines))
    with pytest.raises(Undelivered):
        sender.flush()
    sender.rewind(None)
    before = brokers.requests(INIT_PRODUCER_ID)
    brokers.refuse([0, KafkaError.MSG_SIZE_TOO_LARGE])
    (refusal,) = sender.send(batch_of(lines))
    sender.flush()
    sender.close()
    assert refusal.index == 1
    assert brokers.requests(INIT_PRODUCER_ID) - before == 2
    assert [each.value() for each in brokers.messages(TAG)] == [lines[0], lines[2]]


def test_a_gap_is_not_the_cause(brokers: KafkaBrokers) -> None:
    """A set that fails for the one before it leaves the first failure's name."""
    lines = [b'"' + b"x" * 600 + b'%d"' % n for n in range(3)]
    sender = sender_over(
        "aiokafka", KafkaSettings(servers=[brokers.servers], max_message_bytes=1_024), key="source"
    )
    brokers.refuse([KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER])
    sender.send(batch_of(lines))
    with pytest.raises(Undelivered) as failure:
        sender.flush()
    sender.close()
    assert failure.value.number == KAFKA_TOO_LARGE


@both
@pytest.mark.parametrize(
    ("code", "number"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, KAFKA_DENIED),
        (KafkaError.TOPIC_EXCEPTION, KAFKA_TOPIC),
        (KafkaError.RECORD_LIST_TOO_LARGE, KAFKA_TOO_LARGE),
        (KafkaError.INVALID_REQUIRED_ACKS, KAFKA_FAILED),
    ],
)
def test_what_a_broker_refuses(brokers: KafkaBrokers, engine: str, code: int, number: int) -> None:
    """Its code has one meaning, whichever library was told it."""
    brokers.refuse([code] * PARTITIONS)
    error = failing(engine, KafkaSettings(servers=[brokers.servers]))
    assert error.number == number
    assert KafkaError(code).str() in error.cause


def test_rights_on_the_cluster(brokers: KafkaBrokers) -> None:
    """A user that gets no producer id is told which right is missing."""
    brokers.refuse([KafkaError.CLUSTER_AUTHORIZATION_FAILED], INIT_PRODUCER_ID)
    error = failing("aiokafka", KafkaSettings(servers=[brokers.servers]))
    assert (error.number, "IDEMPOTENT_WRITE" in error.remedy) == (KAFKA_DENIED, True)
    assert brokers.requests(PRODUCE) == 0


def test_replicas_that_stay_away(brokers: KafkaBrokers) -> None:
    """What is repeated until the time-out is named by what the broker said each time."""
    brokers.refuse([KafkaError.NOT_ENOUGH_REPLICAS] * 1000)
    error = failing("aiokafka", KafkaSettings(servers=[brokers.servers], timeout=0.5))
    assert error.number == KAFKA_REPLICAS


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (KafkaError.UNKNOWN_TOPIC_OR_PART, KAFKA_TOPIC),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, KAFKA_DENIED),
    ],
)
def test_a_topic_that_is_not_shown(brokers: KafkaBrokers, code: int, number: int) -> None:
    """It does not exist, or not for this user."""
    brokers.create("hidden")
    brokers.refuse_topic("hidden", code)
    settings = KafkaSettings(servers=[brokers.servers], timeout=0.5)
    assert failing("aiokafka", settings, "hidden").number == number


@both
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_password_that_is_not_taken(
    engine: str, mechanism: Mechanism, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named as what it is, and shows nowhere."""
    sasl = KafkaSasl(mechanism=mechanism, username="collector", password=PASSWORD)
    with KafkaLogin(mechanism) as login, caplog.at_level(logging.DEBUG):
        settings = KafkaSettings(servers=[login.servers], sasl=sasl, timeout=0.5)
        error = failing(engine, settings)
    assert error.number == KAFKA_DENIED
    assert "Invalid username or password" in error.cause
    assert PASSWORD not in caplog.text


@both
def test_a_mechanism_that_is_not_offered(engine: str) -> None:
    """The brokers want another one."""
    sasl = KafkaSasl(mechanism="SCRAM-SHA-256", username="collector", password=PASSWORD)
    with KafkaLogin("PLAIN") as login:
        settings = KafkaSettings(servers=[login.servers], sasl=sasl, timeout=0.5)
        error = failing(engine, settings)
    assert error.number == KAFKA_DENIED
    assert "sasl" in error.remedy


@both
def test_a_name_that_nobody_knows(engine: str) -> None:
    """The brokers' name is not known here."""
    settings = KafkaSettings(servers=["kafka.invalid:9092"], timeout=0.5)
    error = failing(engine, settings)
    assert error.number == NAME_UNKNOWN
    assert "kafka.invalid:9092" in error.cause


@both
def test_a_broker_that_is_mute(engine: str) -> None:
    """One that takes the connection and says nothing ends at our time-out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = KafkaSettings(servers=[f"127.0.0.1:{port}"], timeout=0.5)
        assert failing(engine, settings).number == TIMED_OUT


@both
def test_a_broker_that_falls_silent(brokers: KafkaBrokers, engine: str) -> None:
    """With more than one set to send, as with one, it is the time that is over."""
    settings = KafkaSettings(servers=[brokers.servers], timeout=3.0, max_message_bytes=1_024)
    sender = sender_over(engine, settings, key="source")
    sender.send(batch_of(numbered(1, 1)))
    sender.flush()
    brokers.delay(60_000)
    sender.send(batch_of([b'"' + b"x" * 600 + b'%d"' % n for n in range(5)]))
    with pytest.raises(Undelivered) as failure:
        sender.flush()
    sender.close()
    brokers.delay(0)
    assert failure.value.number == TIMED_OUT


@both
def test_a_connection_that_is_closed(engine: str) -> None:
    """A broker that closes at once is no question of certificates."""
    with Closing() as server:
        settings = KafkaSettings(servers=[f"127.0.0.1:{server.port}"], tls=ClientTls(), timeout=0.5)
        error = failing(engine, settings)
    assert error.number in {CONNECTION_LOST, TLS_FAILED}
    assert "brokers" in error.remedy
    assert f"127.0.0.1:{server.port}" in error.cause


def test_another_broker_is_tried(brokers: KafkaBrokers) -> None:
    """One mute broker among those to begin with does not take the whole time."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        servers = [f"127.0.0.1:{mute.getsockname()[1]}", brokers.servers]
        settings = KafkaSettings(servers=servers, timeout=3.0)
        for _ in range(2):  # they are tried in any order
            delivered("aiokafka", settings, numbered(1, 3), "event_id")


def test_records_are_not_logged(brokers: KafkaBrokers, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG aiokafka would show each record, so that is switched off in any case."""
    with caplog.at_level(logging.DEBUG):
        settings = KafkaSettings(servers=[brokers.servers])
        delivered("aiokafka", settings, [b'{"a":"canary-90cc"}'], "event_id")
    assert "canary-90cc" not in caplog.text
