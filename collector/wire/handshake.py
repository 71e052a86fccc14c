"""Opening a WebSocket: what goes out, and what each kind of refusal means."""

from __future__ import annotations

import asyncio
import ssl

import aiohttp

from collector.core.model import Clock, Request
from collector.core.policy import retry_after
from collector.errors import VendorUnavailable
from collector.net.proxies import proxy_for
from collector.wire.statuses import error_for
from collector.wire.tls import refused

_LONGEST_PAUSE = 3600.0
"""The most seconds that a ``Retry-After`` is believed."""


def client_session() -> aiohttp.ClientSession:
    """What a socket lives in; it lets nobody redirect us."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None),  # a stream may last for weeks
        trace_configs=[_no_redirects()],
        trust_env=False,  # besides proxies, that means a netrc file, which breaks the call
    )


class Connection:
    """What a socket goes over, however the socket itself was closed."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        held = socket._response.connection  # noqa: SLF001 - no public way leads there
        assert held is not None  # noqa: S101 - the handshake has just come over it
        self._held = held
        self._transport = held.transport

    def cut(self) -> None:
        """End it now: the orderly end of TLS waits for the vendor, maybe in vain."""
        if self._transport is not None:
            self._transport.abort()
        self._held.close()


async def let_go(session: aiohttp.ClientSession, connection: Connection | None = None) -> None:
    """Close a session and what is open in it."""
    if connection is not None:
        connection.cut()
    await session.close()
    await asyncio.sleep(0)  # what was cut is closed in the loop's next turn


async def shake_hands(
    session: aiohttp.ClientSession,
    request: Request,
    clock: Clock,
    tls: ssl.SSLContext | None,
    *,
    timeout: float,  # noqa: ASYNC109 - held by asyncio.timeout
    max_message: int,
    compression: bool,
) -> aiohttp.ClientWebSocketResponse[bool]:
    """An open socket, whose messages are bytes and whose pings the caller answers.

    ``timeout`` in real seconds, ``max_message`` in bytes.  Raises by
    ``wire.statuses`` when the vendor refuses, and ``VendorUnavailable`` (500) when
    there was no answer.
    """
    try:
        async with asyncio.timeout(timeout):
            return await session.ws_connect(
                request.url,
                params=dict(request.params),
                headers=dict(request.headers),
                proxy=proxy_for(request.url),
                ssl=tls if tls is not None else True,
                compress=15 if compression else 0,
                max_msg_size=max_message,
                timeout=aiohttp.ClientWSTimeout(ws_close=0.0),  # we do our own waiting
                decode_text=False,
                autoping=False,
                autoclose=False,
            )
    except aiohttp.WSServerHandshakeError as error:
        asked = error.headers.get("Retry-After") if error.headers else None
        wait = retry_after(asked, clock.now(), _LONGEST_PAUSE)
        raise error_for(error.status, "", wait) from None
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise VendorUnavailable(500, *_explained(error)) from None


def _no_redirects() -> aiohttp.TraceConfig:
    """The bearer token must not follow a redirect to wherever it points."""

    async def refuse(_session: object, _context: object, _params: object) -> None:
        raise VendorUnavailable(302, "the vendor redirects", "check the endpoint's URL")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace


def _explained(error: Exception) -> tuple[str, str]:
    """Cause and remedy, without the URL and headers that the library's own texts hold."""
    if isinstance(error, aiohttp.ClientConnectorSSLError | aiohttp.ClientConnectorCertificateError):
        inner = error.__cause__
        return refused(inner if isinstance(inner, ssl.SSLError) else None)
    return _cause(error), "check name resolution, firewall and proxy if it lasts"


def _cause(error: Exception) -> str:
    if isinstance(error, (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError)):
        return "the proxy did not let the call through"
    if isinstance(error, TimeoutError):
        return "the vendor did not answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"the vendor could not be reached ({error.os_error.strerror})"
    return f"the handshake failed ({type(error).__name__})"
