"""Authentication as a conversation that is described, not held.

A setup says which request it wants sent, reads the answer, and signs later
requests.  Who sends, waits and locks is ``setup/keeper.py`` and the wire.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from collector.core.model import Micros, Request, Response

NEVER: Micros = 1 << 62
"""The expiry of a token that does not expire."""


class Token(msgspec.Struct, frozen=True):
    """What the vendor granted.  Never printed: ``repr`` hides the value."""

    value: str
    expires: Micros = NEVER

    def __repr__(self) -> str:
        return "Token(***)"


class Setup(Protocol):
    """Who we are to one vendor service."""

    def ask(self) -> Request | None:
        """The request that obtains a token; None when the token is configured."""
        ...

    def grant(self, response: Response | None, now: Micros) -> Token:
        """The token in the answer; raises ``AuthenticationError`` or ``VendorUnavailable``."""
        ...

    def sign(self, request: Request, token: Token) -> Request:
        """The request with the headers that say who we are."""
        ...
