"""Settings of TLS, the same at every input and output that speaks it."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from collector.config.fields import FilePath, Host, Secret, refuse
from collector.config.secured import Secured

_PKCS12 = frozenset({".p12", ".pfx"})


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


def _tls_last(schema: dict[str, Any]) -> None:
    """Let a destination's own settings be read first, in the manual and in editors."""
    settings = schema["properties"]
    for name in ("chain", "ca", "cert", "key", "key_password", "tls"):
        if name in settings:
            settings[name] = settings.pop(name)


class SpeaksTls(Secured):
    """A destination's ``tls`` section, and short forms of the settings that most need."""

    model_config = ConfigDict(json_schema_extra=_tls_last)

    cert: FilePath | None = Field(
        default=None,
        description="File of a client certificate (`tls.cert`); needs `key`, unless it is PKCS#12.",
    )
    key: FilePath | None = Field(
        default=None,
        description="File of the client's private key (`tls.key`); needs `cert`.",
    )
    key_password: Secret | None = Field(
        default=None, description="Password of the private key (`tls.key_password`)."
    )
    tls: Tls = Field(default=Tls(), description="How the other side is verified.")

    @property
    @abstractmethod
    def short_ca(self) -> Path | None:
        """The short form of ``tls.ca``, whatever it is called here."""

    @model_validator(mode="after")
    def _uses_its_tls(self) -> Self:
        """A destination that asks for more does so in this rule, lest a thing be told twice."""
        self.whole_tls()
        return self

    def whole_tls(self) -> Tls:
        """The section with the short forms in their places; one that stands twice is refused."""
        short = {
            "ca": self.short_ca,
            "cert": self.cert,
            "key": self.key,
            "key_password": self.key_password,
        }
        given = {name: value for name, value in short.items() if value is not None}
        twice = [name for name in given if getattr(self.tls, name) is not None]
        if twice:
            raise refuse(f"has {', '.join(twice)} twice: here and in tls", "keep one of the two")
        _refuse_half(self.cert, self.key)
        return self.tls.model_copy(update=given)


class TrustsCa(SpeaksTls):
    """The same, where the short form of ``tls.ca`` is ``ca``: everywhere but at Devo."""

    ca: FilePath | None = Field(
        default=None,
        description="File of the authority that signed the other side's certificate (`tls.ca`). "
        "Default: the system's authorities.",
    )

    @property
    def short_ca(self) -> Path | None:
        """What stands in ``ca``."""
        return self.ca
