"""Client contexts for TLS towards destinations."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.core.model import Frozen
from collector.errors import Undelivered
from collector.net.material import Unusable
from collector.net.tls import STRICT, Checks, client_side
from collector.senders.failures import TLS_FILES


class ClientTls(Frozen, frozen=True):
    """Files and checks as ``client_context`` takes them."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    password: str | None = None
    checks: Checks = STRICT

    def context(self) -> ssl.SSLContext:
        """A context from the files as they are now; raises ``Undelivered``."""
        return client_context(
            ca=self.ca, cert=self.cert, key=self.key, password=self.password, checks=self.checks
        )


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
    with naming_files():
        return client_side(ca, cert, key, password, checks)


@contextmanager
def naming_files() -> Iterator[None]:
    """Turn ``Unusable`` into ``Undelivered``, with the file and what to do about it."""
    try:
        yield
    except Unusable as error:
        cause = f"a TLS file cannot be used: {error.cause}"
        raise Undelivered(TLS_FILES, cause, error.remedy) from None
