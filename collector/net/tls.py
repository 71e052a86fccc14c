"""TLS: the one place where a context is made, and what its failures mean.

None of our connections goes without verification.
"""

from __future__ import annotations

import ssl
from pathlib import Path

# OpenSSL's verification results (openssl-verification-options).
_NOT_YET_VALID = 9
_EXPIRED = 10
WRONG_NAMES = frozenset({62, 64})
_TOO_WEAK = frozenset({66, 67, 68})


def verifying(ca: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer; the peer's chain is checked, and its subject alternative names.

    ``ca``, a PEM file, replaces the system's authorities.  Raises ``OSError`` when
    it cannot be read.
    """
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The default context takes a name from the subject when there are no alternatives.
    context.hostname_checks_common_name = False
    if ca is not None:
        # Python 3.13 is stricter than 3.11 about extensions that private authorities leave out.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def advice(error: ssl.SSLCertVerificationError, setting: str) -> str:
    """What to do about a certificate that was not accepted; ``setting`` names the authorities."""
    if error.verify_code == _EXPIRED:
        return "have the certificate renewed; check this machine's clock"
    if error.verify_code == _NOT_YET_VALID:
        return "check this machine's clock, and the dates of the certificate"
    if error.verify_code in WRONG_NAMES:
        return f"use one of the names in the certificate, or set {setting} if a proxy opens TLS"
    if error.verify_code in _TOO_WEAK:
        return "have the certificate made anew, with 2048 bits or more and SHA-256"
    return f"set {setting} to a file with the authority that signed it"


def reason(error: OSError) -> str:
    """The system's or OpenSSL's short word for it, without path, line or address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or "unreadable, or another password"
    return error.strerror or type(error).__name__
