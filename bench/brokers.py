"""A Kafka broker: the one that librdkafka has within itself, for tests.  It speaks no TLS."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition

TOPIC = "mail.proofpoint.pod.message"
_SECONDS = 10.0


class Broker:
    """A cluster of one broker, which lives as long as this object."""

    def __init__(self) -> None:
        # The cluster belongs to the client that asks for it, and others reach it by its port.
        self._client = Consumer({"test.mock.num.brokers": 1, "group.id": "bench", "log_level": 0})
        (known,) = self._client.list_topics(timeout=_SECONDS).brokers.values()
        self.place = f"{known.host}:{known.port}"

    def messages(self) -> int:
        """How many messages the topic holds."""
        partitions = self._client.list_topics(TOPIC, timeout=_SECONDS).topics[TOPIC].partitions
        return sum(map(self._end, partitions))

    def _end(self, partition: int) -> int:
        place = TopicPartition(TOPIC, partition)
        return int(self._client.get_watermark_offsets(place, timeout=_SECONDS)[1])
