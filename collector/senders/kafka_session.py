"""One event loop with one producer of aiokafka in it.

The thread that delivers drives it: between two calls nothing goes on, and at the end no
thread, loop or connection is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakSet

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, OutOfOrderSequenceNumber
from aiokafka.partitioner import DefaultPartitioner, murmur2

from collector.errors import Undelivered
from collector.senders.error_numbers import CONNECTION_LOST
from collector.senders.kafka_hearing import Hearing
from collector.senders.kafka_producer import Message, Place
from collector.senders.kafka_settings import KafkaSettings, options

_PARTING_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
_anywhere = DefaultPartitioner()


class Session:
    """Delivers messages; after one that failed it is of no more use.

    A failed record leaves a gap in the numbers by which brokers know what is there twice,
    and aiokafka cannot close it.  The certificate files are read once, at the beginning.
    """

    def __init__(self, settings: KafkaSettings, hearing: Hearing) -> None:
        self._settings = settings
        self._hearing = hearing
        self._tls = None if settings.tls is None else settings.tls.context()
        self._producer: AIOKafkaProducer | None = None
        self._connections: WeakSet[asyncio.Transport] = WeakSet()
        self._runner = asyncio.Runner(loop_factory=partial(_Loop, hearing, self._connections))

    def deliver(self, messages: Sequence[Message]) -> Mapping[Place, Undelivered]:
        """Return when all are answered: those that failed; raises ``Undelivered``."""
        try:
            return self._runner.run(self._delivered(messages))
        except TimeoutError:
            raise self._hearing.late(len(messages)) from None
        except Exception as error:  # at an odd answer of a broker the library raises anything
            raise self._hearing.cause(error) from error

    def close(self) -> None:
        """Send no more, cut the connections and end the loop."""
        if self._producer is not None:
            self._runner.run(self._cut(self._producer))
        self._runner.close()

    async def _delivered(self, messages: Sequence[Message]) -> Mapping[Place, Undelivered]:
        self._hearing.begin()
        async with asyncio.timeout(self._settings.timeout):
            producer = self._producer or await self._started()
            sent = [(each.place, await _put(producer, each)) for each in messages]
            await producer.flush()
        failed = {place: error for place, future in sent if (error := future.exception())}
        return {place: self._hearing.cause(error) for place, error in _first(failed).items()}

    async def _started(self) -> AIOKafkaProducer:
        """A producer that knows its brokers and has its id from them."""
        self._producer = AIOKafkaProducer(
            **options(self._settings), ssl_context=self._tls, partitioner=_partition
        )
        await self._reach(self._producer)
        self._hearing.begin()  # a broker that could not be reached was not needed
        return self._producer

    async def _reach(self, producer: AIOKafkaProducer) -> None:
        """Wait for a broker to begin with; raises what waiting will not change."""
        while True:
            try:
                await producer.start()
            except KafkaConnectionError as error:
                if self._hearing.cause(error).number != CONNECTION_LOST:
                    raise
            else:
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _cut(self, producer: AIOKafkaProducer) -> None:
        """End all tasks and connections first, or the producer would go on to deliver."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=_PARTING_SECONDS)
        for connection in self._connections:
            connection.abort()
        with suppress(Exception):  # nothing of it is needed any more
            await asyncio.wait_for(producer.stop(), _PARTING_SECONDS)


class _Loop(asyncio.SelectorEventLoop):
    """Notes the connections in it, and with whom the last one was sought."""

    def __init__(self, hearing: Hearing, connections: WeakSet[asyncio.Transport]) -> None:
        super().__init__()
        self._hearing = hearing
        self._connections = connections
        self.set_exception_handler(lambda _loop, context: hearing.take(str(context["message"])))

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Connect, as aiokafka asks for it: with a protocol, host and port."""
        _, host, port = args
        self._hearing.peer = f"{host}:{port}"
        transport, protocol = await super().create_connection(*args, **kwargs)
        self._connections.add(transport)
        return transport, protocol


async def _put(producer: AIOKafkaProducer, message: Message) -> asyncio.Future[object]:
    """Put a message into its set, waiting for room in it: as long as we are let."""
    while True:
        with suppress(KafkaTimeoutError):
            answer: asyncio.Future[object] = await producer.send(
                message.topic, message.value, message.key, headers=message.headers
            )
            return answer


def _first(failed: Mapping[Place, BaseException]) -> Mapping[Place, BaseException]:
    """Without those that failed only for the gap that another one left, unless all did."""
    first = {
        place: error
        for place, error in failed.items()
        if not isinstance(error, OutOfOrderSequenceNumber)
    }
    return first or failed


def _partition(key: bytes | None, known: Sequence[int], available: Sequence[int]) -> int:
    """Where Java's producers and librdkafka put a record with this key; without one anywhere."""
    if key is None:
        return int(_anywhere(key, known, available))
    return int(murmur2(key) & 0x7FFFFFFF) % len(known)
