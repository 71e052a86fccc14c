"""The sink: takes what senders send over TLS, and counts it.

    python -m bench.sink FOLDER [--unique]

How a connection begins says what it speaks: a digit, syslog by octet counting; ``<``,
syslog or Devo by lines; ``POST``, HTTP; ``GET``, a question for the totals so
far, which are never reset.  Records over HTTP are counted by their ids.  With
``--unique`` the ids are also kept, and the number of different ones told.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import threading
import time
from pathlib import Path

from bench.certificate import HOST, Certificate

_BUFFER = 1 << 20
_GUID = re.compile(rb'"guid": ?"([^"]{32})"')
_GUID_BYTES = len(b'"guid": ""') + 32
_LENGTH_BYTES = 12


class Totals:
    """What all connections brought; ``last`` is when a record last came, monotonic seconds."""

    def __init__(self, *, unique: bool) -> None:
        self._lock = threading.Lock()
        self._records = self._bytes = 0
        self._last = 0.0
        self.ids: set[bytes] | None = set() if unique else None

    def add(self, records: int, size: int) -> None:
        """Count records that have come whole."""
        with self._lock:
            self._records += records
            self._bytes += size
            if records:
                self._last = time.monotonic()

    def told(self) -> bytes:
        """The totals as a JSON object."""
        with self._lock:
            found = {"records": self._records, "bytes": self._bytes, "last": self._last}
            return json.dumps(found | {"unique": len(self.ids or ())}).encode()


class Octets:
    """Counts syslog messages by octet counting (RFC 6587, 3.4.1)."""

    def __init__(self) -> None:
        self._missing = 0
        self._head = b""

    def count(self, data: memoryview) -> int:
        """How many messages end in these bytes; raises ``ValueError`` for bytes out of step."""
        found, at, size = 0, 0, len(data)
        while at < size:
            if self._missing == 0:
                at = self._length(data, at)
                continue
            taken = min(self._missing, size - at)
            self._missing -= taken
            at += taken
            found += self._missing == 0
        return found

    def _length(self, data: memoryview, at: int) -> int:
        """Read a length, which may come in pieces; the place after it."""
        head = self._head + bytes(data[at : at + _LENGTH_BYTES])
        digits, space, _ = head.partition(b" ")
        if not space:
            if len(head) >= _LENGTH_BYTES:
                raise ValueError(f"no length of a syslog message: {head!r}")
            self._head = head
            return len(data)
        self._missing = int(digits)
        at += len(digits) + 1 - len(self._head)
        self._head = b""
        return at


class Lines:
    """Counts lines."""

    def count(self, data: memoryview) -> int:
        """How many lines end in these bytes."""
        return bytes(data).count(b"\n")


class Ids:
    """Keeps the ids in what comes; one may lie across two pieces."""

    def __init__(self, kept: set[bytes]) -> None:
        self._kept = kept
        self._tail = b""

    def take(self, data: memoryview) -> None:
        """Keep the ids of these bytes."""
        text = self._tail + bytes(data)
        self._kept.update(_GUID.findall(text))
        self._tail = text[-_GUID_BYTES:]


class Client:
    """One connection."""

    def __init__(self, channel: ssl.SSLSocket, totals: Totals) -> None:
        self._channel = channel
        self._totals = totals
        self._ids = None if totals.ids is None else Ids(totals.ids)
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)

    def serve(self) -> None:
        """Take all that comes, to its end."""
        data = self._heard()
        first = bytes(data[:1])
        if first in {b"P", b"G"}:
            self._http(bytes(data))
            return
        counter = Octets() if first.isdigit() else Lines()
        while data:
            self._totals.add(counter.count(data), len(data))
            if self._ids is not None:
                self._ids.take(data)
            data = self._heard()

    def _heard(self) -> memoryview:
        return self._view[: self._channel.recv_into(self._buffer)]

    def _http(self, text: bytes) -> None:
        while text:
            while b"\r\n\r\n" not in text:
                text += self._must_hear()
            head, _, body = text.partition(b"\r\n\r\n")
            if head.startswith(b"GET"):
                self._channel.sendall(_answer(self._totals.told()))
                return
            self._posted(self._whole(body, _content_length(head)))
            text = bytes(self._heard())

    def _whole(self, begun: bytes, size: int) -> bytes:
        parts = [begun]
        missing = size - len(begun)
        while missing > 0:
            parts.append(self._must_hear())
            missing -= len(parts[-1])
        return b"".join(parts)

    def _must_hear(self) -> bytes:
        data = bytes(self._heard())
        if not data:
            raise ConnectionResetError
        return data

    def _posted(self, body: bytes) -> None:
        self._totals.add(len(_GUID.findall(body)), len(body))
        if self._ids is not None:
            self._ids.take(memoryview(body))
        self._channel.sendall(_answer(b""))


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _content_length(head: bytes) -> int:
    found = re.search(rb"(?i)content-length: *(\d+)", head)
    if found is None:
        raise ConnectionAbortedError("a body without a length")
    return int(found[1])


class Sink:
    """Takes connections, each in a thread."""

    def __init__(self, certificate: Certificate, *, unique: bool) -> None:
        self._context = certificate.server()
        self._totals = Totals(unique=unique)

    def serve(self, listener: socket.socket) -> None:
        """Accept for ever."""
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._client, args=(connection,), daemon=True).start()

    def _client(self, connection: socket.socket) -> None:
        try:
            with self._context.wrap_socket(connection, server_side=True) as channel:
                Client(channel, self._totals).serve()
                channel.unwrap()  # the sender's goodbye is answered: all has been read
        except OSError:
            pass  # a sender that was killed; a run that lacks records fails by their number


def main(folder: Path, *, unique: bool) -> None:
    """Serve until killed; the port is told on standard output."""
    with socket.create_server((HOST, 0), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        Sink(Certificate.kept(folder), unique=unique).serve(listener)


if __name__ == "__main__":
    main(Path(sys.argv[1]), unique="--unique" in sys.argv[2:])
