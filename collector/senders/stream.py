"""A TCP or TLS connection whose deliveries can be confirmed.

TCP acknowledges to the kernel, not to us: thousands of sends succeed after the
receiver is gone.  So what was sent counts only after a confirmation:

half_close   We end our side and wait for the peer's end.  A receiver that closes
             with unread bytes, or is closed when bytes arrive, answers with a
             reset; an end without one, and an empty send queue, prove that the
             receiver read everything.  Costs one connection a confirmation.
quiet        The send queue is empty, and there was neither an end nor an error
             for some seconds.  Weaker: bytes may lie unread at the receiver.

What the receiver did with bytes that it read cannot be known by either.
"""

from __future__ import annotations

import logging
import math
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, Required, TypeAlias, TypedDict

from collector.core import fault
from collector.core.model import Clock
from collector.senders.channel import Channel, TlsChannel
from collector.senders.failures import network_failure

Confirmation: TypeAlias = Literal["half_close", "quiet"]

# So much must move within one time-out.
_PIECE_BYTES = 131_072
# While the program stops, nothing may hold it up longer.
_STOPPING_SECONDS = 1.0


class StreamOptions(TypedDict, total=False):
    """What every sender on a stream passes through; see ``ConfirmedStream``."""

    clock: Required[Clock]
    log: Required[logging.Logger]
    timeout: float
    confirmation: Confirmation
    quiet_seconds: float


class ConfirmedStream:
    """Sends bytes to ``host:port``; connects when there is something to send.

    ``context`` makes the TLS context of each connection (None: plain TCP);
    ``timeout`` bounds each network step, ``quiet_seconds`` (over 0) is the silence
    that confirms; both are real seconds.  After an ``Undelivered`` the connection is
    gone, with all that was not confirmed.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        context: Callable[[], ssl.SSLContext] | None,
        clock: Clock,
        log: logging.Logger,
        timeout: float = 30.0,
        confirmation: Confirmation = "half_close",
        quiet_seconds: float = 2.0,
    ) -> None:
        self._host = host
        self._port = port
        self._context = context
        self._timeout = timeout
        self._confirmation = confirmation
        self._quiet_seconds = quiet_seconds
        self._clock = clock
        self._log = log
        self._channel: Channel | None = None
        self._unconfirmed = False

    @property
    def peer(self) -> str:
        """The destination, for messages."""
        return f"{self._host}:{self._port}"

    def send(self, data: bytes | memoryview) -> None:
        """Hand the bytes to the kernel; raises ``Undelivered``."""
        with self._failures():
            channel = self._ready()
            self._unconfirmed = True
            view = memoryview(data)
            for start in range(0, len(view), _PIECE_BYTES):
                channel.send(view[start : start + _PIECE_BYTES], self._limit())
                fault.point("send.write.partial")

    def confirm(self) -> None:
        """Return once the peer has all that was sent; raises ``Undelivered``."""
        if self._channel is None or not self._unconfirmed:
            return
        with self._failures():
            if self._confirmation == "quiet":
                self._confirm_by_quiet(self._channel)
            else:
                self._confirm_by_close(self._channel)
        self._unconfirmed = False

    def drop(self) -> None:
        """Close the connection and forget what was not confirmed; never raises."""
        if self._channel is not None:
            self._channel.close()
        self._channel = None
        self._unconfirmed = False

    def _limit(self) -> float:
        """The time-out of the next network step, in real seconds."""
        return min(self._timeout, _STOPPING_SECONDS) if self._clock.stopping() else self._timeout

    def _ready(self) -> Channel:
        """A live connection; an idle one that the peer closed is replaced."""
        if self._channel is not None and self._peer_left(self._channel):
            if self._unconfirmed:
                raise ConnectionResetError
            self.drop()
        if self._channel is None:
            self._channel = self._connect()
        return self._channel

    def _peer_left(self, channel: Channel) -> bool:
        """Whether the peer ended the connection; raises when that costs us records."""
        try:
            return channel.ended(0)
        except OSError:
            if self._unconfirmed:
                raise
            return True

    def _connect(self) -> Channel:
        """Open the connection, with the TLS handshake."""
        fault.point("send.connect")
        context = self._context() if self._context is not None else None
        connection = socket.create_connection((self._host, self._port), self._limit())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if context is None:
            return Channel(connection)
        channel = TlsChannel(connection, context, self._host)
        try:
            channel.handshake(self._limit())
        except OSError:
            channel.close()
            raise
        return channel

    def _confirm_by_close(self, channel: Channel) -> None:
        """Half-close, and wait for the peer's end."""
        limit = self._limit()
        channel.end_writing(limit)
        closed = channel.ended(limit)
        if not channel.acknowledged(limit if closed else 0):
            raise TimeoutError
        if not closed:
            self._accept_silence()
        self.drop()

    def _accept_silence(self) -> None:
        """The peer took all and does not close: never ask that of it again.

        Without this, a receiver that keeps half-closed connections open would
        be sent the same records for ever.
        """
        if self._clock.stopping():
            raise TimeoutError
        self._confirmation = "quiet"
        self._log.warning(
            "%s does not close a half-closed connection: from now on, records count as delivered "
            "when its kernel has acknowledged them -> set confirmation: quiet to choose this "
            "yourself",
            self.peer,
        )

    def _confirm_by_quiet(self, channel: Channel) -> None:
        """Wait until nothing is on its way and nothing bad was heard."""
        quiet = min(self._quiet_seconds, self._limit())
        for _ in range(math.ceil(self._limit() / quiet)):
            if channel.ended(quiet):
                raise ConnectionResetError
            if channel.acknowledged(0):
                return
        raise TimeoutError

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn what the network raises into ``Undelivered``, and drop the connection."""
        try:
            yield
        except OSError as error:
            failure = network_failure(self._alert() or error, self.peer)
            self.drop()
            raise failure from error

    def _alert(self) -> ssl.SSLError | None:
        """The TLS alert that explains a failed write, when one has come."""
        if self._channel is None:
            return None
        try:
            self._channel.ended(0)
        except ssl.SSLError as alert:
            return alert
        except OSError:
            return None
        return None
