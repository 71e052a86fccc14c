"""Kafka: one message a record, confirmed by the answers of all in-sync replicas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal, TypeAlias

from collector.core import fault
from collector.core.model import Refusal, SpooledBatch
from collector.errors import Undelivered
from collector.senders.base import Hold
from collector.senders.error_numbers import KAFKA_TOO_LARGE
from collector.senders.kafka_producer import Headers, Message, Place, Producer
from collector.senders.records import described, identity, named

Key: TypeAlias = Literal["event_id", "source", "none"]
"""event_id: one per record, the same at every try.  source: one per service."""


class KafkaSender:
    """Produces each record to ``topic``, which may hold ``{tag}``, ``{service}`` and ``{input}``.

    The producers of ``connect`` are idempotent, so that a library's own retries double
    nothing.  After a failure all records since the last flush are produced again, in order;
    ``key`` lets a compacted topic, or a consumer, drop the repeats.
    """

    def __init__(self, connect: Callable[[], Producer], *, topic: str, key: Key) -> None:
        self.hold = Hold()
        self._connect = connect
        self._topic = topic
        self._key = key
        self._producer: Producer | None = None
        # Records that were refused in a set: the next time each is sent alone.
        self._alone: set[Place] = set()

    def rewind(self, position: str | None) -> None:  # noqa: ARG002 - a topic cannot be cut back
        """Forget what is not confirmed; a new producer will read its certificate files anew."""
        self.close()

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Put the records into the queue; those that are too large come back."""
        producer = self._connected()
        refusals: list[Refusal] = []
        for alone, messages in groupby(self._messages(batch), self._goes_alone):
            if alone:
                refusals += (each for one in messages for each in self._send_alone(producer, one))
            else:
                refusals += producer.produce(messages)
        return refusals

    def flush(self) -> None:
        """Wait for the answer for every record; raises ``Undelivered`` when one failed."""
        if self._producer is not None:
            self._settle(self._producer.flush())
        self._alone.clear()

    def close(self) -> None:
        """Drop what waits in the queue, and the connections."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.drop()

    def _connected(self) -> Producer:
        """The producer, made when first needed."""
        if self._producer is None:
            fault.point("send.connect")
            self._producer = self._connect()
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

    def _key_of(self, line: bytes, batch: SpooledBatch, index: int) -> bytes | None:
        if self._key == "event_id":
            return identity(described(line), batch, index).encode()
        return batch.source.encode() if self._key == "source" else None

    def _goes_alone(self, message: Message) -> bool:
        return bool(self._alone) and message.place in self._alone

    def _send_alone(self, producer: Producer, message: Message) -> Sequence[Refusal]:
        """Send one record in a set of its own, so that an answer about its size is about it."""
        self._settle(producer.flush())
        refused = producer.produce([message])
        failed = producer.flush()
        error = failed.get(message.place)
        if error is not None and error.number == KAFKA_TOO_LARGE:
            return [message.refused(error)]
        self._settle(failed)
        return refused

    def _settle(self, failed: Mapping[Place, Undelivered]) -> None:
        """Raise when a record failed; those whose set was too large go alone the next time."""
        if not failed:
            return
        sets = {place for place, error in failed.items() if error.number == KAFKA_TOO_LARGE}
        self._alone |= sets
        others = [error for place, error in failed.items() if place not in sets]
        raise (others or list(failed.values()))[0]


def _headers(batch: SpooledBatch) -> Headers:
    """What each message says beside the record."""
    said = {"tag": batch.tag, "source": batch.source, "batch": batch.uid, "mode": batch.mode}
    return [(name, value.encode()) for name, value in said.items()]
