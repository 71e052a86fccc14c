"""Client contexts for TLS: the server is always verified, by name too."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from collector.errors import Undelivered
from collector.net.tls import reason, verifying
from collector.senders.failures import TLS_FILES


def client_context(
    *,
    ca: Path | None = None,
    cert: Path | None = None,
    key: Path | None = None,
    password: str | None = None,
) -> ssl.SSLContext:
    """Read the PEM files and make a context for TLS 1.2 or newer.

    ``ca`` replaces the system's authorities; ``cert`` (with its chain) and
    ``key`` are the client's own.  Raises ``Undelivered`` when a file cannot be
    used, not ``ConfigError``: the files are read at every connection, so that a
    renewed certificate is taken up, and a renewal may be half done.
    """
    try:
        if key is not None:
            _refuse_public(key)
        context = verifying(ca)
        if cert is not None:
            context.load_cert_chain(cert, key, password or "")
    except OSError as error:
        raise _unusable(error, (ca, cert, key)) from error
    return context


def _refuse_public(key: Path) -> None:
    """A private key that everybody can read is no secret."""
    if key.stat().st_mode & stat.S_IROTH:
        raise Undelivered(
            TLS_FILES, f"every user of this machine can read {key}", f"run: chmod 600 {key}"
        )


def _unusable(error: OSError, paths: tuple[Path | None, ...]) -> Undelivered:
    """Name the files; an SSL error does not say which of them it means."""
    names = ", ".join(str(path) for path in paths if path is not None) or "the system's authorities"
    return Undelivered(
        TLS_FILES,
        f"TLS files cannot be used: {names} ({reason(error)})",
        "give PEM files that exist, a key that belongs to the certificate, and its password",
    )
