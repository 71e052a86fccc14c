"""From the settings of TLS and proxies to what wires and senders are given."""

from __future__ import annotations

import ssl

from pydantic import SecretStr

from collector.config.proxies import ENVIRONMENT, NONE
from collector.config.proxies import Proxy as ProxySettings
from collector.config.tls import Tls
from collector.net.proxies import DIRECT, Proxy
from collector.net.tls import Checks
from collector.wire.tls import vendor_context


def vendor(tls: Tls) -> ssl.SSLContext:
    """The context for an input's connections; raises ``ConfigError`` for an unusable file."""
    return vendor_context(tls.ca, tls.cert, tls.key, revealed(tls.key_password), checks(tls))


def checks(tls: Tls) -> Checks:
    """How the peer is checked."""
    return Checks(
        ca_mode=tls.ca_mode,
        verify_certificate=tls.verify_certificate,
        verify_hostname=tls.verify_hostname,
        server_name=tls.server_name,
        min_version=tls.min_version,
    )


def proxy(settings: ProxySettings) -> Proxy | None:
    """The proxy on the way; None: what the environment says."""
    if settings.url == ENVIRONMENT:
        return None
    if settings.url == NONE:
        return DIRECT
    password = revealed(settings.password)
    return Proxy(url=settings.url, username=settings.username, password=password)


def revealed(secret: SecretStr | None) -> str | None:
    """The secret itself, where there is one."""
    return None if secret is None else secret.get_secret_value()
