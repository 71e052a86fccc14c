"""Which files of certificates and keys a configuration names, read from the plain document.

Any shape is tolerated, so that the files can be looked at whatever else is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from pydantic import SecretStr

from collector.config.plain import block

Role: TypeAlias = Literal["ca", "cert", "key"]
Check: TypeAlias = Literal["verify_certificate", "verify_hostname"]


class TlsUser(NamedTuple):
    """The settings of an input, or of an output's destination; ``place``: where they stand."""

    place: str
    settings: dict[str, Any]
    kind: Any = None

    @property
    def is_kafka(self) -> bool:
        """Whether the other side is a cluster, each of whose brokers has a name of its own."""
        return bool(self.kind == "kafka")

    @property
    def wants_root(self) -> bool:
        """Whether an authority is believed only together with the root that it comes from."""
        tls = block(self.settings, "tls")
        verified = not self.switched_off("verify_certificate")
        by_librdkafka = self.is_kafka and tls.get("server_name") is None
        return by_librdkafka and verified and tls.get("ca_mode") != "add"

    def spelled(self, name: Role | Literal["key_password"]) -> str:
        """The setting: its short form, unless ``tls`` has it."""
        return self._given(name)[0]

    def file(self, role: Role) -> Path | None:
        """The file that is named; None also for what is no path."""
        value = self._given(role)[1]
        if isinstance(value, str):
            return Path(value) if value.strip() and value.isprintable() else None
        return value if isinstance(value, Path) else None

    def password(self) -> str | None:
        """The password of the key, if it has one."""
        value = self._given("key_password")[1]
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        return value if isinstance(value, str) else None

    def switched_off(self, check: Check) -> bool:
        """Whether the other side is not verified."""
        return block(self.settings, "tls").get(check) is False

    def _given(self, name: str) -> tuple[str, Any]:
        tls = block(self.settings, "tls")
        if tls.get(name) is not None:
            return f"{self.place}.tls.{name}", tls[name]
        if name == "ca" and self.settings.get("chain") is not None:
            name = "chain"
        return f"{self.place}.{name}", self.settings.get(name)


def tls_users(document: dict[str, Any]) -> Iterator[TlsUser]:
    """Every enabled input and every output, whether or not it speaks TLS."""
    inputs, outputs = block(document, "inputs"), block(document, "outputs")
    for name in inputs:
        if block(inputs, name).get("enabled") is not False:
            yield TlsUser(f"inputs.{name}", block(inputs, name))
    for name in outputs:
        output = block(outputs, name)
        yield TlsUser(f"outputs.{name}.config", block(output, "config"), output.get("type"))
