"""Who we are now: a setup whose secrets may be replaced while we run."""

from __future__ import annotations

from collections.abc import Callable

from collector.core.auth import Setup, Token
from collector.core.model import Micros, Request, Response


class LatestSetup:
    """Satisfies ``core.auth.Setup`` by what ``make`` answers at that moment."""

    def __init__(self, make: Callable[[], Setup]) -> None:
        self._make = make

    def ask(self) -> Request | None:
        """The request that obtains a token."""
        return self._make().ask()

    def grant(self, response: Response | None, now: Micros) -> Token:
        """The token in the answer."""
        return self._make().grant(response, now)

    def sign(self, request: Request, token: Token) -> Request:
        """The request with the headers that say who we are."""
        return self._make().sign(request, token)
