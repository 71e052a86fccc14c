"""Client contexts for TLS towards destinations."""

from __future__ import annotations

import ssl
from pathlib import Path

from collector.errors import Undelivered
from collector.net.material import Unusable
from collector.net.tls import STRICT, Checks, client_side
from collector.senders.failures import TLS_FILES


def client_context(
    *,
    ca: Path | None = None,
    cert: Path | None = None,
    key: Path | None = None,
    password: str | None = None,
    checks: Checks = STRICT,
) -> ssl.SSLContext:
    """A context from the files as they are now; see ``net.tls.client_side``.

    Raises ``Undelivered`` when a file cannot be used, not ``ConfigError``: the files
    are read at every connection, so that a renewed certificate is taken up, and a
    renewal may be half done.
    """
    try:
        return client_side(ca, cert, key, password, checks)
    except Unusable as error:
        cause = f"a TLS file cannot be used: {error.cause}"
        raise Undelivered(TLS_FILES, cause, error.remedy) from None
