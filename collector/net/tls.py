"""TLS: the one place where a client context is made, and what its failures mean."""

from __future__ import annotations

import os
import secrets
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding

from collector.net.material import Identity, Unusable, authorities, identity

# OpenSSL's verification results (openssl-verification-options).
_NOT_YET_VALID = 9
_EXPIRED = 10
WRONG_DATES = frozenset({_NOT_YET_VALID, _EXPIRED})
WRONG_NAMES = frozenset({62, 64})
_TOO_WEAK = frozenset({66, 67, 68})
# Parts of the alert names by which a server refuses our certificate.
_CERTIFICATE_ALERTS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_DESCRIPTORS = Path("/proc/self/fd")


class Checks(msgspec.Struct, frozen=True, kw_only=True):
    """How the peer is checked.

    ``ca_mode``: whether a file of authorities replaces the system's or adds to them.
    Without ``verify_certificate`` anybody can pass for the peer, without
    ``verify_hostname`` everybody whose certificate the authorities signed.
    ``server_name`` is asked for (SNI) and verified in place of the address's.
    """

    ca_mode: Literal["replace", "add"] = "replace"
    verify_certificate: bool = True
    verify_hostname: bool = True
    server_name: str | None = None
    min_version: Literal["1.2", "1.3"] = "1.2"


STRICT = Checks()


class _Context(ssl.SSLContext):
    """A client context that may know better than its user what the server is called."""

    server_name: str | None = None

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """TLS over a socket."""
        return super().wrap_socket(*args, **self._named(kwargs))

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """TLS over memory."""
        return super().wrap_bio(*args, **self._named(kwargs))

    def _named(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {**kwargs, "server_hostname": self.server_name} if self.server_name else kwargs


def client_side(
    ca: Path | None = None,
    cert: Path | None = None,
    key: Path | None = None,
    password: str | None = None,
    checks: Checks = STRICT,
) -> ssl.SSLContext:
    """A context for connections that we open, from files as they are now.

    ``ca`` are the authorities to believe, ``cert`` (with its issuers) and ``key`` are our
    own.  Names are taken from the alternatives of a certificate, never from its subject.
    Raises ``Unusable`` when a file cannot be used.
    """
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = _VERSIONS[checks.min_version]
    context.hostname_checks_common_name = False
    context.server_name = checks.server_name
    context.check_hostname = checks.verify_certificate and checks.verify_hostname
    context.verify_mode = ssl.CERT_REQUIRED if checks.verify_certificate else ssl.CERT_NONE
    _believe(context, ca, replace=checks.ca_mode == "replace")
    if cert is not None:
        _present(context, identity(cert, key, password), cert)
    return context


def _believe(context: ssl.SSLContext, ca: Path | None, *, replace: bool) -> None:
    # An authority that another one signed is believed by itself, as by Python from 3.13 on.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if ca is None and sys.version_info >= (3, 13):
        # Private authorities leave extensions out that this asks for.
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    if ca is None or not replace:
        context.load_default_certs()
    if ca is not None:
        given = b"".join(each.public_bytes(Encoding.DER) for each in authorities(ca))
        context.load_verify_locations(cadata=given)


def system_authorities() -> Path | None:
    """The file, or else the folder, with the authorities that the system trusts; None: none."""
    found = ssl.get_default_verify_paths()
    place = found.cafile or found.capath
    return Path(place) if place else None


def _present(context: ssl.SSLContext, own: Identity, cert: Path) -> None:
    """Python reads keys from files alone: it gets one for a moment, locked."""
    password = secrets.token_hex(32)
    try:
        with unseen(own.pem(password.encode())) as path:
            context.load_cert_chain(path, password=password)
    except ssl.SSLError as error:
        remedy = "have it made anew, with 2048 bits or more and SHA-256"
        raise Unusable(cert, f"is not taken by OpenSSL ({reason(error)})", remedy) from None


@contextmanager
def unseen(content: bytes, *, in_memory: bool = _DESCRIPTORS.is_dir()) -> Iterator[Path]:
    """A file with that content for the length of the block, for this user's eyes only.

    It lies in memory where the system can do that (Linux); elsewhere on the disk.
    """
    if in_memory and sys.platform == "linux":
        with os.fdopen(os.memfd_create("tls"), "wb", buffering=0) as file:
            file.write(content)
            yield _DESCRIPTORS / str(file.fileno())
    else:
        with tempfile.NamedTemporaryFile(buffering=0) as file:  # mode 0600
            file.write(content)
            yield Path(file.name)


def advice(error: ssl.SSLCertVerificationError, setting: str) -> str:
    """What to do about a certificate that was not accepted; ``setting`` names the authorities."""
    if error.verify_code == _EXPIRED:
        return "have the certificate renewed; check this machine's clock"
    if error.verify_code == _NOT_YET_VALID:
        return "check this machine's clock, and the dates of the certificate"
    if error.verify_code in WRONG_NAMES:
        return (
            "use one of the names in the certificate, as address or as tls.server_name, "
            f"or set {setting} if a proxy opens TLS"
        )
    if error.verify_code in _TOO_WEAK:
        return "have the certificate made anew, with 2048 bits or more and SHA-256"
    return f"set {setting} to a file with the authority that signed it"


def is_certificate_alert(name: str) -> bool:
    """Whether a server refuses our certificate, by the name of its alert (``reason``)."""
    return "ALERT" in name and any(part in name for part in _CERTIFICATE_ALERTS)


def reason(error: OSError) -> str:
    """The system's or OpenSSL's short word for it, without path, line or address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or "no reason given"
    return error.strerror or type(error).__name__
