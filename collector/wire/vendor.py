"""A call to the vendor as it really goes: signed, braked, repeated, its token renewed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Protocol

from collector.core import wirejson
from collector.core.auth import Setup, Token
from collector.core.model import Clock, Request, Response
from collector.core.policy import retry_after
from collector.errors import AuthenticationError, TokenRejected, VendorUnavailable
from collector.wire.http import HttpWire
from collector.wire.retry import Patience, patiently
from collector.wire.statuses import error_for
from collector.wire.throttle import Throttle

_TOLD = 200
"""How much of the vendor's own words goes into an error, in characters."""


class Tokens(Protocol):
    """Who holds the token (``setup.keeper.Keeper``)."""

    def token(self) -> Token:
        """A token that is not about to expire."""
        ...

    def refresh(self, rejected: Token) -> Token:
        """A token other than the rejected one."""
        ...


class Calls:
    """Braked and repeated calls, before anybody is authenticated."""

    def __init__(
        self,
        http: HttpWire,
        throttle: Throttle,
        patience: Patience,
        clock: Clock,
        rng: random.Random,
        *,
        retry_statuses: frozenset[int],
        honour_retry_after: bool = True,
        waiting: Callable[[VendorUnavailable, float], None] = lambda _error, _seconds: None,
    ) -> None:
        self._http = http
        self._throttle = throttle
        self._patience = patience
        self._clock = clock
        self._rng = rng
        self._retry_statuses = retry_statuses
        self._honour = honour_retry_after
        self._waiting = waiting

    def send(self, request: Request) -> Response:
        """The answer, of whatever status is not worth a repeat."""
        return patiently(
            lambda: self._once(request), self._patience, self._clock, self._rng, self._waiting
        )

    def _once(self, request: Request) -> Response:
        self._throttle.wait()
        response = self._http.send(request)
        if response.status not in self._retry_statuses:
            return response
        pause = self._pause(response)
        if pause is not None:
            self._throttle.hold_off(pause)
        raise VendorUnavailable(response.status, *_words(response), retry_after=pause)

    def _pause(self, response: Response) -> float | None:
        if not self._honour:
            return None
        return retry_after(
            response.headers.get("Retry-After"), self._clock.now(), self._patience.cap
        )


class Vendor:
    """An authenticated vendor: what pullers fetch from."""

    def __init__(self, calls: Calls, setup: Setup, tokens: Tokens) -> None:
        self._calls = calls
        self._setup = setup
        self._tokens = tokens

    def fetch(self, request: Request) -> Iterator[Response]:
        """The one answer to a request, as the page loop wants it."""
        yield self.send(request)

    def send(self, request: Request) -> Response:
        """The answer; raises by ``wire.statuses`` when it is no success.

        A rejected token is renewed once per call; a second rejection means that
        the credentials no longer hold.
        """
        token = self._tokens.token()
        response = self._calls.send(self._setup.sign(request, token))
        if response.status == 401:
            token = self._tokens.refresh(token)
            response = self._calls.send(self._setup.sign(request, token))
        if response.status == 200:
            return response
        error = error_for(response.status, vendor_message(response))
        if isinstance(error, TokenRejected):
            raise AuthenticationError(
                104, "the vendor rejects a token it has just granted", error.remedy
            )
        raise error


def vendor_message(response: Response) -> str:
    """The error answer's ``message``, else its ``error`` (docs/vendor-notes.md, CASB A2)."""
    try:
        fields = wirejson.strict(response.body)
    except wirejson.MALFORMED:
        return ""
    if not isinstance(fields, dict):
        return ""
    words = fields.get("message") or fields.get("error") or ""
    return words[:_TOLD] if isinstance(words, str) else ""


def _words(response: Response) -> tuple[str, str]:
    error = error_for(response.status, vendor_message(response))
    return error.cause, error.remedy
