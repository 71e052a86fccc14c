"""Certificates and private keys from files: PEM, DER or PKCS#12, told apart by their content.

The library ``cryptography`` reads what Python's own ``ssl`` does not: DER and PKCS#12.
A file that cannot be used is named, with what is wrong and what to do.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

_MAX_BYTES = 4 * 1024 * 1024
"""A bundle with all public authorities has a twentieth of it."""
_PEM = b"-----BEGIN "
_PEM_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
# PFX ::= SEQUENCE { version INTEGER (3), ... } (RFC 7292, section 4), in DER or BER; a
# certificate or a key has no such beginning.
_PKCS12 = re.compile(rb"0(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03", re.DOTALL)


class Unusable(Exception):
    """A file that TLS cannot use; ``cause`` names it, and neither text holds a secret."""

    def __init__(self, path: Path, what: str, remedy: str) -> None:
        super().__init__(path, what, remedy)
        self.path = path
        self.what = what
        self.remedy = remedy

    @property
    def cause(self) -> str:
        """The file and what is wrong with it."""
        return f"{self.path} {self.what}"


class Identity(NamedTuple):
    """Whom we present: our certificate, then those of its issuers, and our private key."""

    certificates: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes

    def pem(self, password: bytes) -> bytes:
        """All of it as PEM, the key locked with the password."""
        return self.key_pem(password) + pem(self.certificates)

    def key_pem(self, password: bytes | None = None) -> bytes:
        """The private key as PEM, locked with the password if there is one."""
        lock = BestAvailableEncryption(password) if password else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def pem(certificates: Iterable[x509.Certificate]) -> bytes:
    """The certificates as PEM, one after the other."""
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def authorities(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM or DER file, one at least; raises ``Unusable``."""
    return _certificates(path, _content(path))


def rooted_authorities(path: Path) -> tuple[x509.Certificate, ...]:
    """The same for a library that believes no authority without its root.

    Raises ``Unusable`` for a file without any authority that signed itself, too.
    """
    found = authorities(path)
    if not any(each.issuer == each.subject for each in found):
        raise Unusable(
            path,
            "holds no root authority, without which this output's library believes none",
            "add the root that signed the authority to the file",
        )
    return found


def identity(cert: Path, key: Path | None, password: str | None) -> Identity:
    """Our certificate and key, from two files or from one that holds both.

    Raises ``Unusable`` for a file that is no such thing, that every user can read
    though a key is in it, whose password is another, or when the two do not match.
    """
    content = _content(cert)
    secret = password.encode() if password else None
    if _PKCS12.match(content):
        found = _from_pkcs12(cert, content, secret)
    else:
        found = Identity(_certificates(cert, content), _separate_key(cert, key, secret))
    if _public(found.certificates[0]) != _public(found.key):
        raise Unusable(
            key or cert,
            f"does not hold the key of the certificate in {cert}",
            "give the key that belongs to the certificate; maybe only one of the two was renewed",
        )
    return found


def private_key(path: Path, password: str | None) -> PrivateKeyTypes:
    """The private key of a file; raises ``Unusable`` as ``identity`` does."""
    return _key_of(path, password.encode() if password else None)


def _separate_key(cert: Path, key: Path | None, password: bytes | None) -> PrivateKeyTypes:
    """The key of its own file, or of the certificate's PEM file."""
    if key is None and not _PEM_KEY.search(_content(cert)):
        raise Unusable(cert, "holds no private key", "name the file of the key, too")
    return _key_of(key or cert, password)


def _key_of(path: Path, password: bytes | None) -> PrivateKeyTypes:
    found = _private_key(path, _content(path), password)
    _refuse_public(path)
    return found


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise Unusable(
            path,
            f"cannot be read ({error.strerror})",
            "give a file that exists and that the collector's user may read",
        ) from None
    if len(content) > _MAX_BYTES:
        raise Unusable(path, "is larger than 4 MiB", "give a file with certificates alone")
    return content


def _certificates(path: Path, content: bytes) -> tuple[x509.Certificate, ...]:
    try:
        if _PEM in content:
            return tuple(x509.load_pem_x509_certificates(content))
        return (x509.load_der_x509_certificate(content),)
    except ValueError:
        raise Unusable(
            path,
            "holds no certificate in PEM or DER",
            "give the certificate that its authority issued, not the key or the request",
        ) from None


def _private_key(path: Path, content: bytes, password: bytes | None) -> PrivateKeyTypes:
    load = load_pem_private_key if _PEM in content else load_der_private_key
    try:
        return load(content, password)
    except TypeError:
        if password is None:
            raise Unusable(path, "is locked, and no password is set", "set key_password") from None
        return _private_key(path, content, None)  # not locked: the password says nothing
    except (ValueError, UnsupportedAlgorithm):
        what = "is no private key in PEM or DER"
        if password is not None:
            what = "is no private key in PEM or DER, or has another password"
        raise Unusable(path, what, "give the key in PKCS#8 form, and its key_password") from None


def _from_pkcs12(path: Path, content: bytes, password: bytes | None) -> Identity:
    try:
        bag = load_pkcs12(content, password)
    except (ValueError, UnsupportedAlgorithm):
        raise Unusable(
            path,
            "is a PKCS#12 file that cannot be opened: another password, or an old algorithm",
            "check key_password; for an old file, make it anew with: openssl pkcs12 -export",
        ) from None
    if bag.key is None or bag.cert is None:
        remedy = "export the certificate with its private key"
        raise Unusable(path, "is a PKCS#12 file without certificate or key", remedy)
    _refuse_public(path)
    others = tuple(each.certificate for each in bag.additional_certs)
    return Identity((bag.cert.certificate, *others), bag.key)


def _refuse_public(path: Path) -> None:
    """A private key that everybody can read is no secret."""
    if path.stat().st_mode & stat.S_IROTH:
        raise Unusable(path, "can be read by every user of this machine", f"run: chmod 600 {path}")


def _public(holder: x509.Certificate | PrivateKeyTypes) -> bytes:
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
