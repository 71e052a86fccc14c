"""From our settings to librdkafka's properties (its ``CONFIGURATION.md``).  Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from collector.core.model import Frozen
from collector.senders.tls import ClientTls

Codec: TypeAlias = Literal["none", "gzip", "snappy", "lz4", "zstd"]
Mechanism: TypeAlias = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Property: TypeAlias = str | int | float | bool


class KafkaSasl(Frozen, frozen=True):
    """Who we say we are, and how."""

    mechanism: Mechanism
    username: str
    password: str


class KafkaSettings(Frozen, frozen=True):
    """How to reach the brokers, and how much may wait for them.

    ``timeout`` (seconds) is for one record, from the queue to the answer of all its
    replicas; ``linger`` (seconds) is how long a set of records may wait to grow.
    ``tls`` None: plain TCP; of its checks the library cannot do ``server_name``.
    """

    servers: Sequence[str]
    tls: ClientTls | None = None
    sasl: KafkaSasl | None = None
    compression: Codec = "none"
    timeout: float = 30.0
    linger: float = 0.005
    max_message_bytes: int = 1_000_000
    queue_messages: int = 100_000
    queue_bytes: int = 64 * 1024 * 1024


def properties(settings: KafkaSettings) -> dict[str, Property]:
    """All that the producer is made with, but for what its certificate files hold."""
    return {
        "bootstrap.servers": ",".join(settings.servers),
        "client.id": "proofpoint-collector",
        "acks": "all",
        "enable.idempotence": True,
        # A record without a key goes anywhere; one with a key where Java's producers put it.
        "partitioner": "murmur2_random",
        "compression.type": settings.compression,
        "message.timeout.ms": _milliseconds(settings.timeout),
        "linger.ms": settings.linger * 1000,
        "message.max.bytes": settings.max_message_bytes,
        "queue.buffering.max.messages": settings.queue_messages,
        "queue.buffering.max.kbytes": max(settings.queue_bytes // 1024, 1),
        "log.connection.close": False,
        "security.protocol": _protocol(settings),
        **_sasl(settings.sasl),
    }


def _protocol(settings: KafkaSettings) -> str:
    """Kafka's name for how the connection is made."""
    transport = "PLAINTEXT" if settings.tls is None else "SSL"
    return transport if settings.sasl is None else f"SASL_{transport}"


def _sasl(sasl: KafkaSasl | None) -> Mapping[str, Property]:
    """The credentials; none without SASL."""
    if sasl is None:
        return {}
    return {
        "sasl.mechanism": sasl.mechanism,
        "sasl.username": sasl.username,
        "sasl.password": sasl.password,
    }


def _milliseconds(seconds: float) -> int:
    """Whole milliseconds, one at least."""
    return max(round(seconds * 1000), 1)
