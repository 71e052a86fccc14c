"""What aiokafka tells by its log alone: why it does not get through; in librdkafka's terms."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from collections.abc import Iterator
from contextvars import ContextVar

from aiokafka.errors import (
    BrokerResponseError,
    KafkaConnectionError,
    NodeNotReadyError,
    RequestTimedOutError,
    StaleMetadata,
    UnknownTopicOrPartitionError,
)
from confluent_kafka import KafkaError

from collector.errors import Undelivered
from collector.senders.failures import network_failure
from collector.senders.kafka_failures import called, unanswered

# They follow from something else, which was told before.
_CONSEQUENCES = (NodeNotReadyError, RequestTimedOutError, StaleMetadata)


class Hearing:
    """Of one producer; ``peer`` is the broker that was connected to last."""

    def __init__(self, log: logging.Logger) -> None:
        self.peer = "the brokers"
        self._log = log
        self._trouble: Undelivered | None = None

    def begin(self) -> None:
        """Whatever is told from here on in this context is about this producer."""
        _HEARD_BY.set(self)
        self._trouble = None

    def hear(self, record: logging.LogRecord) -> None:
        """Take a line into our log, at DEBUG, and remember the error in it."""
        self.take(record.getMessage())
        for error in _errors(record):
            if not isinstance(error, _CONSEQUENCES):
                self._trouble = _understood(error, self.peer)

    def take(self, line: str) -> None:
        """Take a line into our log, at DEBUG."""
        self._log.debug("aiokafka: %s", line)

    def cause(self, error: BaseException) -> Undelivered:
        """Name an error; what follows from a trouble that was told, by the trouble."""
        told = self._trouble
        if isinstance(error, KafkaConnectionError | UnknownTopicOrPartitionError):
            return told or _understood(error, self.peer)
        return _understood(error, self.peer)

    def late(self, count: int) -> Undelivered:
        """Name a time-out of so many records by the trouble that was told last, if any."""
        return self._trouble or unanswered(count)


class _Ear(logging.Handler):
    """Takes each line to the producer that it is about."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand over one line; what nobody asked for is dropped."""
        hearing = _HEARD_BY.get(None)
        if hearing is not None:
            hearing.hear(record)


def _errors(record: logging.LogRecord) -> Iterator[BaseException]:
    """The errors that a line shows: itself, or by its class alone what a broker answered."""
    for each in record.args if isinstance(record.args, tuple) else ():
        if isinstance(each, BaseException):
            yield each
        elif isinstance(each, type) and issubclass(each, BrokerResponseError):
            yield each()


def _understood(error: BaseException, peer: str) -> Undelivered:
    """Name an error of aiokafka, or of the connection below it."""
    if isinstance(error, KafkaConnectionError) and isinstance(error.__cause__, OSError):
        error = error.__cause__
    if isinstance(error, BrokerResponseError):
        return _answered(error)
    if isinstance(error, ssl.SSLEOFError):
        return called("_TRANSPORT", f"{peer} closed the connection")
    if isinstance(error, ssl.SSLError | TimeoutError):
        return network_failure(error, f"the broker {peer}")
    if isinstance(error, socket.gaierror):
        return called("_RESOLVE", f"{peer}: {error.strerror}")
    if isinstance(error, OSError):
        reason = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
        return called("_TRANSPORT", f"{peer}: {reason}")
    name = "_TRANSPORT" if isinstance(error, KafkaConnectionError) else "_FAIL"
    return called(name, " ".join([type(error).__name__, *map(str, error.args)]))


def _answered(error: BrokerResponseError) -> Undelivered:
    """Name an answer of a broker: its code is the same for every client."""
    if isinstance(error, RequestTimedOutError):
        return called("_MSG_TIMED_OUT", str(error))
    known = KafkaError(error.errno)
    said = [each for each in error.args if isinstance(each, str)]
    return called(str(known.name()), f"{known.str()} ({said[0]})" if said else known.str())


def _listen() -> None:
    """Keep the library's log from all others: at DEBUG it shows records and passwords."""
    library = logging.getLogger("aiokafka")
    library.setLevel(logging.INFO)
    library.propagate = False
    library.addHandler(_Ear())


_HEARD_BY: ContextVar[Hearing] = ContextVar("_HEARD_BY")
_listen()
