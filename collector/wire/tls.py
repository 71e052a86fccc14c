"""Whom we believe to be the vendor, and as whom we come."""

from __future__ import annotations

import ssl
from pathlib import Path

from collector.errors import ConfigError
from collector.net.material import Unusable
from collector.net.tls import STRICT, Checks, advice, client_side, reason

UNUSABLE_FILES = 30


def vendor_context(
    ca: Path | None = None,
    cert: Path | None = None,
    key: Path | None = None,
    password: str | None = None,
    checks: Checks = STRICT,
) -> ssl.SSLContext:
    """A context for connections to the vendor; see ``net.tls.client_side``.

    Raises ``ConfigError`` when a file cannot be used.
    """
    try:
        return client_side(ca, cert, key, password, checks)
    except Unusable as error:
        cause = f"a file of the input's tls cannot be used: {error.cause}"
        raise ConfigError(UNUSABLE_FILES, cause, error.remedy) from None


def refused(error: ssl.SSLError | None) -> tuple[str, str]:
    """Cause and remedy of a TLS session that did not come about; None: nobody said why."""
    if isinstance(error, ssl.SSLCertVerificationError):
        cause = f"the vendor's certificate was not accepted ({reason(error)})"
        return cause, advice(error, "tls.ca")
    said = reason(error) if error is not None else "no reason given"
    cause = f"no TLS session with the vendor ({said})"
    remedy = (
        "check that the endpoint, or the proxy before it, speaks TLS 1.2 or newer "
        "(tls.min_version), and whether it wants a client certificate (tls.cert)"
    )
    return cause, remedy
