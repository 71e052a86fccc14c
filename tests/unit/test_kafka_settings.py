"""What each client of Kafka is told, from our settings."""

from __future__ import annotations

import pytest

from collector.senders.kafka_settings import KafkaSasl, KafkaSettings, options, properties
from collector.senders.tls import ClientTls

SASL = KafkaSasl(mechanism="SCRAM-SHA-512", username="collector", password="k4fka-secret")


def test_promises() -> None:
    """Whatever is set, all replicas answer, and the library's retries double nothing."""
    found = properties(KafkaSettings(servers=["a:1", "b:2"]))
    assert found["bootstrap.servers"] == "a:1,b:2"
    assert (found["acks"], found["enable.idempotence"]) == ("all", True)


def test_units() -> None:
    """Seconds become milliseconds, bytes kibibytes."""
    found = properties(
        KafkaSettings(servers=["a:1"], timeout=1.5, linger=0.0005, queue_bytes=65_536)
    )
    assert found["message.timeout.ms"] == 1500
    assert found["linger.ms"] == pytest.approx(0.5)
    assert found["queue.buffering.max.kbytes"] == 64


@pytest.mark.parametrize(
    ("tls", "sasl", "protocol"),
    [
        (None, None, "PLAINTEXT"),
        (ClientTls(), None, "SSL"),
        (None, SASL, "SASL_PLAINTEXT"),
        (ClientTls(), SASL, "SASL_SSL"),
    ],
)
def test_protocol(tls: ClientTls | None, sasl: KafkaSasl | None, protocol: str) -> None:
    """TLS and SASL give the protocol; what is not used is not set."""
    found = properties(KafkaSettings(servers=["a:1"], tls=tls, sasl=sasl))
    assert found["security.protocol"] == protocol
    assert ("sasl.password" in found) == (sasl is not None)


def test_promises_of_the_other_library() -> None:
    """The same, by the names that aiokafka has for it."""
    found = options(KafkaSettings(servers=["a:1", "b:2"], sasl=SASL, tls=ClientTls()))
    assert found["bootstrap_servers"] == ["a:1", "b:2"]
    assert (found["acks"], found["enable_idempotence"]) == ("all", True)
    assert (found["security_protocol"], found["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert found["compression_type"] is None


@pytest.mark.parametrize(("servers", "milliseconds"), [(1, 15_000), (2, 10_000), (64, 7_500)])
def test_a_request_leaves_time_for_another_broker(servers: int, milliseconds: int) -> None:
    """A mute broker does not take the whole time of a record."""
    found = options(KafkaSettings(servers=["a:1"] * servers, timeout=30.0))
    assert found["request_timeout_ms"] == milliseconds


@pytest.mark.parametrize(("largest", "together"), [(4_000, 4_000), (8_000_000, 1_000_000)])
def test_sets(largest: int, together: int) -> None:
    """They are as large as librdkafka's, and a larger record goes alone."""
    found = options(KafkaSettings(servers=["a:1"], max_message_bytes=largest))
    assert (found["max_request_size"], found["max_batch_size"]) == (largest, together)
