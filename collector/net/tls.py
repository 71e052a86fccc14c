"""The one place where a TLS context is made; none of ours goes without verification."""

from __future__ import annotations

import ssl
from pathlib import Path


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
