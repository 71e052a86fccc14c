"""The load generator: the vendor's PoD endpoint, as fast as the kernel takes it.

    python -m bench.generator FOLDER [RING]

A WebSocket server over TLS (the certificate lies in FOLDER) that writes frames
built before, so that it costs a small part of what any client does.  The cluster
id says what it gives: ``hour-490944-records-200000`` has so many records in that
hour (since 1970, UTC) of the archive, and none in any other.  An archive session
(``sinceTime``) ends with close 1000; a live one gives the records and stays open.
Ids are distinct within a session.  ``GET /sessions`` tells of the sessions so far.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from bench.certificate import HOST, Certificate
from bench.frames import CLOSE_1000, Ring, accepted
from bench.records import pod_messages

RING = 20_000
"""Different records; after so many, the same ones come with other ids."""

_CLUSTER = re.compile(r"hour-(\d+)-records-(\d+)")
_GOODBYE_SECONDS = 5.0


def cluster_id(hour: int, records: int) -> str:
    """The cluster that has so many records in that hour (since 1970)."""
    return f"hour-{hour}-records-{records}"


class Asked(NamedTuple):
    """A request: its target, and its headers by lower-case name."""

    target: str
    headers: dict[str, str]

    @classmethod
    def received(cls, connection: ssl.SSLSocket) -> Asked:
        """Read a request; raises ``ConnectionError`` when the client leaves first."""
        head = b""
        while b"\r\n\r\n" not in head:
            heard = connection.recv(65_536)
            if not heard:
                raise ConnectionResetError
            head += heard
        first, *lines = head.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(first.split(" ")[1], {name.lower(): text.strip() for name, _, text in pairs})


class Load(NamedTuple):
    """What a session is to be given: so many records of an hour (since 1970)."""

    hour: int
    records: int
    live: bool

    @classmethod
    def of(cls, target: str) -> Load:
        """Read a request's query; raises ``ValueError`` for a cluster that is none of ours."""
        query = parse_qs(urlsplit(target).query)
        found = _CLUSTER.fullmatch(query["cid"][0])
        if found is None:
            raise ValueError(f"no cluster of the generator: {query['cid'][0]}")
        hour, records = int(found[1]), int(found[2])
        if "sinceTime" not in query:
            return cls(hour, records, live=True)
        since = datetime.fromisoformat(query["sinceTime"][0].replace(" ", "+"))
        return cls(hour, records if since.timestamp() == hour * 3600 else 0, live=False)


class Generator:
    """Serves sessions, each in a thread; ``began`` and ``ended`` are monotonic seconds."""

    def __init__(self, certificate: Certificate, ring: Ring) -> None:
        self._context = certificate.server()
        self._ring = ring
        self._sessions: list[dict[str, float]] = []

    def serve(self, listener: socket.socket) -> None:
        """Accept for ever."""
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._client, args=(connection,), daemon=True).start()

    def _client(self, connection: socket.socket) -> None:
        try:
            with self._context.wrap_socket(connection, server_side=True) as channel:
                channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                asked = Asked.received(channel)
                if "upgrade" in asked.headers:
                    self._session(channel, asked)
                else:
                    channel.sendall(_answer(self._sessions))
        except OSError:
            pass  # the client's affair: a run that lacks records fails by their number

    def _session(self, channel: ssl.SSLSocket, asked: Asked) -> None:
        load = Load.of(asked.target)
        channel.sendall(_upgrade(asked.headers["sec-websocket-key"]))
        hour = datetime.fromtimestamp(load.hour * 3600, UTC).strftime("%Y-%m-%dT%H")
        began = time.monotonic()
        for piece in self._ring.pieces(load.records, hour):
            channel.sendall(piece)
        session = {"records": load.records, "began": began, "ended": time.monotonic()}
        self._sessions.append(session)
        if not load.live:
            channel.sendall(CLOSE_1000)
            channel.settimeout(_GOODBYE_SECONDS)
        while channel.recv(4096):  # pings, and the client's own close
            pass


def _answer(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


def _upgrade(key: str) -> bytes:
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accepted(key)}\r\n\r\n"
    ).encode()


def main(folder: Path, ring: int) -> None:
    """Serve until killed; the port is told on standard output."""
    generator = Generator(Certificate.kept(folder), Ring(pod_messages(ring)))
    with socket.create_server((HOST, 0), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        generator.serve(listener)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else RING)
