"""What comes over a WebSocket, frame by frame, until it is taken as messages.

picows hands over frames and checks the form of each one; what they mean together is
decided here: fragments, compression, pings, the end.
"""

from __future__ import annotations

import asyncio
import zlib
from contextlib import suppress
from enum import Enum
from itertools import accumulate
from typing import cast

import picows
from picows import WSCloseCode, WSFrame, WSMsgType, WSTransport

from collector.core.model import Clock
from collector.wire.inflate import Inflater, TooLarge

_DATA = frozenset({WSMsgType.TEXT, WSMsgType.BINARY})
_NORMAL = frozenset({1000, 1001})
_ANSWERS_WAITING = 64 * 1024
"""Bytes not yet sent, beyond which a ping is not answered (RFC 6455, 5.5.3)."""
_LOOK = 0.05
"""Real seconds between two looks at whether a first message has come."""


class End(Enum):
    """How a session ended."""

    CLEAN = "closed in order"
    ABRUPT = "ended without a close frame"
    FAILED = "closed with an error code"
    SILENT = "was silent for longer than the limit"


class Inbox(picows.WSListener):
    """The messages of one session that nobody has taken yet.

    The socket is read only until they make a batch: ``max_records`` of them, or
    ``max_bytes``.  ``max_message`` bounds one message; ``count`` is how many came.
    ``heard`` is the clock's monotonic time when the last bytes came; ``end`` and
    ``code`` say how the session ended, None while it lasts.
    """

    def __init__(self, clock: Clock, *, max_message: int, max_records: int, max_bytes: int) -> None:
        self.end: End | None = None
        self.code: int | None = None
        self.heard = clock.monotonic()
        self.messages: list[bytes] = []
        self._clock = clock
        self._max_message = max_message
        self._max_records = max_records
        self._max_bytes = max_bytes
        self.count = self._counted = self._size = 0
        self._inflater: Inflater | None = None
        self._usual = True
        self._whole: bytearray | None = None
        self._compressed = False
        self._closing = False
        self._ready = asyncio.Event()

    def inflate(self) -> None:
        """Compression was agreed on."""
        self._inflater = Inflater(self._max_message)

    # What picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Put ourselves between socket and picows, to see its chunks of data go by."""
        self._transport = transport
        self._socket = transport.underlying_transport
        inner = cast("asyncio.BufferedProtocol", self._socket.get_protocol())
        self._socket.set_protocol(_Tap(inner, self))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Keep a whole message as it came; look closer at anything else."""
        if (
            self._usual
            and frame.msg_type in _DATA
            and frame.fin
            and not (frame.rsv1 or frame.rsv2 or frame.rsv3)
        ):
            self.messages.append(frame.get_payload_as_bytes())
        elif self.end is None:
            self._look_closer(transport, frame)

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        """Whatever had not ended before has ended now."""
        self.finish(End.ABRUPT)

    def after_chunk(self) -> None:
        """Some bytes came, and the frames among them were handed over."""
        self.heard = self._clock.monotonic()
        self._count()
        if self._transport.is_close_frame_sent and not self._closing:
            sent = self._transport.close_handshake.sent  # picows met bytes that are no frame
            self.finish(End.ABRUPT, sent.code.value if sent else None)
        if self._full and not self._closing:
            self._socket.pause_reading()
            self._ready.set()

    # What the session asks for

    async def wait(self, seconds: float) -> None:
        """Read until there is a batch, the session has ended, or so many real seconds are over."""
        if self.end is None and (self._closing or not self._full):
            self._ready.clear()
            self._socket.resume_reading()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ready.wait()

    async def hears(self, seconds: float) -> bool:
        """Read until there is a message; whether one came within so many real seconds.

        The end of the session and of the program end the wait.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not (self.messages or self.end or self._clock.stopping()):
                    await self.wait(_LOOK)
        return bool(self.messages)

    @property
    def is_ready(self) -> bool:
        """Whether there is a batch, or nothing more to come."""
        return self.end is not None or self._full

    def take(self) -> list[bytes]:
        """The oldest messages, at most a batch."""
        self._count()
        batch = self.messages[: self._max_records]
        size = sum(map(len, batch))
        if size > self._max_bytes:
            sums = enumerate(accumulate(map(len, batch)), 1)
            count, size = next(each for each in sums if each[1] >= self._max_bytes)
            batch = batch[:count]
        del self.messages[: len(batch)]
        self._counted -= len(batch)
        self._size -= size
        if self._inflater is not None:
            self._inflater.renew()
        return batch

    def take_all(self) -> list[bytes]:
        """All messages, after the end."""
        rest = self.messages[:]
        self.messages.clear()
        return rest

    def say_goodbye(self) -> None:
        """Send our close frame; from now on everything is taken, full or not."""
        self._closing = True
        self._transport.send_close(WSCloseCode.OK)

    def finish(self, end: End, code: int | None = None) -> None:
        """Note the end of the session; the first one counts."""
        if self.end is None:
            self.end, self.code = end, code
            self._usual = False
            self._ready.set()

    def _count(self) -> None:
        self.count += len(self.messages) - self._counted
        self._size += sum(map(len, self.messages[self._counted :]))
        self._counted = len(self.messages)

    # Frames that are no whole message

    @property
    def _full(self) -> bool:
        return len(self.messages) >= self._max_records or self._size >= self._max_bytes

    def _look_closer(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        deflated = frame.rsv1 and kind in _DATA and self._inflater is not None
        if frame.rsv2 or frame.rsv3 or (frame.rsv1 and not deflated):
            self._refuse(WSCloseCode.PROTOCOL_ERROR)
        elif kind is WSMsgType.CLOSE:
            self._closed(frame.get_payload_as_bytes())
        elif kind is WSMsgType.PING:
            if self._socket.get_write_buffer_size() < _ANSWERS_WAITING:
                transport.send_pong(frame.get_payload_as_bytes())
        elif kind is not WSMsgType.PONG:
            self._piece(frame)

    def _piece(self, frame: WSFrame) -> None:
        """A part of a message, or a compressed one."""
        first = frame.msg_type is not WSMsgType.CONTINUATION
        if first == (self._whole is not None):
            self._refuse(WSCloseCode.PROTOCOL_ERROR)
            return
        if first:
            self._compressed = bool(frame.rsv1)
        try:
            self._add(self._plain(frame), last=bool(frame.fin))
        except TooLarge:
            self._refuse(WSCloseCode.MESSAGE_TOO_BIG)
        except zlib.error:
            self._refuse(WSCloseCode.PROTOCOL_ERROR)

    def _plain(self, frame: WSFrame) -> bytes:
        data = frame.get_payload_as_bytes()
        if not self._compressed or self._inflater is None:
            return data
        return self._inflater.piece(data, last=bool(frame.fin))

    def _add(self, data: bytes, *, last: bool) -> None:
        """Add to the message in the making; raises ``TooLarge``."""
        if self._whole is None and last:
            self.messages.append(data)
            return
        whole = bytearray() if self._whole is None else self._whole
        whole += data
        if len(whole) > self._max_message:
            raise TooLarge
        if last:
            self.messages.append(bytes(whole))
        self._whole, self._usual = (None, True) if last else (whole, False)

    def _refuse(self, code: WSCloseCode) -> None:
        """No client can follow this (RFC 6455, 7.1.7)."""
        self._transport.send_close(code)
        self.finish(End.ABRUPT, code.value)

    def _closed(self, payload: bytes) -> None:
        """The vendor's close frame is answered, so that it can free the session at once."""
        code = int.from_bytes(payload[:2], "big") if payload else 1000
        if not _may_be_sent(code):
            self._refuse(WSCloseCode.PROTOCOL_ERROR)
            return
        self._transport.send_close(WSCloseCode.OK)
        self.finish(End.CLEAN if code in _NORMAL else End.FAILED, code)


class _Tap(asyncio.BufferedProtocol):
    """Lets data through to picows, and tells the inbox after each chunk."""

    def __init__(self, inner: asyncio.BufferedProtocol, inbox: Inbox) -> None:
        self._inner = inner
        self._inbox = inbox

    def get_buffer(self, sizehint: int) -> bytearray:
        return cast("bytearray", self._inner.get_buffer(sizehint))

    def buffer_updated(self, nbytes: int) -> None:
        self._inner.buffer_updated(nbytes)
        self._inbox.after_chunk()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


def _may_be_sent(code: int) -> bool:
    """Whether a close frame may hold this code (RFC 6455, 7.4, and IANA's registry)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
