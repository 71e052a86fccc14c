"""Which proxy a connection goes through: the one that was set, or the environment's."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from collector.net.causes import causes

_SAME_WAY = {"wss": "https", "ws": "http"}
# http.client's words for a CONNECT that was refused; nothing else holds the status.
_NO_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")
_LOG_IN = 407


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """An HTTP proxy, ``http://host:port``, with the user and password for it; None: go direct."""

    url: str | None
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def address(self) -> str | None:
        """The URL with user and password in it, so a secret."""
        if self.url is None or self.username is None:
            return self.url
        parts = urlsplit(self.url)
        user = f"{quote(self.username, safe='')}:{quote(self.password or '', safe='')}"
        return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))


DIRECT = Proxy(url=None)


def proxy_for(url: str, chosen: Proxy | None = None) -> str | None:
    """The proxy for a URL, or None; the answer may hold the proxy's user and password.

    Without ``chosen`` the environment decides: ``HTTPS_PROXY`` and ``HTTP_PROXY`` count
    for WebSockets too, and ``NO_PROXY`` is heeded.
    """
    if chosen is not None:
        return chosen.address()
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(_SAME_WAY.get(parts.scheme, parts.scheme)) or proxies.get("all")


def login(userinfo: str | None) -> dict[str, str]:
    """The header that shows a proxy its user and password; none without them.

    ``userinfo`` is what stands before the ``@`` of a URL (RFC 3986, 3.2.1), still encoded.
    """
    if not userinfo:
        return {}
    name, _, password = userinfo.partition(":")
    shown = f"{unquote(name)}:{unquote(password)}"
    return {"Proxy-Authorization": f"Basic {b64encode(shown.encode()).decode('ascii')}"}


def refused(status: int | None) -> tuple[str, str]:
    """Cause and remedy of a proxy that lets nothing through; ``status`` None: it did not say."""
    if status == _LOG_IN:
        return (
            "the proxy refused our user and password (407)",
            "set proxy.username and proxy.password to what the proxy knows",
        )
    said = f" ({status})" if status else ""
    return (
        f"the proxy did not let the call through{said}",
        "check proxy.url, and that the proxy allows this host and port; proxy: none goes direct",
    )


def refusal(error: BaseException) -> int | None:
    """The status by which a proxy refused a tunnel, as an HTTP library's error holds it."""
    for each in causes(error):
        told = _NO_TUNNEL.search(str(each)) if isinstance(each, OSError) else None
        if told:
            return int(told[1])
    return None
