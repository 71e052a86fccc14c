"""Kafka: one message a record, confirmed by the answers of all in-sync replicas."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Literal, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Producer

from collector.core import fault
from collector.core.model import Frozen, Refusal, SpooledBatch
from collector.senders.base import Hold
from collector.senders.kafka_failures import (
    failure,
    raising,
    set_too_large,
    too_large,
    unanswered,
)
from collector.senders.kafka_settings import KafkaSettings, properties
from collector.senders.kafka_tls import tls_properties
from collector.senders.records import described, identity, named

Headers: TypeAlias = list[tuple[str, str | bytes | None]]
Key: TypeAlias = Literal["event_id", "source", "none"]
"""event_id: one per record, the same at every try.  source: one per service."""

# The library promises an answer for each record within its time-out; so much later it is broken.
_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.1


class Message(Frozen, frozen=True):
    """One record as Kafka takes it, and where it stands in its batch."""

    batch: SpooledBatch
    index: int
    topic: str
    key: str | None
    headers: Headers
    value: bytes

    @property
    def place(self) -> tuple[str, int]:
        """What the record is called here: the same at every try."""
        return self.batch.uid, self.index

    def refused(self, error: KafkaError) -> Refusal:
        """The record as one that the topic will never take."""
        return Refusal(
            batch=self.batch.id,
            index=self.index,
            raw=self.value,
            reason=f"Kafka: {len(self.value)} bytes for {self.topic}: {error.str()}",
        )


class KafkaSender:
    """Produces each record to ``topic``, which may hold ``{tag}``, ``{service}`` and ``{input}``.

    The producer is idempotent, so that the library's own retries double nothing.  After a
    failure all records since the last flush are produced again, in order; ``key`` lets a
    compacted topic, or a consumer, drop the repeats.
    """

    def __init__(
        self, settings: KafkaSettings, *, topic: str, key: Key, log: logging.Logger
    ) -> None:
        self.hold = Hold()
        self._settings = settings
        self._topic = topic
        self._key = key
        self._log = _LibraryLog(log)
        self._patience = settings.timeout + _GRACE_SECONDS
        self._producer: Producer | None = None
        self._trouble: KafkaError | None = None
        self._failed: dict[tuple[str, int], KafkaError] = {}
        # Records that were refused in a set: the next time each is sent alone.
        self._alone: set[tuple[str, int]] = set()

    def rewind(self, position: str | None) -> None:  # noqa: ARG002 - a topic cannot be cut back
        """Forget what is not confirmed; a new producer will read its certificate files anew."""
        self.close()
        self._failed.clear()
        self._trouble = None

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Put the records into the queue; those that are too large come back."""
        producer = self._connected()
        with raising():
            handed_over = [self._hand_over(producer, each) for each in self._messages(batch)]
            producer.poll(0)
        return [refusal for refusal in handed_over if refusal is not None]

    def flush(self) -> None:
        """Wait for the answer for every record; raises ``Undelivered`` when one failed."""
        if self._producer is not None:
            self._await_answers(self._producer)
        self._alone.clear()
        self._trouble = None

    def close(self) -> None:
        """Drop what waits in the queue, and the connections."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaException):
                producer.purge()
                producer.close()

    def _connected(self) -> Producer:
        """The producer, made when first needed."""
        if self._producer is None:
            fault.point("send.connect")
            made_with = {**properties(self._settings), **tls_properties(self._settings.tls)}
            with raising():
                self._producer = Producer(
                    {**made_with, "error_cb": self._note_trouble}, logger=self._log
                )
        return self._producer

    def _messages(self, batch: SpooledBatch) -> Iterator[Message]:
        """The records of a batch with their keys."""
        topic, headers = named(self._topic, batch), _headers(batch)
        for index, line in enumerate(batch.lines()):
            yield Message(
                batch=batch,
                index=index,
                topic=topic,
                key=self._key_of(line, batch, index),
                headers=headers,
                value=line,
            )

    def _key_of(self, line: bytes, batch: SpooledBatch, index: int) -> str | None:
        if self._key == "event_id":
            return identity(described(line), batch, index)
        return batch.source if self._key == "source" else None

    def _hand_over(self, producer: Producer, message: Message) -> Refusal | None:
        """Put one record into the queue, or find that it is too large."""
        if message.place in self._alone:
            return self._send_alone(producer, message)
        try:
            self._produce(producer, message)
        except KafkaException as error:
            if not too_large(error.args[0]):
                raise
            return message.refused(error.args[0])
        return None

    def _send_alone(self, producer: Producer, message: Message) -> Refusal | None:
        """Send one record in a set of its own, so that an answer about its size is about it."""
        self._await_answers(producer)
        self._produce(producer, message)
        producer.flush(self._patience)
        error = self._failed.get(message.place)
        if error is not None and too_large(error):
            del self._failed[message.place]
            return message.refused(error)
        self._await_answers(producer)
        return None

    def _produce(self, producer: Producer, message: Message) -> None:
        """Put a record into the queue, waiting for room in it."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                producer.produce(
                    message.topic,
                    value=message.value,
                    key=message.key,
                    headers=message.headers,
                    on_delivery=partial(self._answered, message.place),
                )
            except BufferError:
                if time.monotonic() > deadline:
                    raise unanswered(len(producer)) from None
                producer.poll(_POLL_SECONDS)
            else:
                return

    def _await_answers(self, producer: Producer) -> None:
        """Return when every record of the queue is delivered."""
        with raising():
            left = producer.flush(self._patience)
        if left:
            raise unanswered(left)
        self._settle()

    def _settle(self) -> None:
        """Raise when a record failed; those whose set was too large go alone the next time."""
        if not self._failed:
            return
        sets = {place for place, error in self._failed.items() if too_large(error)}
        self._alone |= sets
        others = [error for place, error in self._failed.items() if place not in sets]
        if others:
            raise failure(others[0], self._trouble, self._settings.tls)
        raise set_too_large(next(iter(self._failed.values())))

    def _answered(self, place: tuple[str, int], error: KafkaError | None, _message: object) -> None:
        """Called for each record, from within ``poll`` and ``flush``."""
        if error is not None:
            self._failed[place] = error

    def _note_trouble(self, error: KafkaError) -> None:
        """Called when a connection fails, from within ``poll`` and ``flush``."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - it names no cause
            self._trouble = error


class _LibraryLog:
    """The library's log as ours, at DEBUG: it repeats each failure many times a second."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def log(self, _level: int, message: str, *values: Any) -> None:
        """One line of librdkafka."""
        self._log.debug(message, *values)


def _headers(batch: SpooledBatch) -> Headers:
    """What each message says beside the record."""
    return [
        ("tag", batch.tag),
        ("source", batch.source),
        ("batch", batch.uid),
        ("mode", batch.mode),
    ]
