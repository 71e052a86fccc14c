"""Senders to Kafka over each of the two libraries."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from collector.senders.kafka import KafkaSender, Key
from collector.senders.kafka_aiokafka import AiokafkaProducer
from collector.senders.kafka_librdkafka import LibrdkafkaProducer
from collector.senders.kafka_producer import Producer
from collector.senders.kafka_settings import KafkaSettings

LOG = logging.getLogger("tests.senders")
ENGINES: dict[str, Callable[[KafkaSettings, logging.Logger], Producer]] = {
    "librdkafka": LibrdkafkaProducer,
    "aiokafka": AiokafkaProducer,
}


def sender_over(
    engine: str, settings: KafkaSettings, *, topic: str = "{tag}", key: Key = "event_id"
) -> KafkaSender:
    """A sender that has been wound back, as the delivery loop does at its start."""
    made = KafkaSender(partial(ENGINES[engine], settings, LOG), topic=topic, key=key)
    made.rewind(None)
    return made
