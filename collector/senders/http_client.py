"""The HTTP client of the senders: one session, verified TLS, answers that end in time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http.cookiejar import CookiePolicy, DefaultCookiePolicy
from pathlib import Path
from typing import NamedTuple, Required, TypedDict
from urllib.parse import urlsplit

import requests
import urllib3

from collector.core.model import Clock
from collector.core.policy import retry_after
from collector.errors import Undelivered
from collector.net import proxies
from collector.net.causes import causes
from collector.net.http import BoundedAdapter, deadline
from collector.net.proxies import DIRECT, Proxy
from collector.net.tls import STRICT, Checks
from collector.senders.error_numbers import NETWORK_FAILED
from collector.senders.failures import network_failure
from collector.senders.tls import client_context

SHORT_ANSWER_BYTES = 16_384
"""The start of an answer is enough to name a reason; more would only cost memory."""

# The most seconds that a Retry-After is believed: a day.
_LONGEST_PAUSE = 86_400.0


class ClientOptions(TypedDict, total=False):
    """What every sender over HTTP passes through; see ``HttpClient``."""

    clock: Required[Clock]
    timeout: float
    ca: Path | None
    cert: Path | None
    key: Path | None
    key_password: str | None
    checks: Checks
    proxy: Proxy | None


class Reply(NamedTuple):
    """An answer: its status, the start of its body, and the seconds that it asks to wait.

    ``whole``: the body is all there; else it is longer, or broke off.
    """

    status: int
    body: bytes
    whole: bool
    retry_after: float | None


class HttpClient:
    """Posts with credentials to servers that are verified; no redirect is followed.

    ``timeout``, in real seconds, is for one post with its answer; for the files and
    ``checks`` see ``net.tls``; ``proxy`` None: the environment says which one.
    ``cookies``: keep what the server sets, by which a load balancer finds the same server
    again.  The certificate files are read anew after each ``close``.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        timeout: float = 30.0,
        ca: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        key_password: str | None = None,
        checks: Checks = STRICT,
        proxy: Proxy | None = DIRECT,
        cookies: bool = False,
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._context = partial(
            client_context, ca=ca, cert=cert, key=key, password=key_password, checks=checks
        )
        self._proxy = proxy
        self._cookies = DefaultCookiePolicy(allowed_domains=None if cookies else [])
        self._session: requests.Session | None = None

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        place: str,
        max_answer: int = SHORT_ANSWER_BYTES,
    ) -> Reply:
        """One POST and its answer, of which ``max_answer`` bytes are read.

        ``place`` names the server in failures.  Raises ``Undelivered`` without an answer.
        """
        session = self._connected(url)
        try:
            with (
                deadline(self._timeout),
                session.post(
                    url,
                    data=body,
                    headers=dict(headers),
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                return self._reply(response, max_answer)
        except requests.RequestException as error:
            raise _failure(error, place) from None

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def _reply(self, response: requests.Response, max_answer: int) -> Reply:
        """The status counts even when the rest of the answer does not come."""
        asked = response.headers.get("Retry-After")
        wait = retry_after(asked, self._clock.now(), _LONGEST_PAUSE)
        try:
            body = bytes(response.raw.read(max_answer + 1, decode_content=False))
        except urllib3.exceptions.HTTPError:
            return Reply(response.status_code, b"", whole=False, retry_after=wait)
        whole = len(body) <= max_answer
        return Reply(response.status_code, body[:max_answer], whole=whole, retry_after=wait)

    def _connected(self, url: str) -> requests.Session:
        """The session, with the certificate files as they are now if they were not read yet."""
        if self._session is None:
            self._session = _session(self._cookies)
        secure = url.lower().startswith("https:")
        scheme = "https://" if secure else "http://"
        if scheme not in self._session.adapters:
            context = self._context() if secure else None
            self._session.mount(scheme, BoundedAdapter(context, self._proxy))
        return self._session


def shown(url: str) -> str:
    """The URL without user, password and query, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _session(cookies: CookiePolicy) -> requests.Session:
    """A session that takes nothing from the environment, and speaks no scheme yet."""
    session = requests.Session()
    session.adapters.clear()
    # Else a .netrc or a proxy variable of the machine would override what the output is set to.
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    session.cookies.set_policy(cookies)
    return session


def _failure(error: requests.RequestException, place: str) -> Undelivered:
    if isinstance(error, requests.exceptions.ProxyError):
        cause, remedy = proxies.refused(proxies.refusal(error))
        return Undelivered(NETWORK_FAILED, f"{place}: {cause}", remedy)
    return network_failure(_root(error), place)


def _root(error: BaseException) -> BaseException:
    """The socket's own error under what the HTTP libraries made of it."""
    for each in causes(error):
        if isinstance(each, OSError) and not isinstance(each, requests.RequestException):
            return each
    return ConnectionResetError() if isinstance(error, requests.ConnectionError) else error
