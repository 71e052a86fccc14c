"""Log receivers on loopback that misbehave when told to."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self

import zstandard

from tests.fakes.listener import Listener

_RESET = struct.pack("ii", 1, 0)
_FRAME = re.compile(rb"(\d+) ")


class StreamReceiver(Listener):
    """A TCP or TLS server that keeps what each connection brought.

    ``reset_after``: the next connection is reset once that many bytes are read.
    ``leave_after``: the same, but it is closed with a FIN.
    ``stalled``: nothing is read.  ``never_closes``: the end of input is ignored.
    The first two count for one connection only.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.connections: list[bytearray] = []
        self.reset_after: int | None = None
        self.leave_after: int | None = None
        self.stalled = threading.Event()
        self.never_closes = False
        self._context = context
        # Small, so that a stalled receiver soon holds the sender up.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)

    @property
    def received(self) -> bytes:
        """All bytes, in the order of the connections."""
        return b"".join(self.connections)

    def serve(self, plain: socket.socket) -> None:
        """Read what comes, until a fault or the other side ends it."""
        received = bytearray()
        connection = plain
        with suppress(OSError):
            plain.settimeout(5)
            if self._context is not None:
                connection = self._context.wrap_socket(plain, server_side=True)
            self.connections.append(received)
            connection.settimeout(0.02)
            self._read(connection, received)
        with suppress(OSError):
            connection.close()

    def _read(self, connection: socket.socket, received: bytearray) -> None:
        while not self.over.is_set():
            if self.stalled.is_set():
                self.over.wait(0.02)
                continue
            with suppress(TimeoutError):
                chunk = connection.recv(4_096)
                received += chunk
                if self._leaves(connection, len(received)):
                    return
                if not chunk:
                    if not self.never_closes:
                        return
                    self.over.wait()

    def _leaves(self, connection: socket.socket, count: int) -> bool:
        """Whether a told fault ends this connection now."""
        if self.reset_after is not None and count >= self.reset_after:
            self.reset_after = None
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            return True
        if self.leave_after is not None and count >= self.leave_after:
            self.leave_after = None
            return True
        return False


def newline_lines(stream: bytes) -> list[bytes]:
    """Messages framed by newlines; a torn last one is left out."""
    return stream.split(b"\n")[:-1]


def counted_messages(stream: bytes) -> list[bytes]:
    """Messages framed by octet counts; a torn last one is left out."""
    messages: list[bytes] = []
    at = 0
    while frame := _FRAME.match(stream, at):
        start, at = frame.end(), frame.end() + int(frame[1])
        if at > len(stream):
            break
        messages.append(stream[start:at])
    return messages


class Posted(NamedTuple):
    """One request: headers with lower-case names, the body decompressed, path and query."""

    headers: dict[str, str]
    body: bytes
    path: str = ""


class Answer(NamedTuple):
    """What the HTTP receiver says.

    ``cut``: the body breaks off before its declared end; ``lost``: nothing is said at all.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cut: bool = False
    lost: bool = False


class HttpReceiver:
    """An HTTP server that keeps the posts and answers as ``answer`` decides.

    ``stalled``: no answer is given while it is set.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.posts: list[Posted] = []
        self.accepted: list[Posted] = []
        self.answer: Callable[[Posted], Answer] = lambda _: Answer()
        self.stalled = threading.Event()
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.receiver = self
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}/in"

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all threads."""
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, posted: Posted) -> Answer:
        """Keep a post and decide about it."""
        self.posts.append(posted)
        answer = self.answer(posted)
        if 200 <= answer.status < 300:
            self.accepted.append(posted)
        return answer


class _Server(ThreadingHTTPServer):
    receiver: HttpReceiver
    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 0.5

    def do_POST(self) -> None:
        """Read a post, or an object that is put, and answer it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver = self.server.receiver
        while receiver.stalled.is_set() and not receiver.over.is_set():
            receiver.over.wait(0.02)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = receiver.take(Posted(headers, _decompressed(headers, body), self.path))
        if answer.lost:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + 10 * answer.cut))
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = answer.cut

    do_PUT = do_POST  # noqa: N815 - http.server's name

    def log_message(self, *args: object) -> None:
        """Stay quiet."""


def _decompressed(headers: dict[str, str], body: bytes) -> bytes:
    encoding = headers.get("content-encoding")
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompress(body)
    return body
