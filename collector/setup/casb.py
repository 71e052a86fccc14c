"""Proofpoint CASB: one call for a token, which later goes out raw.

See docs/vendor-notes.md, CASB A2: ``POST /v1/auth`` with an ``x-api-key`` header and a JSON
body of ``client_id`` and ``client_secret``; the answer holds ``auth_token``, later
sent as ``Authorization`` without the word "Bearer", always beside ``x-api-key``.
The token's life is not public: an expiry in the answer or in a JWT is honoured,
else ``assumed_lifetime`` holds.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from collector.core import times, wirejson
from collector.core.auth import Token
from collector.core.model import Micros, Request, Response
from collector.core.times import SECOND
from collector.errors import AuthenticationError, VendorUnavailable

_MISSING = "check the api_key, client_id and client_secret with your Proofpoint representative"
_PASSING = frozenset({"server_error", "temporarily_unavailable", "slow_down"})
"""Error codes that pass by themselves, whatever the status (RFC 6749, 4.1.2.1; RFC 8628, 3.5)."""
_LONGEST_TOKEN = 16 * 1024
"""Characters; servers refuse much shorter headers."""


class CasbSetup(msgspec.Struct, frozen=True, kw_only=True):
    """The three secrets, and the unsure points of the authentication call as settings."""

    url: str
    api_key: str
    client_id: str
    client_secret: str
    body_format: str = "json"
    extra_fields: Mapping[str, str] = {}
    token_field: str = "auth_token"  # noqa: S105 - a field's name
    header_prefix: str = ""
    api_key_header: str = "x-api-key"
    assumed_lifetime: Micros = 3600 * SECOND

    def __repr__(self) -> str:
        return f"CasbSetup(url={self.url!r}, ***)"

    def ask(self) -> Request:
        """The call that obtains a token."""
        fields = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            **self.extra_fields,
        }
        headers = {self.api_key_header: self.api_key}
        if self.body_format == "form":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return Request(
                method="POST", url=self.url, headers=headers, body=urlencode(fields).encode()
            )
        return Request(method="POST", url=self.url, headers=headers, json=fields)

    def grant(self, response: Response | None, now: Micros) -> Token:
        """The token in the answer."""
        assert response is not None  # noqa: S101 - ``ask`` always asks
        if _error_code(response) in _PASSING:
            raise VendorUnavailable(
                response.status,
                f"the vendor cannot grant a token now (HTTP {response.status})",
                "nothing to do: a retry follows",
            )
        if response.status in (400, 401, 403):
            raise AuthenticationError(
                101, f"the vendor refused the credentials (HTTP {response.status})", _MISSING
            )
        if not 200 <= response.status < 300:
            raise VendorUnavailable(
                response.status,
                f"the authentication call was answered with HTTP {response.status}",
                "check endpoints.auth if it lasts; a retry follows",
            )
        fields = _object(response)
        value = fields.get(self.token_field)
        if not isinstance(value, str) or not _fits_a_header(value):
            raise AuthenticationError(
                102,
                f"the authentication answer has no {self.token_field} that a header can carry",
                "check endpoints.auth and auth.token_field",
            )
        return Token(value, _expiry(fields, value, now, self.assumed_lifetime))

    def sign(self, request: Request, token: Token) -> Request:
        """The request with the token and the key."""
        headers = {
            **request.headers,
            "Authorization": self.header_prefix + token.value,
            self.api_key_header: self.api_key,
        }
        return msgspec.structs.replace(request, headers=headers)


def _object(response: Response) -> dict[str, Any]:
    """The answer's fields; a page of HTML with status 200 is an outage, not a wrong password."""
    try:
        fields = wirejson.strict(response.body)
    except wirejson.MALFORMED:
        fields = None
    if not isinstance(fields, dict):
        raise VendorUnavailable(
            500,
            "the authentication answer is no JSON object",
            "check endpoints.auth; a retry follows",
        )
    return fields


def _error_code(response: Response) -> str | None:
    """The ``error`` of an answer that has one."""
    try:
        fields = wirejson.strict(response.body)
    except wirejson.MALFORMED:
        return None
    code = fields.get("error") if isinstance(fields, dict) else None
    return code if isinstance(code, str) else None


def _fits_a_header(value: str) -> bool:
    """A header that cannot be sent would raise an error with the token in it."""
    sendable = value.isascii() and value.isprintable() and value == value.strip()
    return sendable and 0 < len(value) <= _LONGEST_TOKEN


def _expiry(fields: dict[str, Any], value: str, now: Micros, assumed: Micros) -> Micros:
    """When the token ends, from the first of the places that says so in a usable way."""
    lifetime = _positive(fields.get("expires_in"))
    if lifetime:
        return now + int(lifetime * SECOND)
    for moment in (fields.get("expires_at"), _jwt_claim(value, "exp")):
        instant = _instant(moment)
        if instant > now:
            return instant
    return now + assumed


def _positive(value: object) -> float:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return 0.0
        return number if 0 < number < 10**9 else 0.0
    return 0.0


def _instant(value: object) -> Micros:
    """Epoch seconds, epoch milliseconds or ISO text; 0 when it is none of them."""
    number = _positive(value)
    if number:
        return int(number * SECOND)
    if isinstance(value, (int, float)) and 10**9 <= value < 10**14:
        return int(value * SECOND) if value < 10**11 else int(value) * 1000
    try:
        return times.parse(value) if isinstance(value, str) else 0
    except ValueError:
        return 0


def _jwt_claim(token: str, name: str) -> object:
    """A claim of a JWT, unverified: it only tells when to fetch the next one."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = wirejson.strict(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (*wirejson.MALFORMED, Base64Error, ValueError):
        return None
    return claims.get(name) if isinstance(claims, dict) else None
