"""HTTP over requests, with our own TLS context and with answers that end in time.

The libraries limit only the wait for the next byte: an answer that trickles, or says
"100 Continue" for ever, would never end.  Here no read from the socket lasts longer
than what is left of the call's time, head and body alike.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

import urllib3
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPConnection, HTTPSConnection

from collector.net import guard
from collector.net.proxies import Proxy

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_ends_at: ContextVar[float] = ContextVar("_ends_at")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Within the block, answers to calls over a ``BoundedAdapter`` end in so many real seconds."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


class BoundedAdapter(HTTPAdapter):
    """Lets a session's connections verify by ``context`` alone, and read with a deadline.

    Without a context there is no TLS.  What a session, a call or the environment says
    about certificates does not count, nor about proxies: ``proxy`` None asks the environment.
    ``guarded``: a name may not lead to an address that is not public (``net.guard``).
    """

    def __init__(
        self, context: ssl.SSLContext | None, proxy: Proxy | None = None, *, guarded: bool = False
    ) -> None:
        self._connections = _GUARDED if guarded else _FREE
        self._tls = pool_tls(context)
        self._proxies = None if proxy is None else _proxies(proxy)
        super().__init__()

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """One call, over a proxy where there is one."""
        found = self._proxies
        if found is None:
            found = get_environ_proxies(request.url or "")
        return super().send(request, *args, **{**kwargs, "proxies": found})

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        """Where to connect, and the context in place of any other TLS setting."""
        place, _ = super().build_connection_pool_key_attributes(*args, **kwargs)
        return place, self._tls

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The pool for a request, direct or over a proxy."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = self._connections[pool.scheme]
        return pool

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Leave the pool as it is: the context says how to verify."""


def _proxies(proxy: Proxy) -> dict[str, str]:
    address = proxy.address()
    return {} if address is None else {"http": address, "https": address}


def pool_tls(context: ssl.SSLContext | None) -> dict[str, Any]:
    """What makes a pool of urllib3 verify as the context says, be it no name.

    The operator chose that, and hears of it at each start: urllib3 need not warn, too.
    """
    if context is None or context.check_hostname:
        return {"ssl_context": context}
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return {"ssl_context": context, "assert_hostname": False}


class _Reader(io.RawIOBase):
    """Reads from a socket; raises ``TimeoutError`` after the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._longest = sock.gettimeout()
        self._ends_at = _ends_at.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left if self._longest is None else min(left, self._longest))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock))


class _Plain(HTTPConnection):
    response_class = _Answer


class _Secure(HTTPSConnection):
    response_class = _Answer


class _Guarded(HTTPConnection):
    """Looks where it is connected to before anything is sent; a proxy may be anywhere."""

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        if self.proxy is None:
            guard.check(self.host, connected)
        return connected


class _GuardedPlain(_Guarded, _Plain):
    pass


class _GuardedSecure(_Guarded, _Secure):
    pass


_FREE = {"http": _Plain, "https": _Secure}
_GUARDED = {"http": _GuardedPlain, "https": _GuardedSecure}
