"""Certificates good and bad, made on the spot."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_DAY = timedelta(days=1)


class Issued(NamedTuple):
    """A certificate with its key; the files are PEM, the certificate's with its issuers."""

    cert: Path
    key: Path
    certificate: x509.Certificate
    private_key: _PrivateKey


class Pki:
    """Issues certificates into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = itertools.count()
        self.ca = self.issue(names=(), common_name="Example Authority", authority=True)

    def issue(
        self,
        *,
        names: Sequence[str] = ("127.0.0.1",),
        common_name: str = "example",
        issuer: Issued | None = None,
        starts: int = -1,
        ends: int = 30,
        authority: bool = False,
        rsa_bits: int | None = None,
    ) -> Issued:
        """A certificate signed by ``issuer``, or by itself when it is None.

        ``names`` are the subject alternative names, host names and addresses alike;
        ``starts`` and ``ends`` count days from today; keys are P-256, or RSA of a size.
        """
        key = _private_key(rsa_bits)
        subject = _name(common_name)
        today = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today + starts * _DAY)
            .not_valid_after(today + ends * _DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(issuer.private_key if issuer else key, hashes.SHA256())
        return self._written(certificate, key, issuer)

    def locked(self, issued: Issued, password: str) -> Path:
        """The key in a file with a password."""
        path = self._folder / f"locked-{next(self._count)}.key"
        return _key_file(path, issued.private_key, password)

    def der(self, issued: Issued) -> Path:
        """The certificate in a DER file."""
        path = self._folder / f"certificate-{next(self._count)}.der"
        path.write_bytes(issued.certificate.public_bytes(Encoding.DER))
        return path

    def der_key(self, issued: Issued, password: str | None = None) -> Path:
        """The key in a DER file, with a password or without."""
        path = self._folder / f"key-{next(self._count)}.der"
        return _key_file(path, issued.private_key, password, Encoding.DER)

    def pkcs12(self, issued: Issued, password: str | None, *issuers: Issued) -> Path:
        """The certificate, its key and its issuers in one PKCS#12 file."""
        path = self._folder / f"bag-{next(self._count)}.p12"
        path.touch(0o600)
        chain = [issuer.certificate for issuer in issuers]
        path.write_bytes(
            serialize_key_and_certificates(
                b"example", issued.private_key, issued.certificate, chain, _encryption(password)
            )
        )
        return path

    def combined(self, issued: Issued) -> Path:
        """The certificate and its key in one PEM file."""
        path = self._folder / f"combined-{next(self._count)}.pem"
        path.touch(0o600)
        path.write_bytes(issued.key.read_bytes() + issued.cert.read_bytes())
        return path

    def _written(
        self, certificate: x509.Certificate, key: _PrivateKey, issuer: Issued | None
    ) -> Issued:
        number = next(self._count)
        cert = self._folder / f"{number}.crt"
        chain = issuer.cert.read_bytes() if issuer else b""
        cert.write_bytes(certificate.public_bytes(Encoding.PEM) + chain)
        return Issued(cert, _key_file(self._folder / f"{number}.key", key), certificate, key)


def _private_key(rsa_bits: int | None) -> _PrivateKey:
    if rsa_bits is None:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65_537, rsa_bits)


def _key_file(
    path: Path, key: _PrivateKey, password: str | None = None, form: Encoding = Encoding.PEM
) -> Path:
    path.touch(0o600)
    path.write_bytes(key.private_bytes(form, PrivateFormat.PKCS8, _encryption(password)))
    return path


def _encryption(password: str | None) -> KeySerializationEncryption:
    return BestAvailableEncryption(password.encode()) if password else NoEncryption()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
