"""Which proxy the environment asks for."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_SAME_WAY = {"wss": "https", "ws": "http"}


def proxy_for(url: str) -> str | None:
    """The proxy for a URL: ``HTTPS_PROXY`` and ``HTTP_PROXY`` count for WebSockets too.

    ``NO_PROXY`` is heeded.  The answer may hold the proxy's user and password.
    """
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(_SAME_WAY.get(parts.scheme, parts.scheme)) or proxies.get("all")
