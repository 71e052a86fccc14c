"""The server's end of one WebSocket connection.

The HTTP server reads the upgrade request; then a channel takes the transport
over.  So it sees what a library hides and sessions depend on: whether the
client's end came as a close frame, as the end of TCP or as a reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Final

from aiohttp import web

from collector.core.model import Clock, Micros
from collector.simulator import frames

WRITE_BUFFER: Final = 256 * 1024
"""Bytes that may wait for a slow client; what is beyond waits unwritten."""

CLOSE_WAIT: Final = 2.0
"""Real seconds that the client has to answer a close frame."""


class Channel(asyncio.Protocol):
    """One connection after its handshake.

    ``heard`` is when the client last sent a frame; ``code`` is the code of its
    close frame, None before; ``released`` says that the client ended the
    connection so that the vendor notices (close frame or end of TCP, no reset).
    """

    def __init__(
        self,
        request: web.Request,
        clock: Clock,
        *,
        deflate: bool,
        backlog_limit: int | None = None,
    ) -> None:
        """Answer the handshake and take the transport over.

        ``backlog_limit``: unread bytes above which a slow client is dropped.
        """
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client left during the handshake")
        self.deflate = deflate
        self.heard: Micros = clock.now()
        self.code: int | None = None
        self.released = False
        self.mute = False
        self._clock = clock
        self._backlog_limit = backlog_limit
        self._reader = frames.FrameReader()
        self._left = asyncio.Event()
        self._lost = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport = transport
        self._http = transport.get_protocol()
        transport.write(_handshake(request, deflate=deflate))
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        transport.set_protocol(self)

    @property
    def open(self) -> bool:
        """Whether records can still be sent."""
        return self.code is None and not self.released and not self._transport.is_closing()

    async def send(self, data: bytes) -> None:
        """Write frames; returns when there is room for more.

        Raises ``ConnectionResetError`` when the connection has ended.
        """
        if not self.open:
            raise ConnectionResetError("the session has ended")
        self._transport.write(data)
        if self._backlog_limit is None:
            await self._writable.wait()
        elif self._transport.get_write_buffer_size() > self._backlog_limit:
            self.reset()
        await asyncio.sleep(0)

    async def rest(self, seconds: float) -> None:
        """Wait so many real seconds, or until the client leaves."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._left.wait(), seconds)

    async def close(self, code: int) -> None:
        """Send a close frame, wait a little for the client's, end the connection."""
        if self.open:
            self._transport.write(frames.close_frame(code))
            self.released = True
            try:
                await asyncio.wait_for(self._lost.wait(), CLOSE_WAIT)
            except TimeoutError:
                self._transport.abort()

    def end(self) -> None:
        """End TCP without a close frame, after what is written."""
        self.released = True
        self._transport.close()

    def reset(self) -> None:
        """End TCP with a reset."""
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer pings and the client's close."""
        self.heard = self._clock.now()
        try:
            received = self._reader.feed(data)
        except ValueError:
            self._transport.abort()
            return
        for opcode, payload in received:
            if opcode == frames.PING and not self.mute:
                self._transport.write(frames.frame(payload, frames.PONG))
            elif opcode == frames.CLOSE:
                self._take_close(payload)

    def _take_close(self, payload: bytes) -> None:
        self.code = frames.close_code(payload)
        if not self.released:
            self._transport.write(frames.frame(payload, frames.CLOSE))
        self.released = True
        self._transport.close()
        self._let_go()

    def eof_received(self) -> bool:
        """The client ended TCP; the transport closes itself."""
        self.released = True
        self._let_go()
        return False

    def pause_writing(self) -> None:
        """Hold back: the client is slow."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the waiting sender go, and the HTTP server forget the connection."""
        self._let_go()
        self._lost.set()
        self._http.connection_lost(exc)

    def _let_go(self) -> None:
        """Wake whoever waits for the client, so that the session is released at once."""
        self._left.set()
        self._writable.set()


def _handshake(request: web.Request, *, deflate: bool) -> bytes:
    accept = frames.accept_key(request.headers.get("Sec-WebSocket-Key", ""))
    extension = f"Sec-WebSocket-Extensions: {frames.DEFLATE}\r\n" if deflate else ""
    return (
        "HTTP/1.1 101 Switching Protocols\r\n"
        "Upgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n"
        f"{extension}\r\n"
    ).encode("latin-1")
