"""Every kind of sender with a destination that can fail once, behind one face."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import ssl
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import trustme

from collector.senders.base import Sender
from collector.senders.compression import Compression
from collector.senders.console import ConsoleSender
from collector.senders.devo import DevoSender
from collector.senders.file import FileSender
from collector.senders.http import HttpSender
from collector.senders.syslog import SyslogSender
from tests.fakes.batches import FIRST
from tests.fakes.clock import ManualClock
from tests.fakes.extra_destinations import EXTRA, extra
from tests.fakes.http_destinations import VENDORS, HttpDestination, vendor
from tests.fakes.receivers import (
    HttpReceiver,
    StreamReceiver,
    counted_messages,
    newline_lines,
)

LOG = logging.getLogger("tests.senders")
_RFC3164 = re.compile(rb"<14>.{15} [a-z]+ [a-z.]+: ")
_RFC5424 = re.compile(rb"<14>1 \S+Z [a-z]+ [a-z.]+ - [a-z.]+ - ")


class Destination(Protocol):
    """A sender's far end, as the behaviour suite sees it."""

    def sender(self) -> Sender:
        """A new sender to this destination."""
        ...

    def lines(self) -> list[bytes]:
        """The complete records that arrived, in order, without headers and frames."""
        ...

    def fail_once(self) -> None:
        """Break the next delivery, after some of it has arrived where that is possible."""
        ...

    def repair(self) -> None:
        """Be well again."""
        ...


class Authority:
    """A throw-away certificate authority, with the files a sender is set to."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.ca = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.ca))

    def server(self, *names: str, client_certificates: bool = False) -> ssl.SSLContext:
        """A server's context for these names (127.0.0.1 when none is given)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*(names or ("127.0.0.1",))).configure_cert(context)
        if client_certificates:
            self._ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self) -> tuple[Path, Path]:
        """The certificate and key files of a client."""
        issued = self._ca.issue_cert("collector.example.com")
        cert, key = self._folder / "client.crt", self._folder / "client.key"
        cert.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        key.touch(0o600)
        key.write_bytes(issued.private_key_pem.bytes())
        return cert, key


class FileDestination:
    """A folder; its file is put aside and a folder stands in its place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "out"
        self._file = self._folder / "casb.proofpoint.alert.ndjson"
        self._aside = folder / "aside"

    def sender(self) -> FileSender:
        """A sender to the folder."""
        return FileSender(path=self._folder, clock=ManualClock(FIRST), log=LOG)

    def lines(self) -> list[bytes]:
        """The lines of the file."""
        return newline_lines(self._file.read_bytes())

    def fail_once(self) -> None:
        """Put a folder where the file is."""
        self._file.rename(self._aside)
        self._file.mkdir()

    def repair(self) -> None:
        """Put the file back."""
        self._file.rmdir()
        self._aside.rename(self._file)


class _Redirected(io.BytesIO):
    """A stream that leads to a file on a disk."""

    full = False

    def write(self, data: object, /) -> int:
        """Write, or find that the disk is full."""
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)  # type: ignore[arg-type]


class ConsoleDestination:
    """A stream in memory."""

    def __init__(self) -> None:
        self._file = _Redirected()

    def sender(self) -> ConsoleSender:
        """A sender to the stream."""
        return ConsoleSender(stream=self._file)

    def lines(self) -> list[bytes]:
        """The lines shown."""
        return newline_lines(self._file.getvalue())

    def fail_once(self) -> None:
        """The disk is full."""
        self._file.full = True

    def repair(self) -> None:
        """Somebody makes room."""
        self._file.full = False


class StreamDestination:
    """A TCP or TLS server that resets one connection."""

    def __init__(
        self,
        receiver: StreamReceiver,
        make: Callable[[int], DevoSender | SyslogSender],
        read: Callable[[bytes], list[bytes]],
        header: re.Pattern[bytes],
    ) -> None:
        self.receiver = receiver
        self._make = make
        self._read = read
        self._header = header

    def sender(self) -> DevoSender | SyslogSender:
        """A sender to the server."""
        return self._make(self.receiver.port)

    def lines(self) -> list[bytes]:
        """The complete messages of all connections; each must have the header."""
        found = [m for part in list(self.receiver.connections) for m in self._read(bytes(part))]
        headers = [self._header.match(message) for message in found]
        assert all(headers), found
        return [m[h.end() :] for m, h in zip(found, headers, strict=True) if h is not None]

    def fail_once(self) -> None:
        """Reset the next connection in the middle of a record."""
        self.receiver.reset_after = 100

    def repair(self) -> None:
        """Reset no connection."""
        self.receiver.reset_after = None


def gzip_lines(stream: bytes) -> list[bytes]:
    """Lines in gzip members; a torn last member gives what can be read of it."""
    text = b""
    while stream:
        member = zlib.decompressobj(wbits=31)
        text += member.decompress(stream)
        stream = member.unused_data
    return newline_lines(text)


STREAMS = ("devo-ssl", "devo-tcp", "devo-gzip", "syslog-octet", "syslog-newline", "syslog-tls")
HTTP = ("http-ndjson", "http-zstd", *VENDORS)
KINDS = ("file", "console", *HTTP, *STREAMS, *EXTRA)


def destinations(kind: str, folder: Path, timeout: float = 5.0) -> Iterator[Destination]:
    """One destination of that kind, running while the iterator is."""
    with ExitStack() as stack:
        yield _destination(kind, folder, timeout, stack)


def _destination(kind: str, folder: Path, timeout: float, stack: ExitStack) -> Destination:
    """The destination of that kind; what it starts ends with the stack."""
    if kind == "file":
        return FileDestination(folder)
    if kind == "console":
        return ConsoleDestination()
    if kind in EXTRA:
        return extra(kind, stack)
    if kind in VENDORS:
        return vendor(kind, stack.enter_context(HttpReceiver()), timeout)
    if kind.startswith("http"):
        compression: Compression = "zstd" if kind == "http-zstd" else "none"

        def poster(url: str) -> HttpSender:
            clock = ManualClock(FIRST)
            return HttpSender(url=url, clock=clock, compression=compression, timeout=timeout)

        return HttpDestination(stack.enter_context(HttpReceiver()), poster)
    return _stream(kind, Authority(folder), timeout, stack)


def _stream(kind: str, authority: Authority, timeout: float, stack: ExitStack) -> StreamDestination:
    """A Devo or syslog destination."""
    tls = kind in {"devo-ssl", "devo-gzip", "syslog-tls"}
    receiver = stack.enter_context(StreamReceiver(authority.server() if tls else None))

    def devo(port: int) -> DevoSender:
        return DevoSender(
            address="127.0.0.1",
            port=port,
            type="SSL" if tls else "TCP",
            chain=authority.ca,
            gzip=kind == "devo-gzip",
            timeout=timeout,
            clock=ManualClock(FIRST),
            log=LOG,
        )

    def syslog(port: int) -> SyslogSender:
        return SyslogSender(
            address="127.0.0.1",
            port=port,
            protocol="tls" if tls else "tcp",
            ca=authority.ca,
            format="rfc3164" if kind == "syslog-newline" else "rfc5424",
            framing="newline" if kind == "syslog-newline" else "octet_counting",
            max_message_bytes=2_000_000,
            timeout=timeout,
            clock=ManualClock(FIRST),
            log=LOG,
        )

    if kind.startswith("devo"):
        read = gzip_lines if kind == "devo-gzip" else newline_lines
        return StreamDestination(receiver, devo, read, _RFC3164)
    if kind == "syslog-newline":
        return StreamDestination(receiver, syslog, newline_lines, _RFC3164)
    return StreamDestination(receiver, syslog, counted_messages, _RFC5424)
