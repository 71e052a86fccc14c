"""What a client of Kafka does for the sender: it takes messages and tells what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from collector.core.model import Frozen, Refusal, SpooledBatch
from collector.errors import Undelivered

Headers: TypeAlias = Sequence[tuple[str, bytes]]
Place: TypeAlias = tuple[str, int]
"""What a record is called here, the same at every try: its batch's uid, its index in there."""


class Message(Frozen, frozen=True):
    """One record as Kafka takes it, and where it stands in its batch."""

    batch: SpooledBatch
    index: int
    topic: str
    key: bytes | None
    headers: Headers
    value: bytes

    @property
    def place(self) -> Place:
        """What the record is called here."""
        return self.batch.uid, self.index

    def refused(self, error: Undelivered) -> Refusal:
        """The record as one that the topic will never take."""
        return Refusal(
            batch=self.batch.id,
            index=self.index,
            raw=self.value,
            reason=f"{error.cause}: {len(self.value)} bytes for {self.topic}",
        )


class Producer(Protocol):
    """An idempotent producer that waits for all in-sync replicas.

    One that raised is dropped and another one made; used from one thread.
    """

    def produce(self, messages: Iterable[Message]) -> Sequence[Refusal]:
        """Put messages into the queue, waiting for room; those over our own limit come back.

        Raises ``Undelivered`` when there is no room within the time-out.
        """
        ...

    def flush(self) -> Mapping[Place, Undelivered]:
        """Wait for all answers: the messages that failed since the last flush.

        A set that is too large for its topic fails with ``KAFKA_TOO_LARGE``.  Raises
        ``Undelivered`` when not all are answered within the time-out.
        """
        ...

    def drop(self) -> None:
        """Forget what waits in the queue, and cut the connections; never raises."""
        ...
