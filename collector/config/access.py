"""What opens the secrets of a configuration: its vault and its keys, as it says itself.

``globals.secrets`` must be known before any other secret is looked up, so it is read
by itself, from the plain documents; what is wrong with it is told with the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from collector.config import keyfile
from collector.config.ciphertext import Key
from collector.config.hosted import Layer, merged
from collector.config.plain import block
from collector.config.problems import Problem, spell
from collector.config.secrets import FILE, REFERENCE, Resolver, Unresolved
from collector.config.vault import Vault
from collector.config.vaults import NAME, Lookup, vault

PLACE = ("globals", "secrets")
PATHS = ("folder", "key_file")


class Access:
    """Looks up secrets and reads keys for a configuration made of these layers."""

    def __init__(self, layers: Sequence[Layer], environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._settings = _settings(layers, environ)
        self._base = layers[-1].folder
        self.lookup: Lookup = _nowhere
        if self._settings is not None:
            self.lookup = vault(self._settings, self._base, environ)

    def file_of(self, secret: str) -> Path | None:
        """The file of a named secret; None where named secrets are in no files."""
        if self._settings is None or self._settings.origin != "files":
            return None
        return self._base / self._settings.folder / secret if NAME.fullmatch(secret) else None

    def key_file(self) -> Path:
        """The key file: the setting, else ``$COLLECTOR_KEY_FILE``; raises ``Unresolved``."""
        if self._settings is not None and self._settings.key_file is not None:
            return self._base / self._settings.key_file
        if named := self._environ.get(keyfile.VARIABLE):
            return Path(named)
        fix = f"set globals.secrets.key_file or ${keyfile.VARIABLE}; {keyfile.MAKE}"
        raise Unresolved("no key file is named", fix)

    def keys(self) -> tuple[Key, ...]:
        """The shared keys, the newest last; raises ``Unresolved``."""
        return keyfile.read(self.key_file())


def anchored(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A resolved document whose paths of secrets no longer depend on where it lies."""
    settings = block(block(data, PLACE[0]), PLACE[1])
    paths = {
        name: str((folder / settings[name]).absolute())
        for name in PATHS
        if isinstance(settings.get(name), str) and settings[name]
    }
    if not paths:
        return data
    return {**data, "globals": {**data["globals"], "secrets": {**settings, **paths}}}


def exposed(layer: Layer) -> Iterator[Problem]:
    """References in the command of the vault: everybody can read a program's arguments."""
    command = block(block(layer.document.data, PLACE[0]), PLACE[1]).get("command")
    for index, word in enumerate(command if isinstance(command, list) else []):
        if isinstance(word, str) and (word.startswith(FILE) or REFERENCE.search(word)):
            yield Problem(
                path=spell((*PLACE, "command", index)),
                reason="is a reference, and every user of the machine can read arguments",
                fix="let the program read it from its environment, which is the collector's",
            )


def _settings(layers: Sequence[Layer], environ: Mapping[str, str]) -> Vault | None:
    """``globals.secrets``; None when it is wrong."""
    found: dict[str, Any] = {}
    for layer in layers:
        resolver = Resolver(layer.folder, environ)
        raw = block(layer.document.data, PLACE[0]).get(PLACE[1], {})
        data = anchored({"globals": {"secrets": resolver.resolve(raw, PLACE)}}, layer.folder)
        own = data["globals"]["secrets"]
        if resolver.problems or not isinstance(own, dict) or any(exposed(layer)):
            return None
        found = merged(own, found)
    try:
        return Vault.model_validate(found)
    except ValidationError:
        return None


def _nowhere(_name: str) -> str:
    reason = "names a secret that cannot be looked up: globals.secrets is wrong"
    raise Unresolved(reason, "correct globals.secrets first")
