"""The steps from a name to a TLS session, one at a time."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import SplitResult, urlsplit

from collector.core import times
from collector.core.model import Frozen
from collector.core.times import SECOND
from collector.net import guard, proxies
from collector.net.tls import WRONG_DATES, WRONG_NAMES, is_certificate_alert, reason
from collector.probe.findings import Step
from collector.probe.steps import Failed, Passed, Steps
from collector.probe.verdicts import Trouble

Found: TypeAlias = Sequence[tuple[int, int, int, str, Any]]
"""Addresses, as ``socket.getaddrinfo`` gives them."""

_MOST_ADDRESSES = 8
_SECURE = {"https": 443, "wss": 443}
_PLAIN = {"http": 80, "ws": 80}


class Place(Frozen, frozen=True):
    """Where a connection leads, and how.

    ``context`` makes the TLS context, from files as they are then; None: plain.
    ``proxy`` is a URL that may hold a password.  ``tunnelled``: whether the proxy is
    asked for a tunnel; it is not for ``http://``.  ``guarded``: the name may not lead to
    an address that is not public (``net.guard``).
    """

    host: str
    port: int
    context: Callable[[], ssl.SSLContext] | None
    proxy: str | None = None
    tunnelled: bool = True
    guarded: bool = False

    @property
    def shown(self) -> str:
        """Host and port, for people."""
        return _joined(self.host, self.port)


class _Hop(NamedTuple):
    """Whom we connect to: the place itself, or the proxy before it."""

    host: str
    port: int


def place_of(
    url: str,
    context: Callable[[], ssl.SSLContext],
    chosen: proxies.Proxy | None,
    *,
    guarded: bool = False,
) -> Place:
    """The place that a URL names; ``chosen`` None: the environment says which proxy."""
    parts = urlsplit(url)
    secure = parts.scheme in _SECURE
    return Place(
        host=parts.hostname or "",
        port=parts.port or {**_SECURE, **_PLAIN}[parts.scheme],
        context=context if secure else None,
        proxy=proxies.proxy_for(url, chosen),
        tunnelled=parts.scheme != "http",
        guarded=guarded,
    )


def reach(steps: Steps, place: Place) -> None:
    """Take the steps up to a TLS session, and end it; raises ``Ended`` at the first failure."""
    proxy = None if place.proxy is None else urlsplit(place.proxy)
    if proxy is not None and proxy.scheme != "http":
        why = f"the way is a proxy of the kind {proxy.scheme}; the next steps go through it"
        steps.skip(Step.PROXY, place.shown, why)
        return
    hop = _Hop(place.host, place.port) if proxy is None else _hop(proxy)
    way = [(Step.NAME, hop.host), (Step.ADDRESS, _joined(*hop))]
    way += [(Step.PROXY, place.shown), (Step.TLS, place.shown)]
    with steps.plan(*way):
        _follow(steps, place, proxy, hop)


def _follow(steps: Steps, place: Place, proxy: SplitResult | None, hop: _Hop) -> None:
    found = steps.take(Step.NAME, hop.host, partial(_resolved, hop))
    guarded = place.guarded and proxy is None
    connected = partial(_connected, hop, found, guarded=guarded)
    with closing(steps.take(Step.ADDRESS, _joined(*hop), connected)) as direct:
        if proxy is None:
            steps.skip(Step.PROXY, place.shown, "no proxy: the connection is direct")
            _secured(steps, place, direct)
    if proxy is not None:
        _through(steps, place, proxy)


def _through(steps: Steps, place: Place, proxy: SplitResult) -> None:
    """The rest of the way, which a proxy opens."""
    if not place.tunnelled:
        steps.skip(Step.PROXY, place.shown, "http:// needs no tunnel; the next steps go through it")
        _secured(steps, place, None)
        return
    opened = partial(_tunnel, proxy, place)
    with closing(steps.take(Step.PROXY, place.shown, opened)) as tunnel:
        _secured(steps, place, tunnel)


def _secured(steps: Steps, place: Place, connection: socket.socket | None) -> None:
    if place.context is None or connection is None:
        steps.skip(Step.TLS, place.shown, "no TLS: the address is a plain one")
        return
    steps.take(Step.TLS, place.shown, partial(_handshake, connection, place.host, place.context))


def _resolved(hop: _Hop, _seconds: float) -> Passed[Found]:
    try:
        found = socket.getaddrinfo(*hop, type=socket.SOCK_STREAM)[:_MOST_ADDRESSES]
    except (socket.gaierror, UnicodeError) as error:
        said = str(error.strerror) if isinstance(error, OSError) else "it is no host name"
        raise Failed(Trouble.NO_NAME, said) from None
    addresses = ", ".join(str(place[0]) for *_, place in found)
    return Passed(found, "it is an address already" if addresses == hop.host else addresses)


def _connected(hop: _Hop, found: Found, seconds: float, *, guarded: bool) -> Passed[socket.socket]:
    """A connection to the first address that takes one; they share the time."""
    failures: list[Failed] = []
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(seconds / len(found))
        try:
            connection.connect(address)
            if guarded:
                guard.check(hop.host, connection)
        except guard.AddressRefused as error:
            raise Failed(Trouble.PRIVATE, f"{error.host} leads to {error.address}") from None
        except OSError as error:
            connection.close()
            failures.append(_failure(error, str(address[0])))
        else:
            return Passed(connection, f"connected to {address[0]}")
    seen = "; ".join(each.seen for each in failures)
    raise Failed(failures[0].trouble, seen)


def _tunnel(proxy: SplitResult, place: Place, seconds: float) -> Passed[socket.socket]:
    """A tunnel through the proxy."""
    hop = _hop(proxy)
    connection = HTTPConnection(*hop, timeout=seconds)
    host = f"[{place.host}]" if ":" in place.host else place.host
    login = proxies.login(proxy.netloc.rpartition("@")[0])
    connection.set_tunnel(host, place.port, headers=login)
    try:
        connection.connect()
    except HTTPException as error:
        connection.close()
        seen = f"{_joined(*hop)} does not answer as a proxy ({type(error).__name__})"
        raise Failed(Trouble.PROXY_REFUSED, seen) from None
    except OSError as error:
        raise _proxy_failure(error, _joined(*hop)) from None
    return Passed(connection.sock, f"a tunnel through {_joined(*hop)}")


def _handshake(
    connection: socket.socket, host: str, context: Callable[[], ssl.SSLContext], seconds: float
) -> Passed[None]:
    """Agree on keys, verify the other side, and hang up."""
    made = context()
    connection.settimeout(seconds)
    try:
        with made.wrap_socket(connection, server_hostname=host) as secured:
            return Passed(None, f"{secured.version()}, {_certificate(secured)}")
    except ssl.SSLError as error:
        raise _tls_failure(error) from None
    except OSError as error:
        raise _failure(error, "the handshake") from None


def _certificate(secured: ssl.SSLSocket) -> str:
    shown: dict[str, Any] = secured.getpeercert() or {}
    if "notAfter" not in shown:
        return "certificate not verified (tls.verify_certificate: false)"
    ends = round(ssl.cert_time_to_seconds(str(shown["notAfter"])))
    return f"certificate valid until {times.isoformat(ends * SECOND)}"


def _tls_failure(error: ssl.SSLError) -> Failed:
    said = reason(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        trouble = Trouble.TLS_AUTHORITY
        if error.verify_code in WRONG_NAMES:
            trouble = Trouble.TLS_NAME
        elif error.verify_code in WRONG_DATES:
            trouble = Trouble.TLS_DATES
        return Failed(trouble, said)
    if is_certificate_alert(said):
        return Failed(Trouble.TLS_CLIENT, said)
    return Failed(Trouble.TLS, said)


def _proxy_failure(error: OSError, proxy: str) -> Failed:
    status = proxies.refusal(error)
    if status is None:
        return _failure(error, proxy)
    trouble = Trouble.PROXY_LOGIN if status == 407 else Trouble.PROXY_REFUSED
    return Failed(trouble, f"{proxy} answered {status}")


def _failure(error: OSError, where: str) -> Failed:
    """What the network did."""
    seen = f"{where}: {reason(error)}"
    if isinstance(error, ConnectionRefusedError):
        return Failed(Trouble.REFUSED, seen)
    if isinstance(error, TimeoutError):
        return Failed(Trouble.TIMED_OUT, f"{where}: nothing in time")
    if isinstance(error, ConnectionError):
        return Failed(Trouble.CUT, seen)
    return Failed(Trouble.UNREACHABLE, seen)


def _hop(proxy: SplitResult) -> _Hop:
    return _Hop(proxy.hostname or "", proxy.port or _PLAIN["http"])


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
