"""Whom we believe to be the vendor."""

from __future__ import annotations

import ssl
from pathlib import Path

from collector.errors import ConfigError
from collector.net.tls import advice, reason, verifying

UNUSABLE_CA = 30


def vendor_context(ca: Path | None) -> ssl.SSLContext:
    """A context that verifies the vendor by ``tls.ca``, or by the system's authorities.

    Raises ``ConfigError`` when the file cannot be read as PEM.
    """
    try:
        return verifying(ca)
    except OSError as error:
        raise ConfigError(
            UNUSABLE_CA,
            f"tls.ca cannot be used: {ca} ({reason(error)})",
            "give a PEM file with the certificates of the authorities to trust",
        ) from None


def refused(error: ssl.SSLError | None) -> tuple[str, str]:
    """Cause and remedy of a TLS session that did not come about; None: nobody said why."""
    if isinstance(error, ssl.SSLCertVerificationError):
        cause = f"the vendor's certificate was not accepted ({reason(error)})"
        return cause, advice(error, "tls.ca")
    said = reason(error) if error is not None else "no reason given"
    return (
        f"no TLS session with the vendor ({said})",
        "check that the endpoint, or the proxy before it, speaks TLS 1.2 or newer",
    )
