"""WebSockets to one vendor: sessions that last, and answers that come as a session."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from collector.core.model import Clock, Request, Response
from collector.errors import SessionEnded, SessionSilent
from collector.net.proxies import Proxy
from collector.wire.inbox import End
from collector.wire.stream import Stream, StreamLimits


class WebSocketWire:
    """Opens streams to one vendor.

    ``tls`` None: the system's authorities are believed.  ``proxy`` None: the environment
    says which one.  ``greeting``: a text message that opens each session.
    ``allow_private``: the vendor's name may lead to an address that is not public
    (``net.guard``).
    """

    def __init__(
        self,
        limits: StreamLimits,
        clock: Clock,
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
        *,
        greeting: str | None = None,
        allow_private: bool = False,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._tls = tls
        self._proxy = proxy
        self._greeting = greeting
        self._allow_private = allow_private

    def open(self, request: Request) -> Stream:
        """The stream of a signed request.

        Raises by ``wire.statuses`` when the handshake is refused, and
        ``VendorUnavailable`` (500) when there was no answer to it.
        """
        return Stream(
            request,
            self._limits,
            self._clock,
            self._tls,
            self._proxy,
            greeting=self._greeting,
            allow_private=self._allow_private,
        )


def batches(stream: Stream) -> Iterator[Response]:
    """The batches of a finite stream, as the page loop wants them; closes it.

    The next one is received while the last is stored: what the network takes and what
    the disk takes overlap, by one batch.

    Raises ``SessionEnded``, or ``SessionSilent``, when it did not end in order: the answer is
    then not whole.
    """
    with stream:
        coming = stream.reading() if stream.lasts else None
        while coming is not None:
            messages = coming.result()
            coming = stream.reading() if stream.lasts else None
            yield Response(request=stream.request, status=101, messages=messages)
        if stream.end is End.SILENT:
            raise SessionSilent(303, f"the archive session {stream.ended}", "a retry follows")
        if not stream.clean:
            raise SessionEnded(303, f"the archive session {stream.ended}", "a retry follows")
