"""Proofpoint on Demand: a configured token, sent as a bearer.

See docs/vendor-notes.md, PoD 1 and 3: the token is issued per cluster in the admin
portal; wrong, expired or for another cluster, it earns a 401.
"""

from __future__ import annotations

import msgspec

from collector.core.auth import Token
from collector.core.model import Micros, Request, Response


class PodSetup(msgspec.Struct, frozen=True):
    """The cluster's token."""

    token: str

    def __repr__(self) -> str:
        return "PodSetup(***)"

    def ask(self) -> None:
        """Nothing to ask: the token is configured."""
        return

    def grant(self, response: Response | None, now: Micros) -> Token:  # noqa: ARG002 - a protocol
        """The configured token."""
        return Token(self.token)

    def sign(self, request: Request, token: Token) -> Request:
        """The request with the bearer header."""
        headers = {**request.headers, "Authorization": f"Bearer {token.value}"}
        return msgspec.structs.replace(request, headers=headers)
