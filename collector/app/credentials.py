"""Credentials that are read again while the vendor refuses them.

A secret that was rotated on the disk is found without a restart.  What cannot be read
(a file that is half written, a configuration with an error) changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from collector.config.models import AnyInput, Settings
from collector.errors import ConfigError

T = TypeVar("T")


class Credentials(Generic[T]):
    """The credentials of one input; safe to use from several threads.

    ``used`` are those in use.  ``read`` answers what is configured now, or None when
    that cannot be told.
    """

    def __init__(self, used: T, read: Callable[[], T | None]) -> None:
        self.used = used
        self._read = read
        self._changes = 0
        self._lock = threading.Lock()

    @property
    def changes(self) -> int:
        """How often they have changed since the start."""
        return self._changes

    def look(self) -> int:
        """Read them again, and use what is found from now on; ``changes``."""
        with self._lock:
            found = self._read()
            if found is not None and found != self.used:
                self.used = found
                self._changes += 1
            return self._changes


NONE: Credentials[None] = Credentials(None, lambda: None)
"""Those of a service that needs none."""


def configured(
    reread: Callable[[], Settings], name: str, read: Callable[[AnyInput], T | None]
) -> Callable[[], T | None]:
    """What ``read`` finds in an input as it is configured now."""

    def look() -> T | None:
        try:
            found = reread().inputs.get(name)
        except ConfigError:
            return None
        return None if found is None else read(found)

    return look
