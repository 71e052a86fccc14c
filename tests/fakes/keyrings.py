"""The operating system's keyring, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class MemoryKeyring(KeyringBackend):
    """A keyring in memory, which can be locked; ``kept`` is by service and user name."""

    priority = 1.0  # what keyring asks of a backend

    def __init__(self) -> None:
        """Empty and unlocked."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        """The secret, or None; a locked one tells more than it should."""
        if self.locked:
            raise KeyringLocked(str(self.kept))
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""
        self.kept[service, username] = password


@contextmanager
def in_memory() -> Iterator[MemoryKeyring]:
    """A keyring in memory as that of this process."""
    before, made = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(made)
    try:
        yield made
    finally:
        keyring.set_keyring(before)
