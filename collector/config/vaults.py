"""Where named secrets come from: a folder of files, the system's keyring, a command.

A vault answers a secret's name with its text, less one line end, or raises
``Unresolved``, which names the secret and never tells what was found.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from collector.config.programs import printed
from collector.config.secrets import MAX_FILE_BYTES, Unresolved, file_text, text_of
from collector.config.vault import NAME_HERE, Vault

Lookup: TypeAlias = Callable[[str], str]

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""No path and no option can be written with these: it is a file's name, and an argument."""

EXTRA = "install it: pip install 'proofpoint-collector[keyring]', or choose another globals.secrets"


def vault(settings: Vault, base: Path, environ: Mapping[str, str]) -> Lookup:
    """The vault of these settings; relative paths start at ``base``.

    Each secret is looked up once, however often it is named.
    """
    lookups: dict[str, Lookup] = {
        "files": lambda name: from_file(base / settings.folder, name),
        "keyring": lambda name: from_keyring(settings.service, name),
        "command": lambda name: from_command(
            settings.command, name, settings.timeout_in_seconds, environ
        ),
    }
    return _Once(lookups[settings.origin])


class _Once:
    """Remembers what was found; a new one is made whenever the configuration is read."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._found: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        if not NAME.fullmatch(name):
            reason = "holds $secret{ without a secret's name and a closing }"
            raise Unresolved(reason, "write $secret{name}, or $$secret{ for a literal $secret{")
        if name not in self._found:
            self._found[name] = self._lookup(name)
        return self._found[name]


def from_file(folder: Path, name: str) -> str:
    """The secret in the file of that name."""
    try:
        return file_text(folder / name, name)
    except Unresolved as failure:
        reason = f"the secret {name} cannot be read from its folder: {failure.reason}"
        raise Unresolved(reason, f"write it to {folder / name}, see globals.secrets") from None


def from_keyring(
    service: str, name: str, load: Callable[[str], ModuleType] = importlib.import_module
) -> str:
    """The secret that the operating system's keyring holds for a service and user name."""
    try:
        keyring, errors = load("keyring"), load("keyring.errors")
    except ImportError:
        reason = f"the secret {name} is in the keyring, but the package keyring is not installed"
        raise Unresolved(reason, EXTRA) from None
    try:
        found: str | None = keyring.get_password(service, name)
    except (errors.KeyringError, errors.InitError) as error:
        reason = f"the keyring does not give the secret {name}: {type(error).__name__}"
        raise Unresolved(reason, "unlock it, or check it with: keyring diagnose") from None
    if found is None:
        reason = f"the keyring holds no secret {name} for the service {service}"
        raise Unresolved(reason, f"store it: keyring set {service} {name}")
    return found


def from_command(
    command: Sequence[str], name: str, timeout: float, environ: Mapping[str, str]
) -> str:
    """The secret that a program prints within so many real seconds."""
    words = [word.replace(NAME_HERE, name) for word in command]
    fix = f"run globals.secrets.command by hand, with {name} for {NAME_HERE}"
    try:
        raw, code = printed(words, timeout, environ, MAX_FILE_BYTES)
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it holds a NUL"
        reason = f"the command for the secret {name} cannot be started: {problem}"
        raise Unresolved(reason, "check globals.secrets.command") from None
    wrong = _problem(raw, code, timeout)
    if raw is None or wrong is not None:
        raise Unresolved(f"the command for the secret {name} {wrong}", fix)
    return text_of(raw)


def _problem(raw: bytes | None, code: int | None, timeout: float) -> str | None:
    """What is wrong with how the program ended, as the end of a sentence about it."""
    if raw is None:
        return f"did not end within {timeout:g} seconds"
    if len(raw) > MAX_FILE_BYTES:
        return "printed more than 64 KiB"
    if code != 0:
        return f"ended with {code}"
    return None if raw.strip() else "printed nothing"
