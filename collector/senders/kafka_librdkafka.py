"""The producer over librdkafka, wherever no name but the brokers' own is asked for."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as Client

from collector.core.model import Refusal
from collector.errors import Undelivered
from collector.senders.kafka_failures import failure, raising, too_large, unanswered
from collector.senders.kafka_producer import Message, Place
from collector.senders.kafka_settings import KafkaSettings, properties
from collector.senders.kafka_tls import tls_properties

# The library promises an answer for each record within its time-out; so much later it is broken.
_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.1


class LibrdkafkaProducer:
    """See ``kafka_producer.Producer``; certificate files are read when it is made."""

    def __init__(self, settings: KafkaSettings, log: logging.Logger) -> None:
        self._tls = settings.tls
        self._patience = settings.timeout + _GRACE_SECONDS
        self._trouble: KafkaError | None = None
        self._failed: dict[Place, KafkaError] = {}
        made_with = {**properties(settings), **tls_properties(settings.tls)}
        with raising():
            self._client = Client(
                {**made_with, "error_cb": self._note_trouble}, logger=_LibraryLog(log)
            )

    def produce(self, messages: Iterable[Message]) -> Sequence[Refusal]:
        """Put messages into the library's queue; those over our own limit come back."""
        with raising():
            handed_over = [self._hand_over(each) for each in messages]
            self._client.poll(0)
        return [refusal for refusal in handed_over if refusal is not None]

    def flush(self) -> Mapping[Place, Undelivered]:
        """Wait for all answers: the messages that failed since the last flush."""
        with raising():
            left = self._client.flush(self._patience)
        if left:
            raise unanswered(left)
        failed, self._failed = self._failed, {}
        if not failed:
            self._trouble = None
        return {place: failure(error, self._trouble, self._tls) for place, error in failed.items()}

    def drop(self) -> None:
        """Forget what waits in the queue, and cut the connections."""
        with suppress(KafkaException):
            self._client.purge()
            self._client.close()

    def _hand_over(self, message: Message) -> Refusal | None:
        """Put one record into the queue, or find that it is too large."""
        try:
            self._put(message)
        except KafkaException as error:
            if not too_large(error.args[0]):
                raise
            return message.refused(failure(error.args[0]))
        return None

    def _put(self, message: Message) -> None:
        """Put a record into the queue, waiting for room in it."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self._client.produce(
                    message.topic,
                    value=message.value,
                    key=message.key,
                    headers=list(message.headers),
                    on_delivery=partial(self._answered, message.place),
                )
            except BufferError:
                if time.monotonic() > deadline:
                    raise unanswered(len(self._client)) from None
                self._client.poll(_POLL_SECONDS)
            else:
                return

    def _answered(self, place: Place, error: KafkaError | None, _message: object) -> None:
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
