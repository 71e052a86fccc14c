"""The file of shared keys: one a line, the newest last, for nobody but its owner.

    key:v1:<key id>:<base64url, without padding, of 32 bytes>

Blank lines and lines that start with ``#`` are passed over.  Everything is encrypted
with the newest key and decrypted with whichever key it names, so a key is rotated by
adding one, encrypting anew, and removing the old one.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from collector.config.atomic import replace_file
from collector.config.ciphertext import KEY_BYTES, Key, decoded, encoded
from collector.config.secrets import Unresolved
from collector.errors import ConfigError

VARIABLE = "COLLECTOR_KEY_FILE"
UNUSABLE_KEYS = 41
"""The number of the error that there is no key file that can be used."""
MAX_BYTES = 64 * 1024
OWNER_ONLY = 0o600
OTHERS = stat.S_IRWXG | stat.S_IRWXO

FORM = re.compile(r"key:v1:(?P<id>[0-9a-f]{16}):(?P<body>[A-Za-z0-9_-]{43})")
MAKE = "make one with: collector secret keygen --out FILE"


def read(path: Path) -> tuple[Key, ...]:
    """All keys of a file, the newest last, at least one.

    Raises ``Unresolved`` when the file cannot be used, also because others may read it.
    """
    raw = _content(path)
    lines = [line.strip() for line in raw.decode("ascii", "replace").splitlines()]
    keys = tuple(
        _key(path, number, line)
        for number, line in enumerate(lines, 1)
        if line and not line.startswith("#")
    )
    if not keys:
        raise Unresolved(f"the key file {path} holds no key", MAKE)
    return keys


def line(key: Key) -> str:
    """The line that holds a key; it is the secret of all secrets."""
    return f"key:v1:{key.id}:{encoded(key.secret)}"


def create(path: Path, key: Key) -> None:
    """Write a new key file, mode 0600; raises ``ConfigError`` when there is a file already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{line(key)}\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        cause = f"there is a file {path} already"
        remedy = "name another one, or add the new key to this one with --add"
        raise ConfigError(40, cause, remedy) from None
    except OSError as error:
        raise _unwritable(path, error) from None


def add(path: Path, key: Key) -> None:
    """Add the newest key to a key file that can be read; raises ``ConfigError``."""
    try:
        read(path)
        before = _content(path)
    except Unresolved as failure:
        raise ConfigError(UNUSABLE_KEYS, failure.reason, failure.fix) from None
    gap = b"" if before.endswith(b"\n") else b"\n"
    try:
        replace_file(path, before + gap + f"{line(key)}\n".encode())
    except OSError as error:
        raise _unwritable(path, error) from None


def _content(path: Path) -> bytes:
    try:
        # At once, also where it is a pipe that nobody writes to.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            _only_the_owner(path, os.fstat(file.fileno()).st_mode)
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise Unresolved(f"there is no key file {path}", MAKE) from None
    except OSError as error:
        reason = f"the key file {path} cannot be read: {error.strerror}"
        raise Unresolved(reason, "let the collector's user, and only that one, read it") from None
    if len(raw) > MAX_BYTES:
        raise Unresolved(f"the key file {path} is larger than 64 KiB", MAKE)
    return raw


def _only_the_owner(path: Path, mode: int) -> None:
    """Judged on the open file, so that it cannot be exchanged in between."""
    if not stat.S_ISREG(mode):
        raise Unresolved(f"the key file {path} is no file", MAKE)
    if mode & OTHERS:
        reason = f"the key file {path} is open to others (mode {stat.S_IMODE(mode):04o})"
        raise Unresolved(reason, f"chmod 600 {path}; make a new key if others may have read it")


def _key(path: Path, number: int, text: str) -> Key:
    match = FORM.fullmatch(text)
    secret = decoded(match["body"]) if match else None
    key = Key(secret) if secret is not None and len(secret) == KEY_BYTES else None
    if match is None or key is None or key.id != match["id"]:
        reason = f"line {number} of the key file {path} is no whole key"
        raise Unresolved(reason, "restore the line, or remove it")
    return key


def _unwritable(path: Path, error: OSError) -> ConfigError:
    cause = f"the key file {path} cannot be written: {error.strerror}"
    return ConfigError(42, cause, "check that its folder exists and may be written")
