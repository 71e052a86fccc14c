"""The one place that holds a token: a single refresh serves every service of an input."""

from __future__ import annotations

import threading
from collections.abc import Callable

from collector.core import fault
from collector.core.auth import Setup, Token
from collector.core.model import Clock, Micros, Request, Response
from collector.core.times import SECOND


class Keeper:
    """Keeps the token of one input; threads that need a new one wait for the same call.

    ``exchange`` sends the authentication request; whatever it raises comes out.
    ``margin``: how long before its expiry a token is replaced.
    """

    def __init__(
        self,
        setup: Setup,
        exchange: Callable[[Request], Response],
        clock: Clock,
        margin: Micros = 60 * SECOND,
    ) -> None:
        self._setup = setup
        self._exchange = exchange
        self._clock = clock
        self._margin = margin
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._renew_at: Micros = 0

    def token(self) -> Token:
        """A token that is not about to expire."""
        with self._lock:
            if self._token is None or self._renew_at <= self._clock.now():
                return self._renew()
            return self._token

    def refresh(self, rejected: Token) -> Token:
        """A token other than the one the vendor rejected."""
        with self._lock:
            if self._token is None or self._token == rejected:
                return self._renew()
            return self._token

    def _renew(self) -> Token:
        fault.point("token.request")
        request = self._setup.ask()
        response = None if request is None else self._exchange(request)
        fault.point("token.store")
        now = self._clock.now()
        self._token = self._setup.grant(response, now)
        # Half of a short life, so that it does not mean a new token for every call.
        life = self._token.expires - now
        self._renew_at = self._token.expires - min(self._margin, life // 2)
        return self._token
