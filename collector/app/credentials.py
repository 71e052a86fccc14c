"""Credentials that are read again while we run.

A secret that was replaced is found without a restart: at once while the vendor refuses
the old one, and otherwise at the next regular look.  What cannot be read (a file that is
half written, a configuration with an error) changes nothing.  New ones that are refused
before they have ever worked give way to those before them, which may work still.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from collector.config.models import AnyInput, Settings
from collector.core.model import Clock
from collector.errors import ConfigError

T = TypeVar("T")

_FRESH = 1.0
"""Seconds for which the configuration is not read a second time."""


class Credentials(Generic[T]):
    """The credentials of one input or output; safe to use from several threads.

    ``used`` are those in use.  ``read`` answers what is configured now, or None when
    that cannot be told.
    """

    def __init__(self, used: T, read: Callable[[], T | None]) -> None:
        self.used = used
        self._read = read
        self._changes = 0
        self._former: T | None = None
        self._refused: T | None = None
        self._spent = False
        self._lock = threading.Lock()

    @property
    def changes(self) -> int:
        """How often they have changed since the start."""
        return self._changes

    def look(self) -> int:
        """Read them again, and use what is found from now on; ``changes``."""
        with self._lock:
            found = self._read()
            if found is not None and found not in (self.used, self._refused):
                self._former = None if self._spent else self.used
                self._refused = None
                self._use(found)
            return self._changes

    def worked(self, change: int) -> None:
        """Those in use after so many changes were taken: there is no way back to the former."""
        with self._lock:
            if change == self._changes:
                self._former = None
                self._spent = False

    def refused(self, change: int) -> bool:
        """Those in use after so many changes were refused; whether others took their place.

        New ones give way to the former.  When these are refused too, the new ones are
        what is left, until something else is configured.
        """
        with self._lock:
            if change != self._changes:
                return False
            if self._former is not None:
                self._refused = self.used
                self._use(self._former)
                self._former = None
                return True
            left, self._refused = self._refused, None
            if left is not None:
                self._use(left)
            self._spent = True
            return left is not None

    def _use(self, credentials: T) -> None:
        self.used = credentials
        self._changes += 1
        self._spent = False


NONE: Credentials[None] = Credentials(None, lambda: None)
"""Those of a service that needs none."""


class Rereading:
    """The configuration read anew, at most once a second however many services ask.

    ``read`` raises ``ConfigError`` when it cannot be read; so does a call.
    """

    def __init__(self, read: Callable[[], Settings], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._next = -_FRESH
        self._found: Settings | ConfigError | None = None

    def __call__(self) -> Settings:
        """The settings as they are now, or were within the last second."""
        with self._lock:
            if self._found is None or self._clock.monotonic() >= self._next:
                self._found = self._answer()
                self._next = self._clock.monotonic() + _FRESH
            if isinstance(self._found, ConfigError):
                raise self._found
            return self._found

    def _answer(self) -> Settings | ConfigError:
        try:
            return self._read()
        except ConfigError as error:
            return error


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
