"""Settings of the output `kafka`."""

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from collector.config.extras import needs
from collector.config.fields import (
    MIB,
    Bytes,
    Facts,
    Seconds,
    Secret,
    Section,
    Text,
    conceal,
    refuse,
)
from collector.config.tls import Tls, TrustsCa
from collector.config.urls import loopback

_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252}):([0-9]{1,5})")
# What aiokafka, which asks for tls.server_name, compresses by another library.
_BY_CRAMJAM = frozenset({"snappy", "lz4", "zstd"})
_TOPIC = re.compile(r"(?:[A-Za-z0-9._-]|\{(?:tag|service|input)\}){1,100}")


def _server(text: str) -> str:
    found = _SERVER.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 65_535:
        raise refuse("is no host:port", "write it like kafka-1.example.com:9093")
    return text


def _servers(servers: tuple[str, ...]) -> tuple[str, ...]:
    if not servers:
        raise refuse("must not be empty", "add at least one host:port")
    return servers


def _topic(text: str) -> str:
    if not _TOPIC.fullmatch(text) or text in {".", ".."}:
        reason = "is no topic: letters, digits, dots, - and _, with {tag}, {service} or {input}"
        raise refuse(reason, "write one like security.{tag}")
    return text


Server: TypeAlias = Annotated[str, AfterValidator(_server)]
Servers: TypeAlias = Annotated[
    tuple[Server, ...], Field(strict=False, max_length=64), AfterValidator(_servers)
]
Topic: TypeAlias = Annotated[str, AfterValidator(_topic)]


class KafkaSasl(Section):
    """How the collector proves who it is."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512",
        description="How the password is proven. `PLAIN` sends it, so it needs TLS.",
    )
    username: Text = Field(description="User name.")
    password: Secret = Field(description="Password.")


class KafkaQueue(Section):
    """What may wait in memory for the brokers."""

    max_messages: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=100_000, description="Messages in the producer's queue, at most."
    )
    max_bytes: Bytes = Field(
        default=64 * MIB, description="Bytes in the producer's queue, at most."
    )


class KafkaConfig(TrustsCa):
    """A Kafka cluster, or what speaks its protocol.  Needs `proofpoint-collector[kafka]`."""

    bootstrap_servers: Servers = Field(description="Brokers to begin with, each as `host:port`.")
    topic: Topic = Field(
        default="{tag}",
        description="Topic. `{tag}`, `{service}` and `{input}` are filled in, so that each may "
        "have a topic of its own.",
    )
    record_key: Literal["event_id", "source", "none"] = Field(
        default="event_id",
        description="Key of a message. `event_id`: one per record, the same at every try, so that "
        "a compacted topic or a consumer can drop repeats. `source`: one per service, which keeps "
        "its records in order. `none`: no key.",
    )
    protocol: Literal["tls", "tcp"] = Field(default="tls", description="Transport.")
    tls: Tls = Field(
        default=Tls(),
        description="How the brokers are verified. Every broker is asked for `server_name`, in "
        "place of its own name, so all certificates must have it.",
    )
    sasl: KafkaSasl | None = Field(
        default=None, description="User and password, where the brokers want them."
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        default="zstd", description="Compression of the sets of messages."
    )
    timeout_in_seconds: Seconds = Field(
        default=30.0,
        description="Seconds within which a record must be confirmed by all in-sync replicas; "
        "else it counts as undelivered and is sent again (`message.timeout.ms`). A new producer "
        "may need a second before it can send.",
    )
    linger_in_seconds: Annotated[float, Field(ge=0, le=60)] = Field(
        default=0.005, description="Seconds that a set of messages may wait to grow."
    )
    max_message_bytes: Annotated[int, Field(ge=1024, le=1_000_000_000)] = Field(
        default=1_000_000,
        description="Largest message in bytes; a larger record is kept aside and counted. Raise "
        "it together with the topic's `max.message.bytes`.",
    )
    queue: KafkaQueue = Field(default=KafkaQueue(), description="What may wait in memory.")

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        needs("confluent_kafka", "kafka")
        if self.tls.server_name is not None:
            needs("aiokafka", "kafka")
        if self.tls.server_name is not None and self.compression in _BY_CRAMJAM:
            needs("cramjam", "kafka")
        return self

    @model_validator(mode="after")
    def _lingers_within_timeout(self) -> Self:
        if self.linger_in_seconds >= self.timeout_in_seconds:
            reason = "linger_in_seconds is not below timeout_in_seconds"
            raise refuse(reason, "lower linger_in_seconds")
        return self

    @model_validator(mode="after")
    def _uses_its_tls(self) -> Self:
        if self.whole_tls() != Tls() and self.protocol == "tcp":
            raise refuse("has settings of TLS, but protocol is tcp", "set protocol: tls")
        return self

    @model_validator(mode="after")
    def _hides_its_password(self, info: ValidationInfo) -> Self:
        """PLAIN over plain TCP shows the password to everybody on the way."""
        plain = self.sasl is not None and self.sasl.mechanism == "PLAIN"
        allowed = isinstance(info.context, Facts) and info.context.allow_plaintext
        if not plain or self.protocol == "tls" or allowed:
            return self
        if not all(loopback(_host(server)) for server in self.bootstrap_servers):
            reason = "sends the password in the clear: PLAIN over tcp to another machine"
            raise conceal(reason, "set protocol: tls, or globals.allow_plaintext: true")
        return self


def _host(server: str) -> str:
    return server.rpartition(":")[0].strip("[]")
