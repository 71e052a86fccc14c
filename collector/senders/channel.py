"""One connection, and what the kernel and the peer say about it.

TLS runs over memory buffers rather than an ``ssl.SSLSocket``: Python before
3.12.3 reports a reset below TLS as an orderly end (gh-115627), and on that
difference a confirmation rests.  Waits are real seconds, since they wait for a
network and not for a clock.
"""

from __future__ import annotations

import array
import fcntl
import os
import select
import socket
import ssl
import termios
from contextlib import suppress

_READ_BYTES = 65_536
# A log receiver has nothing to say.  What it says is dropped, but not for ever.
_MAX_READS = 64
_POLL_SECONDS = 0.005


class Channel:
    """A plain TCP connection.  All methods raise ``OSError``."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, data: memoryview, seconds: float) -> None:
        """Hand all the bytes to the kernel within that time."""
        self._connection.settimeout(seconds)
        self._connection.sendall(data)

    def end_writing(self, seconds: float) -> None:
        """Say that no more comes; reading goes on."""
        self._connection.settimeout(seconds)
        self._connection.shutdown(socket.SHUT_WR)

    def ended(self, seconds: float) -> bool:
        """Whether the peer closed its side before that many seconds of silence."""
        self._connection.settimeout(seconds)
        for _ in range(_MAX_READS):
            try:
                heard = self._connection.recv(_READ_BYTES)
            except (TimeoutError, BlockingIOError):
                return False
            if not heard:
                return True
            self._hear(heard)
        return False

    def acknowledged(self, seconds: float) -> bool:
        """Whether the peer's kernel has all that was sent, within that time."""
        for _ in range(max(1, round(seconds / _POLL_SECONDS))):
            self._raise_pending()
            if not self._unsent():
                return True
            select.select((), (), (), _POLL_SECONDS)
        return False

    def close(self) -> None:
        """Close the connection; never raises."""
        with suppress(OSError):
            self._connection.close()

    def _hear(self, heard: bytes) -> None:
        """Drop what the peer said."""

    def _raise_pending(self) -> None:
        """Raise the error, such as a reset, that the kernel holds for this connection."""
        number = self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))

    def _unsent(self) -> int:
        """Bytes (with the FIN) that the peer's kernel has not acknowledged: Linux SIOCOUTQ."""
        queue = array.array("i", [0])
        # SIOCOUTQ has the number of TIOCOUTQ (Linux, tcp(7)).
        fcntl.ioctl(self._connection.fileno(), termios.TIOCOUTQ, queue)
        return queue[0]


class TlsChannel(Channel):
    """A TLS session on a connection; the handshake is done by the constructor's caller."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, name: str) -> None:
        super().__init__(connection)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def handshake(self, seconds: float) -> None:
        """Agree on keys and verify the server; each step within that time."""
        self._connection.settimeout(seconds)
        for _ in range(_MAX_READS):
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._push()
                self._pull()
            except ssl.SSLError:
                with suppress(OSError):
                    self._push()
                raise
            else:
                self._push()
                return
        raise TimeoutError

    def send(self, data: memoryview, seconds: float) -> None:
        """Encrypt the bytes and hand them to the kernel within that time."""
        self._connection.settimeout(seconds)
        self._tls.write(data)
        self._push()

    def end_writing(self, seconds: float) -> None:
        """Send the TLS goodbye (``close_notify``) and then TCP's."""
        self._connection.settimeout(seconds)
        # The peer's goodbye is not awaited here: its end of the connection counts.
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._push()
        super().end_writing(seconds)

    def _push(self) -> None:
        """Hand what TLS wrote to the kernel."""
        if self._outgoing.pending:
            self._connection.sendall(self._outgoing.read())

    def _pull(self) -> None:
        """Give TLS what the peer sent."""
        heard = self._connection.recv(_READ_BYTES)
        if not heard:
            raise ConnectionResetError
        self._incoming.write(heard)

    def _hear(self, heard: bytes) -> None:
        """Drop what the peer said, but raise its alerts.

        With TLS 1.3 a server refuses a client certificate after our handshake
        is done, so that the refusal is seen only here.
        """
        self._incoming.write(heard)
        with suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while self._tls.read(_READ_BYTES):
                pass
