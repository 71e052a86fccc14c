"""A small HTTP proxy on loopback: it opens tunnels (CONNECT), and asks for a password if told."""

from __future__ import annotations

import base64
import selectors
import socket
from contextlib import suppress

from tests.fakes.listener import Listener

_HEAD_BYTES = 65_536
_PATIENCE = 20.0
_REFUSED = "HTTP/1.1 {status}\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"


class ConnectProxy(Listener):
    """Tunnels whatever it is asked to, or answers ``status`` where that is set.

    ``user``: the user and password, with a colon between, that it demands.  ``places``:
    the hosts and ports it was asked for; ``heads``: the requests' heads.  A context manager.
    """

    def __init__(self, user: str | None = None, status: str | None = None) -> None:
        super().__init__()
        self.heads: list[bytes] = []
        self.places: list[str] = []
        self._user = user
        self._status = status
        self.url = f"http://127.0.0.1:{self.port}"

    def serve(self, plain: socket.socket) -> None:
        """Open a tunnel, or refuse it."""
        client = plain
        with client, suppress(OSError):
            client.settimeout(_PATIENCE)
            head = _head(client)
            place = head.split(b" ")[1].decode("ascii")
            self.heads.append(head)
            self.places.append(place)
            refusal = self._refusal(head)
            if refusal:
                client.sendall(_REFUSED.format(status=refusal).encode("ascii"))
                return
            host, _, port = place.rpartition(":")
            with socket.create_connection((host, int(port)), _PATIENCE) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._tunnel(client, server)

    def _refusal(self, head: bytes) -> str | None:
        """The status by which this request is refused, if it is."""
        if not head.startswith(b"CONNECT "):
            return "405 Method Not Allowed"
        if self._user is not None and _authorization(self._user) not in head:
            return "407 Proxy Authentication Required"
        return self._status

    def _tunnel(self, client: socket.socket, server: socket.socket) -> None:
        """Pass bytes both ways until either side leaves."""
        other = {client: server, server: client}
        with selectors.DefaultSelector() as selector:
            for each in other:
                selector.register(each, selectors.EVENT_READ)
            while not self.over.is_set():
                for key, _ in selector.select(0.02):
                    heard = key.fileobj.recv(_HEAD_BYTES)  # type: ignore[union-attr]
                    if not heard:
                        return
                    other[key.fileobj].sendall(heard)  # type: ignore[index]


def _head(client: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        heard = client.recv(_HEAD_BYTES)
        if not heard or len(received) > _HEAD_BYTES:
            raise ConnectionResetError
        received += heard
    return received


def _authorization(user: str) -> bytes:
    token = base64.b64encode(user.encode()).decode("ascii")
    return f"Proxy-Authorization: Basic {token}\r\n".encode("ascii")
