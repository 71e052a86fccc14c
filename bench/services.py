"""The services that some outputs deliver to: each answers as its interface does, and counts.

    python -m bench.services FOLDER

Over HTTPS, told apart by their paths: Splunk's event collector, Elasticsearch's bulk
interface, Sumo Logic's HTTP source, Azure's tokens and log ingestion, S3's PutObject.
Records are counted by their ids, in bodies with gzip too.  ``GET /`` tells how many came;
``GET /kafka`` how many a Kafka broker was given that runs beside them, and where it is.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
import zlib
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase, BytesIO
from pathlib import Path

from bench.brokers import Broker
from bench.certificate import HOST, Certificate

_GUID = re.compile(rb'"guid": ?"[^"]{32}"')
_GZIP = b"\x1f\x8b"
_TOKEN = {"access_token": "invented", "token_type": "Bearer", "expires_in": 3600}
_HEC = {"text": "Success", "code": 0}


class Totals:
    """How many records came, and when the last one did, in monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records = 0
        self._last = 0.0

    def add(self, records: int) -> None:
        """Count records that have come."""
        with self._lock:
            self._records += records
            self._last = time.monotonic()

    def told(self) -> dict[str, object]:
        """The totals by their names."""
        with self._lock:
            return {"records": self._records, "last": self._last}


class Services(ThreadingHTTPServer):
    """All of them on one port."""

    daemon_threads = True

    def __init__(self, certificate: Certificate) -> None:
        super().__init__((HOST, 0), _Exchange)
        self.totals = Totals()
        self.broker = Broker()
        self.socket = certificate.server().wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )


class _Exchange(BaseHTTPRequestHandler):
    """One connection's requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer would wait for an acknowledgement
    server: Services

    def do_GET(self) -> None:
        """Tell the totals."""
        told = self.server.totals.told()
        if self.path == "/kafka":
            broker = self.server.broker
            told = {"records": broker.messages(), "place": broker.place}
        self._answer(HTTPStatus.OK, json.dumps(told).encode())

    def do_POST(self) -> None:
        """Take what is sent to a service, or give a token."""
        body = self._body()
        if self.path.endswith("/token"):
            self._answer(HTTPStatus.OK, json.dumps(_TOKEN).encode())
            return
        records = len(_GUID.findall(body))
        self.server.totals.add(records)
        if self.path.startswith("/_bulk"):
            items = [{"create": {"status": 201}}] * records
            self._answer(HTTPStatus.OK, json.dumps({"errors": False, "items": items}).encode())
        elif self.path.startswith("/services/collector"):
            self._answer(HTTPStatus.OK, json.dumps(_HEC).encode())
        elif self.path.startswith("/dataCollectionRules"):
            self._answer(HTTPStatus.NO_CONTENT, b"")
        else:
            self._answer(HTTPStatus.OK, b"")

    def do_PUT(self) -> None:
        """Take an object."""
        self.server.totals.add(len(_GUID.findall(self._body())))
        self._answer(HTTPStatus.OK, b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what fails shows by the number of the records."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            sent = _unchunked(self.rfile)
        else:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
        if "x-amz-decoded-content-length" in self.headers:
            sent = _unchunked(BytesIO(sent))
        return zlib.decompress(sent, zlib.MAX_WBITS | 16) if sent.startswith(_GZIP) else sent

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        if status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _unchunked(stream: BufferedIOBase) -> bytes:
    """A body in HTTP's chunks; in S3's own, within them, a checksum follows as a trailer."""
    parts = []
    while size := int(stream.readline().partition(b";")[0], 16):
        parts.append(stream.read(size))
        stream.readline()
    while stream.readline().strip():  # the trailer
        pass
    return b"".join(parts)


def main(folder: Path) -> None:
    """Serve until killed; the port is told on standard output."""
    with Services(Certificate.kept(folder)) as services:
        print(services.server_port, flush=True)
        services.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
