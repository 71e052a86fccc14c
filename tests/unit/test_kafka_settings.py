"""librdkafka's properties, from our settings."""

from __future__ import annotations

import pytest

from collector.senders.kafka_settings import KafkaSasl, KafkaSettings, properties
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
