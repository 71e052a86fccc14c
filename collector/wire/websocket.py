"""A WebSocket as the collector reads it; only this and the handshake are ``async``.

A stream is read from the caller's thread, a batch at a time: while nobody reads,
nothing is taken from the socket, so back-pressure reaches the vendor by itself.

What the vendor's notes on PoD ask of a client (sections 1 to 4, 8):
messages are taken as bytes, never checked for UTF-8 here; pings go out every
60 to 120 s, and only silence of everything, not a late pong, ends a session;
an own close is completed, taking all that was in flight before it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from aiohttp import WSMsgType

from collector.core.model import Clock, Request, Response
from collector.errors import SessionEnded
from collector.wire.handshake import Connection, client_session, let_go, shake_hands

_SLICE = 0.1
"""Seconds between looks at the stop flag, the ping and the idle limit."""

_SLACK = 2
"""A message over the limit is still received, up to so many times the limit.

It is then kept aside by the source; a session that ended over it would be
given the same message again, for ever.
"""

_NORMAL = (1000, 1001)
_CLOSE_1000 = (1000).to_bytes(2, "big")
_DATA = (WSMsgType.TEXT, WSMsgType.BINARY)
_CLOSES = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class StreamLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds.

    Time-outs of the network are real seconds, intervals the collector's clock's.
    ``idle`` 0: silence never ends a session.
    """

    connect_timeout: float = 30.0
    close_timeout: float = 1.5
    ping_interval: float = 90.0
    idle: float = 600.0
    max_message: int = 64 * 1024 * 1024
    max_records: int = 1000
    max_seconds: float = 5.0
    max_bytes: int = 16 * 1024 * 1024
    compression: bool = True


class End(Enum):
    """How a session ended."""

    CLEAN = "closed in order"
    ABRUPT = "ended without a close frame"
    FAILED = "closed with an error code"
    SILENT = "silent for longer than the idle limit"


class WebSocketWire:
    """Opens streams to one vendor."""

    def __init__(
        self, limits: StreamLimits, clock: Clock, tls: ssl.SSLContext | None = None
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._tls = tls

    def open(self, request: Request) -> Stream:
        """The stream of a signed request.

        Raises by ``wire.statuses`` when the handshake is refused, and
        ``VendorUnavailable`` (500) when there was no answer to it.
        """
        return Stream(request, self._limits, self._clock, self._tls)


def batches(stream: Stream) -> Iterator[Response]:
    """The batches of a finite stream, as the page loop wants them; closes it.

    Raises ``SessionEnded`` when it did not end in order: the answer is then not
    whole.
    """
    with stream:
        while stream.end is None:
            yield Response(request=stream.request, status=101, messages=stream.read())
        if not stream.clean:
            raise SessionEnded(303, f"the archive session {stream.ended}", "a retry follows")


class Stream:
    """One WebSocket session; ``end`` is None while it lasts."""

    def __init__(
        self, request: Request, limits: StreamLimits, clock: Clock, tls: ssl.SSLContext | None
    ) -> None:
        self.end: End | None = None
        self.code: int | None = None
        self.request = request
        self._limits = limits
        self._clock = clock
        self._heard = self._pinged = clock.monotonic()
        self._runner = asyncio.Runner()
        try:
            self._runner.run(self._connect(request, tls))
        except BaseException:
            self._runner.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.finish()
        self.abandon()

    @property
    def lasts(self) -> bool:
        """Whether it is still open."""
        return self.end is None

    @property
    def clean(self) -> bool:
        """Whether it ended in order: nothing was in flight."""
        return self.end is End.CLEAN

    @property
    def ended(self) -> str:
        """How it ended, for a log line."""
        text = self.end.value if self.end else "still lasts"
        return f"{text} (code {self.code})" if self.code else text

    def read(self) -> list[bytes]:
        """The next messages: as many as make a batch, or fewer when time or the session ends.

        May be empty.  Returns early when the program is stopping.
        """
        return self._runner.run(self._collect())

    @property
    def silent_for(self) -> float:
        """Seconds since anything was heard: all that was sent before then has arrived."""
        return self._clock.monotonic() - self._heard

    def finish(self) -> list[bytes]:
        """Close in order; the messages that were in flight come back.

        ``end`` is ``CLEAN`` when the vendor confirmed the close in time.
        """
        return [] if self.end else self._runner.run(self._say_goodbye())

    def abandon(self) -> None:
        """Let go of the socket at once."""
        try:
            self._runner.run(self._release())
        finally:
            self._runner.close()

    async def _connect(self, request: Request, tls: ssl.SSLContext | None) -> None:
        self._session = client_session()
        try:
            self._socket = await shake_hands(
                self._session,
                request,
                self._clock,
                tls,
                timeout=self._limits.connect_timeout,
                max_message=_SLACK * self._limits.max_message,
                compression=self._limits.compression,
            )
        except BaseException:
            await let_go(self._session)
            raise
        self._connection = Connection(self._socket)

    async def _collect(self) -> list[bytes]:
        messages: list[bytes] = []
        await self._ping_when_due()
        deadline = time.monotonic() + self._clock.real(self._limits.max_seconds)
        while self.end is None and not self._clock.stopping():
            now = time.monotonic()
            if now >= deadline:
                break
            try:
                async with asyncio.timeout(min(_SLICE, deadline - now)):
                    if await self._fill(messages):
                        break
            except TimeoutError:
                await self._tend()
        if self.end in {End.CLEAN, End.FAILED}:
            await self._socket.close()  # the vendor's close is answered (RFC 6455, 5.5.1)
        return messages

    async def _fill(self, messages: list[bytes]) -> bool:
        """Receive until the batch is full or the session ends."""
        left = self._limits.max_bytes
        receive, limit = self._socket.receive, self._limits.max_records
        while True:
            message = await receive()
            self._heard = self._clock.monotonic()
            if message.type in _DATA:
                messages.append(message.data)
                left -= len(message.data)
                if len(messages) >= limit or left <= 0:
                    return True
            elif message.type is WSMsgType.PING:
                # On a broken line, what came before the break is still there to be read.
                with suppress(ConnectionError, aiohttp.ClientError):
                    await self._socket.pong(message.data)
            elif message.type in _CLOSES:
                self._note_end(message.type, message.data)
                return True

    def _note_end(self, kind: WSMsgType, data: object) -> None:
        if kind is WSMsgType.CLOSE:
            self.code = data if isinstance(data, int) and data else 1000
            self.end = End.CLEAN if self.code in _NORMAL else End.FAILED
        else:
            self.code = self._socket.close_code
            self.end = End.ABRUPT

    async def _tend(self) -> None:
        """Nothing came for a moment: give up when all has been silent for too long."""
        silent = self._clock.monotonic() - self._heard
        if self._limits.idle and silent > self._limits.idle:
            self.end = End.SILENT
        else:
            await self._ping_when_due()

    async def _ping_when_due(self) -> None:
        """The vendor ends sessions that send it nothing, a flood of records or not."""
        now = self._clock.monotonic()
        if now - self._pinged <= self._limits.ping_interval:
            return
        self._pinged = now
        # On a broken line, what came before the break is still there to be read.
        with suppress(ConnectionError, aiohttp.ClientError):
            await self._socket.ping()

    async def _say_goodbye(self) -> list[bytes]:
        messages: list[bytes] = []
        try:
            async with asyncio.timeout(self._limits.close_timeout):
                await self._socket.send_frame(_CLOSE_1000, WSMsgType.CLOSE)
                while self.end is None:
                    await self._fill(messages)
        except (TimeoutError, ConnectionError, aiohttp.ClientError):
            self.end = End.ABRUPT
        return messages

    async def _release(self) -> None:
        await let_go(self._session, self._connection)
