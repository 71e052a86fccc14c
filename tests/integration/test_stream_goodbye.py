"""How a stream takes leave of a vendor that closes, as RFC 6455 section 5.5.1 asks."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as WebSocketRequest
from websockets.server import ServerProtocol
from websockets.sync.server import ServerConnection, serve

from collector.core.model import Request
from collector.wire.inbox import End
from collector.wire.stream import Stream, StreamLimits
from tests.fakes.batches import FIRST
from tests.fakes.clock import ManualClock


@contextmanager
def closing(code: int, answers: list[int | None]) -> Iterator[str]:
    """The URL of a server that sends one message, closes, and notes the answer to its close."""

    def handle(connection: ServerConnection) -> None:
        connection.send("{}")
        connection.close(code)
        try:
            connection.recv(timeout=2)
        except ConnectionClosed as closed:
            answers.append(None if closed.rcvd is None else closed.rcvd.code)

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("code", "end"), [(1000, End.CLEAN), (1001, End.CLEAN), (1011, End.FAILED)]
)
def test_a_close_is_answered(code: int, end: End) -> None:
    """The vendor's close gets our close frame, so that it can free the session at once."""
    answers: list[int | None] = []
    with closing(code, answers) as url:
        stream = Stream(Request(method="GET", url=url), StreamLimits(), ManualClock(FIRST), None)
        with stream:
            messages = [message for _ in range(2) if stream.lasts for message in stream.read()]
    assert (messages, stream.end, stream.code) == ([b"{}"], end, code)
    assert answers == [1000]


def test_a_reset_after_pings_loses_no_message() -> None:
    """Pings that can no longer be answered end the session; what came before them is read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=ping_and_reset, args=(listener,))
        server.start()
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        with Stream(
            Request(method="GET", url=url), StreamLimits(), ManualClock(FIRST), None
        ) as stream:
            server.join()
            messages = stream.read()
    assert (messages, stream.end) == ([b"{}"], End.ABRUPT)


def ping_and_reset(listener: socket.socket) -> None:
    """Accept one WebSocket, send a message and two pings, and reset the connection."""
    connection, _ = listener.accept()
    with connection:
        protocol = ServerProtocol()
        while not (events := protocol.events_received()):
            protocol.receive_data(connection.recv(65_536))
        (request,) = events
        assert isinstance(request, WebSocketRequest)
        protocol.send_response(protocol.accept(request))
        connection.sendall(b"".join(protocol.data_to_send()))
        protocol.send_text(b"{}")
        protocol.send_ping(b"1")
        protocol.send_ping(b"2")
        connection.sendall(b"".join(protocol.data_to_send()))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
