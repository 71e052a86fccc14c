"""The one place that holds a token: a single refresh serves every service of an input."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from collector.core import fault
from collector.core.auth import Setup, Token
from collector.core.model import Clock, Micros, Request, Response
from collector.core.times import SECOND
from collector.errors import AuthenticationError

_ASK_AGAIN = 60.0
"""Seconds after which credentials that were refused are tried again."""


class _Refusal(NamedTuple):
    """A token call that was refused, and when (monotonic seconds)."""

    request: Request | None
    error: AuthenticationError
    at: float


class Keeper:
    """Keeps the token of one input; threads that need a new one wait for the same call.

    ``exchange`` sends the authentication request; whatever it raises comes out.
    ``margin``: how long before its expiry a token is replaced; ``granted`` hears
    of each token before anybody uses it, so that logs can strike it out.
    """

    def __init__(
        self,
        setup: Setup,
        exchange: Callable[[Request], Response],
        clock: Clock,
        margin: Micros = 60 * SECOND,
        granted: Callable[[str], None] = lambda _token: None,
    ) -> None:
        self._setup = setup
        self._exchange = exchange
        self._clock = clock
        self._margin = margin
        self._granted = granted
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._renew_at: Micros = 0
        self._asked: Request | None = None
        self._refusal: _Refusal | None = None

    def token(self) -> Token:
        """A token that is not about to expire, and was granted to whom we are now."""
        with self._lock:
            token, ours = self._token, self._asked == self._setup.ask()
            if token is None or not ours or self._renew_at <= self._clock.now():
                return self._renew()
            return token

    def refresh(self, rejected: Token) -> Token:
        """A token other than the one the vendor rejected."""
        with self._lock:
            if self._token is None or self._token == rejected:
                return self._renew()
            return self._token

    def _renew(self) -> Token:
        fault.point("token.request")
        request = self._setup.ask()
        self._not_refused_just_now(request)
        response = None if request is None else self._exchange(request)
        fault.point("token.store")
        now = self._clock.now()
        try:
            self._token = self._setup.grant(response, now)
        except AuthenticationError as error:
            self._refusal = _Refusal(request, error, self._clock.monotonic())
            raise
        self._granted(self._token.value)
        self._asked = request
        # Half of a short life, so that it does not mean a new token for every call.
        life = self._token.expires - now
        self._renew_at = self._token.expires - min(self._margin, life // 2)
        return self._token

    def _not_refused_just_now(self, request: Request | None) -> None:
        """Every service of an input asks the same: so would the answer be."""
        last = self._refusal
        if (
            last is not None
            and last.request == request
            and self._clock.monotonic() < last.at + _ASK_AGAIN
        ):
            raise AuthenticationError(last.error.number, last.error.cause, last.error.remedy)
