"""The vendor's CASB endpoints of tenants in which nothing happens.

    python -m bench.tenants FOLDER

It grants tokens and answers alerts and events with empty lists, over TLS, and
keeps when each call came.  ``GET /calls`` tells them: by API key and path, in
monotonic seconds.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from bench.certificate import HOST, Certificate

_ANSWERS: dict[str, object] = {
    "/v1/auth": {"auth_token": "invented", "expires_in": 86_400},
    "/v1/alerts": {"alerts": []},
    "/v2/events": {"content": []},
}


class Handler(BaseHTTPRequestHandler):
    """Answers calls on one connection, which is kept open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    calls: ClassVar[dict[str, list[float]]] = defaultdict(list)

    def do_GET(self) -> None:
        """Events, or the calls so far."""
        self._answer()

    def do_POST(self) -> None:
        """A token, or alerts."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self.calls[f"{self.headers.get('x-api-key')} {path}"].append(time.monotonic())
        body = json.dumps(self.calls if path == "/calls" else _ANSWERS[path]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Tenants(ThreadingHTTPServer):
    """The server; the handshake is made in the connection's thread."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, certificate: Certificate) -> None:
        super().__init__((HOST, 0), Handler)
        self._context = certificate.server()

    def finish_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve one connection."""
        assert isinstance(request, socket.socket)  # noqa: S101 - it is no UDP server
        with self._context.wrap_socket(request, server_side=True) as channel:
            super().finish_request(channel, client_address)

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that was killed is none of our affairs."""


def main(folder: Path) -> None:
    """Serve until killed; the port is told on standard output."""
    with Tenants(Certificate.kept(folder)) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
