"""One WebSocket session; only this, handshake and inbox know of ``asyncio``.

A stream is read a batch at a time: while nobody reads, nothing is taken from the
socket, so back-pressure reaches the vendor by itself.

What a vendor's server asks of a client (docs/vendor-notes.md, PoD 1 to 4 and 8):
messages are taken as bytes, never checked for UTF-8 here; pings go out every
60 to 120 s, and only silence of everything, not a late pong, ends a session;
an own close is completed, taking all that was in flight before it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import ClassVar, Self, TypeVar

import msgspec
import picows

from collector.core.model import Clock, Request
from collector.net.proxies import Proxy
from collector.wire.handshake import ConnectOptions, open_websocket
from collector.wire.inbox import End, Inbox

T = TypeVar("T")

_SLICE = 0.1
_LONGEST_SLICE = 0.5
"""Seconds between looks at the stop flag, the ping and the idle limit: few while nothing comes.

With a thousand silent sessions, ten looks a second were most of what the process did.
"""

_SLACK = 2
"""A message over the limit is still received, up to so many times the limit.

It is then kept aside by the source; a session that ended over it would be
given the same message again, for ever.
"""


class StreamLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds.

    Time-outs of the network are real seconds, intervals the collector's clock's.
    ``idle`` 0: silence never ends a session.  ``message_idle``: seconds of reading without a
    whole message that end it, whatever else comes, for streams that have an end; 0: never.
    ``ping_text``: a text message that the
    vendor asks for in place of ping frames.  ``pong_timeout``: silence that ends a
    session so long after a ping; 0: a ping may stay unanswered.
    """

    connect_timeout: float = 30.0
    close_timeout: float = 1.5
    ping_interval: float = 90.0
    ping_text: str | None = None
    pong_timeout: float = 0.0
    idle: float = 600.0
    message_idle: float = 0.0
    max_message: int = 64 * 1024 * 1024
    max_records: int = 1000
    max_seconds: float = 5.0
    max_bytes: int = 16 * 1024 * 1024
    compression: bool = True


class Stream:
    """One WebSocket session, used by one thread at a time; ``end`` is None while it lasts.

    It has a thread of its own, to which picows binds it, and in which nothing goes on
    but what the caller waits for.
    """

    inbox: ClassVar[type[Inbox]] = Inbox

    def __init__(
        self,
        request: Request,
        limits: StreamLimits,
        clock: Clock,
        tls: ssl.SSLContext | None,
        proxy: Proxy | None = None,
        *,
        greeting: str | None = None,
        allow_private: bool = False,
    ) -> None:
        self.request = request
        self._limits = limits
        self._clock = clock
        self._pinged = self._looked = clock.monotonic()
        self._seen, self._waited = 0, 0.0
        largest = _SLACK * limits.max_message
        self._inbox = self.inbox(
            clock,
            max_message=largest,
            max_records=limits.max_records,
            max_bytes=limits.max_bytes,
        )
        options = ConnectOptions(
            tls=tls,
            proxy=proxy,
            timeout=limits.connect_timeout,
            max_frame=largest,
            compression=limits.compression,
            allow_private=allow_private,
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="session")
        self._runner = asyncio.Runner()
        try:
            self._run(lambda: self._connect(options, greeting))
        except BaseException:
            self._close()
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
    def end(self) -> End | None:
        """How it ended, once all that came before has been read."""
        return None if self._inbox.messages else self._inbox.end

    @property
    def code(self) -> int | None:
        """The code of the close frame that ended it, the vendor's or ours."""
        return self._inbox.code

    @property
    def lasts(self) -> bool:
        """Whether it is still open, or something of it is not read yet."""
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
        return self.reading().result()

    def reading(self) -> Future[list[bytes]]:
        """What ``read`` answers, once it is there; meanwhile nothing else may be asked for."""
        return self._submit(self._collect)

    @property
    def silent_for(self) -> float:
        """Seconds since anything was heard: all that was sent before then has arrived."""
        return self._clock.monotonic() - self._inbox.heard

    def hears(self, seconds: float) -> bool:
        """Whether a message comes within so many real seconds; it is there to be read."""
        return self._run(lambda: self._inbox.hears(seconds))

    def finish(self) -> list[bytes]:
        """Close in order; the messages that were in flight come back.

        ``end`` is ``CLEAN`` when the vendor confirmed the close in time.
        """
        return [] if self.end else self._run(self._say_goodbye)

    def abandon(self) -> None:
        """Let go of the socket at once."""
        try:
            self._run(self._release)
        finally:
            self._close()

    def _run(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        return self._submit(work).result()

    def _submit(self, work: Callable[[], Coroutine[object, object, T]]) -> Future[T]:
        return self._thread.submit(lambda: self._runner.run(work()))

    def _close(self) -> None:
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    async def _connect(self, options: ConnectOptions, greeting: str | None) -> None:
        self._transport = await open_websocket(self.request, self._clock, self._inbox, options)
        self._inbox.after_chunk()  # what came along with the handshake
        if greeting is not None:
            self._say(greeting)

    async def _collect(self) -> list[bytes]:
        inbox = self._inbox
        self._looked = self._clock.monotonic()  # while nobody read, no message could come
        self._ping_when_due(self._looked)
        deadline = time.monotonic() + self._clock.real(self._limits.max_seconds)
        seconds = _SLICE
        while not (inbox.is_ready or self._clock.stopping()):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            await inbox.wait(min(seconds, left))
            self._tend()
            seconds = min(2 * seconds, _LONGEST_SLICE)
        return inbox.take()

    def _tend(self) -> None:
        """Give up when all has been silent for too long."""
        now, heard = self._clock.monotonic(), self._inbox.heard
        unanswered = self._limits.pong_timeout and heard < self._pinged
        if (
            (self._limits.idle and now - heard > self._limits.idle)
            or (unanswered and now - self._pinged > self._limits.pong_timeout)
            or self._lacks_messages(now)
        ):
            self._inbox.finish(End.SILENT)
        else:
            self._ping_when_due(now)

    def _lacks_messages(self, now: float) -> bool:
        """Whether no whole message has come in all that was read for too long."""
        count = self._inbox.count
        self._waited = 0.0 if count != self._seen else self._waited + now - self._looked
        self._seen, self._looked = count, now
        return 0 < self._limits.message_idle < self._waited

    def _ping_when_due(self, now: float) -> None:
        """The vendor ends sessions that send it nothing, a flood of records or not."""
        if now - self._pinged <= self._limits.ping_interval:
            return
        self._pinged = now
        if self._limits.ping_text is None:
            self._transport.send_ping()
        else:
            self._say(self._limits.ping_text)

    def _say(self, text: str) -> None:
        self._transport.send(picows.WSMsgType.TEXT, text.encode())

    async def _say_goodbye(self) -> list[bytes]:
        self._inbox.say_goodbye()
        await self._inbox.wait(self._limits.close_timeout)
        self._inbox.finish(End.ABRUPT)
        return self._inbox.take_all()

    async def _release(self) -> None:
        """Cut the connection: the orderly end of TLS waits for the vendor, maybe in vain."""
        self._transport.disconnect(graceful=False)
        with suppress(picows.WSError):  # what was wrong with the last frame is known by now
            await self._transport.wait_disconnected()
