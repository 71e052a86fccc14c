"""From our settings to what each client of Kafka takes.  Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from collector.core.model import Frozen
from collector.senders.tls import ClientTls

Codec: TypeAlias = Literal["none", "gzip", "snappy", "lz4", "zstd"]
Mechanism: TypeAlias = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Property: TypeAlias = str | int | float | bool

_CLIENT = "proofpoint-collector"
# librdkafka's own limit of a set (``batch.size``).
_SET_BYTES = 1_000_000
_MOST_TRIES = 4


class KafkaSasl(Frozen, frozen=True):
    """Who we say we are, and how."""

    mechanism: Mechanism
    username: str
    password: str


class KafkaSettings(Frozen, frozen=True):
    """How to reach the brokers, and how much may wait for them.

    ``timeout`` (seconds) is for one record, from the queue to the answer of all its
    replicas; ``linger`` (seconds) is how long a set of records may wait to grow.
    ``tls`` None: plain TCP; of its checks librdkafka cannot do ``server_name``.
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
    """All that librdkafka is told (``CONFIGURATION.md``), but what certificate files hold."""
    return {
        "bootstrap.servers": ",".join(settings.servers),
        "client.id": _CLIENT,
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


def options(settings: KafkaSettings) -> dict[str, Any]:
    """All that aiokafka is told, but for its TLS context and where a record goes.

    What it repeats by itself it repeats until we stop it, so our time-out is kept elsewhere;
    a request gets a part of it, so that a broker that is mute leaves time for another.
    """
    sasl = settings.sasl
    return {
        "bootstrap_servers": list(settings.servers),
        "client_id": _CLIENT,
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": None if settings.compression == "none" else settings.compression,
        "request_timeout_ms": _milliseconds(
            settings.timeout / min(len(settings.servers) + 1, _MOST_TRIES)
        ),
        "linger_ms": settings.linger * 1000,
        "max_batch_size": min(settings.max_message_bytes, _SET_BYTES),
        "max_request_size": settings.max_message_bytes,
        "security_protocol": _protocol(settings),
        "sasl_mechanism": None if sasl is None else sasl.mechanism,
        "sasl_plain_username": None if sasl is None else sasl.username,
        "sasl_plain_password": None if sasl is None else sasl.password,
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
