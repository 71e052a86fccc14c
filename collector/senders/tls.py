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
from collector.senders.error_numbers import TLS_FILES


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


class LastingContext:
    """Gives the same context until one of its files changes, and then one made anew.

    For those who connect often: to read the system's authorities takes 20 ms.
    """

    def __init__(self, tls: ClientTls) -> None:
        self._tls = tls
        self._files: tuple[object, ...] = ()
        self._context: ssl.SSLContext | None = None

    def __call__(self) -> ssl.SSLContext:
        """A context of the files as they are now; raises ``Undelivered``."""
        # Looked at before they are read: what changes in between is seen the next time.
        files = tuple(map(_look, (self._tls.ca, self._tls.cert, self._tls.key, *_trusted())))
        if self._context is None or files != self._files:
            self._context = self._tls.context()
            self._files = files
        return self._context


def _trusted() -> Iterator[Path]:
    """Where the system's authorities lie: a file, a folder or both."""
    found = ssl.get_default_verify_paths()
    return (Path(place) for place in (found.cafile, found.capath) if place)


def _look(path: Path | None) -> object:
    """What changes with a file's content, or when another file takes its name."""
    try:
        seen = None if path is None else path.stat()
    except OSError as error:
        return error.errno
    return seen and (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


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
