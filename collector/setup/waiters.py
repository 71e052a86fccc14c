"""Who waits for the token of an input: each hears when the call for it is made once more.

One call serves all services of the input, and its retries may last for minutes.  Whoever
waits for it meanwhile is told as if the call were its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from collector.core.auth import Token
from collector.core.model import Clock
from collector.errors import CollectorError, VendorUnavailable
from collector.setup.keeper import Keeper

Hears = Callable[[VendorUnavailable, float], None]
"""Is told the error and the seconds until the next try; raises it to wait no longer."""


class Waiters:
    """The threads that wait for the token of one input."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[int, Hears] = {}
        self._failure: VendorUnavailable | None = None
        self._next_try = 0.0

    def tell(self, error: VendorUnavailable, seconds: float) -> None:
        """The call of this thread is made once more in so many seconds.

        Raises ``error`` when this thread waits no longer; the others find that out by
        their own calls.
        """
        own = threading.get_ident()
        with self._lock:
            for thread, hears in self._waiting.items():
                if thread != own:
                    _tell(hears, error, seconds)
            self._waiting[own](error, seconds)
            self._failure, self._next_try = error, self._clock.monotonic() + seconds

    @contextmanager
    def joined(self, hears: Hears) -> Iterator[None]:
        """This thread waits; what was told before the try that is to come is told to it, too."""
        thread = threading.get_ident()
        with self._lock:
            left = self._next_try - self._clock.monotonic()
            if self._failure is not None and left > 0:
                _tell(hears, self._failure, left)
            self._waiting[thread] = hears
        try:
            yield
        finally:
            with self._lock:
                del self._waiting[thread]


class ServiceTokens:
    """The token of an input, as one of its services asks for it (``wire.vendor.Tokens``)."""

    def __init__(self, keeper: Keeper, waiters: Waiters, hears: Hears) -> None:
        self._keeper = keeper
        self._waiters = waiters
        self._hears = hears

    def token(self) -> Token:
        """A token that is not about to expire."""
        with self._waiters.joined(self._hears):
            return self._keeper.token()

    def refresh(self, rejected: Token) -> Token:
        """A token other than the one the vendor rejected."""
        with self._waiters.joined(self._hears):
            return self._keeper.refresh(rejected)


def _tell(hears: Hears, error: VendorUnavailable, seconds: float) -> None:
    with suppress(CollectorError):  # it wants to wait no longer, and the call is another's
        hears(error, seconds)
