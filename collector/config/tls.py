"""Settings of TLS, the same at every input and output that speaks it."""

from pathlib import Path
from typing import Literal, Protocol, Self, runtime_checkable

from pydantic import Field, SecretStr, model_validator

from collector.config.fields import FilePath, Host, Secret, refuse
from collector.config.secured import Secured

_PKCS12 = frozenset({".p12", ".pfx"})


class Tls(Secured):
    """How the other side is verified, and as whom the collector comes."""

    ca: FilePath | None = Field(
        default=None,
        description="File of authorities to trust, PEM or DER; `ca_mode` says whether they "
        "replace the system's.",
    )
    ca_mode: Literal["replace", "add"] = Field(
        default="replace",
        description="`replace`: only the authorities in `ca` are trusted. `add`: the system's too.",
    )
    cert: FilePath | None = Field(
        default=None,
        description="File of a client certificate with its issuers: PEM, DER, or PKCS#12 (`.p12`, "
        "`.pfx`), which holds the key as well.",
    )
    key: FilePath | None = Field(
        default=None,
        description="File of the client's private key, PEM or DER (PKCS#8); no other user of the "
        "machine may read it.",
    )
    key_password: Secret | None = Field(
        default=None, description="Password of the private key or PKCS#12 file, if it has one."
    )
    verify_certificate: bool = Field(
        default=True,
        description="Verify that a trusted authority signed the other side's certificate, and "
        "that it has not expired. Without this anybody can read and change what goes by; the "
        "collector warns of it at each start. `false` switches `verify_hostname` off too.",
    )
    verify_hostname: bool = Field(
        default=True,
        description="Verify that the certificate is for the name asked for. Without this the "
        "owner of any trusted certificate can pass for the other side; the collector warns of it.",
    )
    server_name: Host | None = Field(
        default=None,
        description="Name to ask for (SNI) and to verify. Default: the host of the address.",
    )
    min_version: Literal["1.2", "1.3"] = Field(
        default="1.2", description='Oldest version of TLS to speak; in quotes: `"1.3"`.'
    )

    @model_validator(mode="after")
    def _pair(self) -> Self:
        _refuse_half(self.cert, self.key)
        return self


@runtime_checkable
class SpeaksTls(Protocol):
    """A section with a ``tls`` section, and maybe short forms of some of its settings."""

    @property
    def tls(self) -> Tls:
        """The section as it stands in the file."""
        ...

    def whole_tls(self) -> Tls:
        """The section with the short forms in their places."""
        ...


def with_short(
    tls: Tls,
    *,
    ca: Path | None,
    cert: Path | None,
    key: Path | None,
    key_password: SecretStr | None,
) -> Tls:
    """The section with the short forms in their places; one that stands twice is refused."""
    short = {"ca": ca, "cert": cert, "key": key, "key_password": key_password}
    given = {name: value for name, value in short.items() if value is not None}
    twice = [name for name in given if getattr(tls, name) is not None]
    if twice:
        raise refuse(f"has {', '.join(twice)} twice: here and in tls", "keep one of the two")
    _refuse_half(cert, key)
    return tls.model_copy(update=given)


def goes_alone(cert: Path) -> bool:
    """Whether a file of this name is PKCS#12, which holds certificate and key."""
    return cert.suffix.lower() in _PKCS12


def _refuse_half(cert: Path | None, key: Path | None) -> None:
    """Refuse a certificate without its key, and the reverse; PKCS#12 is both in one."""
    whole = cert is not None and goes_alone(cert)
    if whole and key is not None:
        raise refuse("has a key beside a PKCS#12 file, which holds one", "remove key")
    if not whole and (cert is None) != (key is None):
        fix = "give both, or neither; a PKCS#12 file (.p12, .pfx) goes alone"
        raise refuse("has one of cert and key", fix)
