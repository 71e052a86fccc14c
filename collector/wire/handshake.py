"""Opening a WebSocket: what goes out, and what each kind of refusal means."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any, cast
from urllib.parse import quote, urlencode

import msgspec
import picows
from aiohappyeyeballs import start_connection
from python_socks import ProxyError

from collector.core.model import Clock, Request
from collector.core.policy import retry_after
from collector.errors import CollectorError, VendorUnavailable
from collector.net import guard, proxies
from collector.net.tls import reason
from collector.wire import inflate
from collector.wire.inbox import Inbox
from collector.wire.statuses import error_for
from collector.wire.tls import refused, vendor_context

_LONGEST_PAUSE = 3600.0
"""The most seconds that a ``Retry-After`` is believed."""

_NEXT_ADDRESS = 0.25
"""Seconds after which a name's next address is tried, too (RFC 8305, 8)."""

_TURNS = 100
"""Turns of the loop within which a connection that was cut is closed."""

_LIBRARY = logging.getLogger("picows.client")
_LIBRARY.setLevel(logging.CRITICAL + 1)  # at its lowest level it prints the handshake's headers

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OUTAGE = "check name resolution, firewall and proxy if it lasts"


class ConnectOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a vendor is reached.

    ``tls`` None: the system's authorities are believed.  ``proxy`` None: the environment
    says which one.  ``timeout``: real seconds for everything up to the open session.
    ``max_frame``: bytes.  ``allow_private``: the name may lead to an address that is not
    public.
    """

    tls: ssl.SSLContext | None
    proxy: proxies.Proxy | None
    timeout: float
    max_frame: int
    compression: bool
    allow_private: bool


async def open_websocket(
    request: Request, clock: Clock, inbox: Inbox, options: ConnectOptions
) -> picows.WSTransport:
    """An open session, whose frames go to ``inbox``.

    Raises by ``wire.statuses`` when the vendor refuses, and ``VendorUnavailable``
    (500) when there was no answer, or from an address that the vendor cannot have.
    """
    # The libraries' own errors hold URLs and headers; ours never do.
    try:
        return await _in_time(request, inbox, options)
    except picows.WSHandshakeError as error:
        raise _refusal(error.raw_header or b"", clock) from None
    except guard.AddressRefused as error:
        raise VendorUnavailable(500, *guard.explained(error)) from None
    except ssl.SSLError as error:
        raise VendorUnavailable(500, *refused(error)) from None
    except ProxyError as error:
        raise VendorUnavailable(500, *proxies.refused(_status(error))) from None
    except (picows.WSError, OSError, UnicodeError) as error:
        raise VendorUnavailable(500, _cause(error), _OUTAGE) from None


def url_of(request: Request) -> str:
    """The URL with its query, percent-encoded."""
    if not request.params:
        return request.url
    query = urlencode(dict(request.params), safe=":", quote_via=quote)
    return f"{request.url}{'&' if '?' in request.url else '?'}{query}"


async def _in_time(request: Request, inbox: Inbox, options: ConnectOptions) -> picows.WSTransport:
    opened: list[socket.socket] = []
    try:
        async with asyncio.timeout(options.timeout):
            return await _connect(request, inbox, options, opened)
    except BaseException:
        for each in opened:
            await _cut(each)
        raise


async def _connect(
    request: Request, inbox: Inbox, options: ConnectOptions, opened: list[socket.socket]
) -> picows.WSTransport:
    proxy = proxies.proxy_for(request.url, options.proxy)
    guarded = proxy is None and not options.allow_private

    async def dial(place: picows.WSParsedURL) -> socket.socket:
        try:
            connected = await _dial(place.host, place.port)
        except OSError as error:
            raise ProxyError("not reached") if proxy else error from None
        opened.append(connected)
        if guarded:
            guard.check(place.host, connected)
        return connected

    url = url_of(request)
    transport, listener = await picows.ws_connect(
        _accepting(inbox, offered=options.compression),
        url,
        ssl_context=vendor_context()
        if options.tls is None and url.startswith("wss:")
        else options.tls,
        websocket_handshake_timeout=None,  # ``timeout`` holds for all of it
        logger_name=_LIBRARY,
        enable_auto_pong=False,
        max_frame_size=options.max_frame,
        extra_headers=_headers(request, compression=options.compression),
        max_redirects=0,  # the bearer token must not go to wherever one points
        proxy=proxy,
        socket_factory=dial,
        use_aiofastnet=False,  # its TLS reads CPython's structures by their layout in memory
    )
    if listener is not inbox:  # None when the connection was lost, without an error
        raise VendorUnavailable(500, "the vendor broke off during the handshake", _OUTAGE)
    return transport


async def _dial(host: str, port: int) -> socket.socket:
    """A connection to the first address that answers.  Nothing else waits for this loop."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return await start_connection(found, happy_eyeballs_delay=_NEXT_ADDRESS)


def _headers(request: Request, *, compression: bool) -> dict[str, str]:
    headers = {"User-Agent": "proofpoint-collector", **request.headers}
    if compression:
        headers["Sec-WebSocket-Extensions"] = inflate.OFFER
    return headers


def _accepting(
    inbox: Inbox, *, offered: bool
) -> Callable[[picows.WSUpgradeRequest, picows.WSUpgradeResponse], picows.WSListener]:
    """What decides about the vendor's answer, before its first frame is looked at."""

    def accept(
        _request: picows.WSUpgradeRequest, response: picows.WSUpgradeResponse
    ) -> picows.WSListener:
        extensions = response.headers.getall("Sec-WebSocket-Extensions", [])
        agreed = inflate.agreed(extensions, offered=offered)
        if agreed is None or "Sec-WebSocket-Protocol" in response.headers:
            raise VendorUnavailable(500, "the vendor agrees to what was not offered", _OUTAGE)
        if agreed:
            inbox.inflate()
        return inbox

    return accept


async def _cut(connected: socket.socket) -> None:
    """End a connection of which picows gave us nothing but the socket that it was made on."""
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    for _ in range(_TURNS):
        if connected.fileno() < 0:
            return
        await asyncio.sleep(0)
    connected.close()


def _refusal(head: bytes, clock: Clock) -> CollectorError:
    """What an answer's head says that is no agreement to a session."""
    answer = HTTPResponse(cast("Any", _Received(head)))
    try:
        answer.begin()
    except HTTPException:
        return VendorUnavailable(500, "the vendor's answer is no HTTP", _OUTAGE)
    if answer.status == 101:
        return VendorUnavailable(500, "the vendor agrees to another handshake than ours", _OUTAGE)
    if answer.status in _REDIRECTS:
        return VendorUnavailable(answer.status, "the vendor redirects", "check the endpoint's URL")
    wait = retry_after(answer.getheader("Retry-After"), clock.now(), _LONGEST_PAUSE)
    return error_for(answer.status, "", wait)


class _Received:
    """The head of an answer, as ``http.client`` reads it from a socket."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._head + b"\r\n\r\n")


def _status(error: ProxyError) -> int | None:
    """The status by which a proxy refused a tunnel; only picows's words hold it."""
    told = re.search(r"\bstatus (\d{3})\b", str(error))
    return int(told[1]) if told else None


def _cause(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "the vendor did not answer in time"
    if isinstance(error, OSError):
        return f"the vendor could not be reached ({reason(error)})"
    return f"the handshake failed ({type(error).__name__})"
