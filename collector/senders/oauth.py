"""Access tokens by OAuth 2.0 client credentials (RFC 6749, section 4.4)."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from collector.core.model import Clock
from collector.core.wirejson import MALFORMED
from collector.errors import Undelivered
from collector.senders.error_numbers import DENIED
from collector.senders.http_answers import excerpt, unaccepted, unreadable
from collector.senders.http_client import HttpClient, Reply, shown

# A token is not used in its last seconds, for a post takes time.
_MARGIN_SECONDS = 120.0


class _Granted(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 0.0


class _Token(NamedTuple):
    text: str
    good_until: float


_granted = msgspec.json.Decoder(_Granted).decode


class ClientCredentials:
    """Gets tokens from ``url`` and keeps the last one while it is good."""

    def __init__(
        self,
        client: HttpClient,
        *,
        clock: Clock,
        url: str,
        client_id: str,
        client_secret: str,
        scope: str,
    ) -> None:
        self._client = client
        self._clock = clock
        self._url = url
        self._place = shown(url)
        self._secret = client_secret
        self._form = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": client_secret,
                "scope": scope,
            }
        ).encode()
        self._token: _Token | None = None

    def token(self) -> str:
        """A token that is good for a while; raises ``Undelivered`` when none is granted."""
        if self._token is None or self._token.good_until <= self._clock.monotonic():
            self._token = self._asked()
        return self._token.text

    def forget(self) -> None:
        """Get a new token next time."""
        self._token = None

    def _asked(self) -> _Token:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = self._client.post(self._url, self._form, headers, place=self._place)
        if reply.status in {400, 401}:
            raise self._denied(reply)
        if reply.status != 200:
            raise unaccepted(reply.status, self._place, reply.retry_after)
        try:
            granted = _granted(reply.body)
        except MALFORMED:
            raise unreadable(self._place) from None
        if not _sendable(granted.access_token):
            raise unreadable(self._place)
        lifetime = max(granted.expires_in - _MARGIN_SECONDS, 0.0)
        return _Token(granted.access_token, self._clock.monotonic() + lifetime)

    def _denied(self, reply: Reply) -> Undelivered:
        said = excerpt(reply.body, [self._secret])
        return Undelivered(
            DENIED,
            f"{self._place} grants no token: {said}",
            "check tenant_id, client_id and client_secret of the output, and whether the secret "
            "has expired",
            status=reply.status,
        )


def _sendable(token: str) -> bool:
    """Whether the token can go into a header."""
    return token != "" and token.isascii() and token.isprintable()
