"""The one module that owns a WebSocket, and the only one with ``async def``.

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
from collector.core.policy import retry_after
from collector.errors import SessionEnded, VendorUnavailable
from collector.wire.statuses import error_for

_SLICE = 0.1
"""Seconds between looks at the stop flag, the ping and the idle limit."""

_LONGEST_PAUSE = 3600.0
"""The most seconds that a ``Retry-After`` is believed."""

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
            self.abandon()
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
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None),  # a stream may last for weeks
            trace_configs=[_no_redirects()],
            trust_env=True,
        )
        try:
            async with asyncio.timeout(self._limits.connect_timeout):
                self._socket = await self._session.ws_connect(
                    request.url,
                    params=dict(request.params),
                    headers=dict(request.headers),
                    ssl=tls if tls is not None else True,
                    compress=15 if self._limits.compression else 0,
                    max_msg_size=_SLACK * self._limits.max_message,
                    decode_text=False,
                    autoping=False,
                    autoclose=False,
                )
        except aiohttp.WSServerHandshakeError as error:
            asked = error.headers.get("Retry-After") if error.headers else None
            wait = retry_after(asked, self._clock.now(), _LONGEST_PAUSE)
            raise error_for(error.status, "", wait) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise VendorUnavailable(
                500, _cause(error), "check name resolution, firewall and proxy if it lasts"
            ) from None

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
        session = getattr(self, "_session", None)
        if session is not None:
            await session.close()


def _no_redirects() -> aiohttp.TraceConfig:
    """The bearer token must not follow a redirect to wherever it points."""

    async def refuse(_session: object, _context: object, _params: object) -> None:
        raise VendorUnavailable(302, "the vendor redirects", "check the endpoint's URL")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace


def _cause(error: Exception) -> str:
    """What happened, without the URL and headers that the library's own texts hold."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the vendor's certificate was not accepted ({error.certificate_error.args[-1]})"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return "no TLS connection could be made"
    if isinstance(error, TimeoutError):
        return "the vendor did not answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"the vendor could not be reached ({error.os_error.strerror})"
    return f"the handshake failed ({type(error).__name__})"
