"""The producer over aiokafka, which can ask the brokers for another name than their own."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from collector.core.model import Refusal
from collector.errors import Undelivered
from collector.senders.kafka_failures import called
from collector.senders.kafka_hearing import Hearing
from collector.senders.kafka_producer import Message, Place
from collector.senders.kafka_session import Session
from collector.senders.kafka_settings import KafkaSettings


class AiokafkaProducer:
    """See ``kafka_producer.Producer``; certificate files are read when it is made.

    Messages wait here until the queue is full, or for the flush; then all are delivered.
    """

    def __init__(self, settings: KafkaSettings, log: logging.Logger) -> None:
        self._settings = settings
        self._hearing = Hearing(log)
        self._queue: list[Message] = []
        self._bytes = 0
        self._failed: dict[Place, Undelivered] = {}
        self._session: Session | None = Session(settings, self._hearing)

    def produce(self, messages: Iterable[Message]) -> Sequence[Refusal]:
        """Put messages into the queue; those over our own limit come back."""
        refusals = []
        for message in messages:
            size = _size(message)
            if size > self._settings.max_message_bytes:
                refusals.append(message.refused(_too_large(size)))
            else:
                self._put(message, size)
        return refusals

    def flush(self) -> Mapping[Place, Undelivered]:
        """Deliver what waits: the messages that failed since the last flush."""
        self._deliver()
        failed, self._failed = self._failed, {}
        return failed

    def drop(self) -> None:
        """Forget what waits in the queue, and cut the connections."""
        self._queue.clear()
        self._bytes = 0
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _put(self, message: Message, size: int) -> None:
        """Put a message into the queue, making room where there is none."""
        full = len(self._queue) >= self._settings.queue_messages
        if full or self._bytes + size > self._settings.queue_bytes:
            self._deliver()
        self._queue.append(message)
        self._bytes += size

    def _deliver(self) -> None:
        """Deliver all that waits; what comes after a failure goes through a new session."""
        queue, self._queue, self._bytes = self._queue, [], 0
        if not queue:
            return
        if self._session is None:
            self._session = Session(self._settings, self._hearing)
        failed = self._session.deliver(queue)
        if failed:
            self._failed.update(failed)
            self.drop()


def _size(message: Message) -> int:
    """What a broker counts of it: a set with this message alone."""
    size: int = DefaultRecordBatchBuilder.estimate_size_in_bytes(
        message.key, message.value, message.headers
    )
    return size


def _too_large(size: int) -> Undelivered:
    return called("MSG_SIZE_TOO_LARGE", f"{size} bytes with its key and headers are too many")
