"""Kafka and S3 behind the face of ``tests.fakes.destinations``."""

from __future__ import annotations

from contextlib import ExitStack

from confluent_kafka import KafkaError

from collector.senders.base import Hold
from collector.senders.kafka import KafkaSender
from collector.senders.kafka_settings import KafkaSettings
from collector.senders.s3 import S3Sender
from collector.senders.s3_objects import ndjson
from tests.fakes.kafka_brokers import KafkaBrokers
from tests.fakes.kafka_engines import ENGINES, sender_over
from tests.fakes.s3_service import Bucket, bucket

TOPIC = "casb.proofpoint.alert"
KAFKA = {f"kafka-{engine}": engine for engine in ENGINES}
EXTRA = (*KAFKA, "s3")


class KafkaDestination:
    """A topic of one partition, read as its compaction would leave it."""

    def __init__(self, engine: str, brokers: KafkaBrokers) -> None:
        self.brokers = brokers
        self._engine = engine
        brokers.create(TOPIC)

    def sender(self) -> KafkaSender:
        """A sender to the cluster."""
        settings = KafkaSettings(
            servers=[self.brokers.servers],
            compression="zstd",
            timeout=5.0,
            max_message_bytes=4_000_000,
        )
        return sender_over(self._engine, settings)

    def lines(self) -> list[bytes]:
        """The last message of each key, in order."""
        messages = self.brokers.messages(TOPIC)
        last = {message.key(): message.offset() for message in messages}
        return [
            message.value() or b""
            for message in messages
            if last[message.key()] == message.offset()
        ]

    def fail_once(self) -> None:
        """Refuse one request; those on their way beside it are taken."""
        self.brokers.refuse([KafkaError.TOPIC_AUTHORIZATION_FAILED])

    def repair(self) -> None:
        """Refuse nothing."""
        self.brokers.accept()


class S3Destination:
    """A bucket that refuses writes."""

    def __init__(self, records: Bucket) -> None:
        self.bucket = records

    def sender(self) -> S3Sender:
        """A sender to the bucket."""
        return S3Sender(
            self.bucket.settings, prefix="logs", partition="hour", form=ndjson("gzip"), hold=Hold()
        )

    def lines(self) -> list[bytes]:
        """The records of all objects, by the number of the batch they are named after."""
        names = sorted(self.bucket.names(), key=lambda name: int(name.split("-")[-1].split(".")[0]))
        return [line for name in names for line in self.bucket.lines(name)]

    def fail_once(self) -> None:
        """Refuse every write until repaired."""
        self.bucket.fault.refuse = lambda _: 503

    def repair(self) -> None:
        """Take all writes."""
        self.bucket.fault.refuse = lambda _: None


def extra(kind: str, stack: ExitStack) -> KafkaDestination | S3Destination:
    """The destination of that kind; what it starts ends with the stack."""
    if kind == "s3":
        return S3Destination(bucket())
    return KafkaDestination(KAFKA[kind], stack.enter_context(KafkaBrokers()))
