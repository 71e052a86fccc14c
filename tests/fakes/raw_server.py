"""A server on loopback that sends whatever bytes a test wants, and what its client sent."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from collector.simulator import frames
from tests.fakes.listener import Listener

_RESET = struct.pack("ii", 1, 0)
_PATIENCE = 20.0
"""Real seconds after which a peer gives up on a client that does nothing."""


class Peer:
    """The server's end of one connection, after the client's request was read."""

    def __init__(self, connection: socket.socket, head: bytes) -> None:
        self.head = head
        self.over = threading.Event()
        self._connection = connection
        self._reader = frames.FrameReader()
        self._frames: list[tuple[int, bytes]] = []

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are."""
        self._connection.sendall(b"".join(parts))

    def drip(self, data: bytes, pause: float) -> None:
        """Send byte after byte, so many real seconds apart, until the client leaves."""
        for byte in data:
            if self.over.wait(pause):
                return
            self.send(bytes([byte]))

    def limit_sending(self, seconds: float) -> None:
        """From now on a send that is held up so long raises ``TimeoutError``."""
        self._connection.settimeout(seconds)

    def reset(self) -> None:
        """End the connection with a reset."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._connection.close()

    def upgrade(self, *headers: str) -> None:
        """Answer a WebSocket handshake."""
        lines = (
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {frames.accept_key(self.header('sec-websocket-key'))}",
            *headers,
        )
        self.send("".join(f"{line}\r\n" for line in (*lines, "")).encode())

    def header(self, name: str) -> str:
        """A header of the request, or nothing."""
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name:
                return value.strip()
        return ""

    def next_head(self) -> None:
        """Read another request, such as comes through a tunnel, in place of the first."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._connection.recv(65_536)
        self.head = received.partition(b"\r\n\r\n")[0]

    def frame(self) -> tuple[int, bytes] | None:
        """The next WebSocket frame of the client; None when the client has left."""
        while not self._frames:
            data = self._connection.recv(65_536)
            if not data:
                return None
            self._frames += self._reader.feed(data)
        return self._frames.pop(0)

    def frames(self) -> list[tuple[int, bytes]]:
        """All further frames, until the client leaves."""
        found = []
        while (frame := self.frame()) is not None:
            found.append(frame)
        return found

    def wait(self) -> None:
        """Stay until the client leaves; what it still sends is not looked at."""
        while self._connection.recv(65_536):
            pass


Script = Callable[[Peer], None]


class RawServer(Listener):
    """Reads a request from each connection, then lets ``script`` do as it likes.

    ``heads`` are the requests' heads, ``bodies`` their bodies.  A context manager;
    the connection ends when the script returns.
    """

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self._script = script
        self._context = context
        self._peers: list[Peer] = []

    @property
    def url(self) -> str:
        """The server's base URL."""
        return f"http{'s' if self._context else ''}://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """The same for WebSockets."""
        return f"ws{'s' if self._context else ''}://127.0.0.1:{self.port}/v1/stream"

    def __exit__(self, *_: object) -> None:
        """Let go of the scripts that wait, and stop."""
        for peer in self._peers:
            peer.over.set()
        super().__exit__()

    def serve(self, plain: socket.socket) -> None:
        """Read a request, and run the script."""
        connection = plain
        with suppress(OSError):
            plain.settimeout(_PATIENCE)
            if self._context is not None:
                connection = self._context.wrap_socket(plain, server_side=True)
            head = self._request(connection)
            if head:
                peer = Peer(connection, head)
                self._peers.append(peer)
                self._script(peer)
        with suppress(OSError):
            connection.close()

    def _request(self, connection: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            data = connection.recv(65_536)
            if not data:
                return b""
            received += data
        head, _, body = received.partition(b"\r\n\r\n")
        peer = Peer(connection, head)
        if peer.header("expect"):
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        size = int(peer.header("content-length") or 0)
        while len(body) < size:
            data = connection.recv(65_536)
            if not data:
                return b""
            body += data
        self.heads.append(head)
        self.bodies.append(body)
        return head


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """An HTTP answer; ``length`` lies about the body's."""
    size = len(body) if length is None else length
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers, "", "")
    return "\r\n".join(lines).encode() + body
