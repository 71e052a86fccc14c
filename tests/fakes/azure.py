"""Azure's token service and its logs ingestion endpoint, on one host."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import msgspec

from tests.fakes.receivers import Answer, Posted

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
SECRET = "an-invented~client.secret"
SCOPE = "https://monitor.azure.com//.default"
RULE = "dcr-00000000000000000000000000000001"
STREAM = "Custom-Proofpoint"
MAX_BYTES = 1_048_576

_TOKENS = f"/{TENANT}/oauth2/v2.0/token"
_INGEST = f"/dataCollectionRules/{RULE}/streams/{STREAM}?api-version=2023-01-01"


def error(status: int, code: str) -> Answer:
    """An answer with an error of Azure's form."""
    body = {"error": {"code": code, "message": f"{code} was found"}}
    return Answer(status, (), json.dumps(body).encode())


class AzureServer:
    """``rows`` are the records that were ingested, as the bytes that came.

    Only the last of the ``granted`` tokens is good; ``revoke`` makes it bad.
    """

    def __init__(self, *, lifetime: int = 3600) -> None:
        self.rows: list[bytes] = []
        self.granted = 0
        self._lifetime = lifetime
        self._good = ""

    def revoke(self) -> None:
        """The last token is no longer good."""
        self._good = ""

    def __call__(self, posted: Posted) -> Answer:
        """Answer one request."""
        if posted.path == _TOKENS:
            return self._grant(posted)
        if posted.path.partition("/streams/")[0] != _INGEST.partition("/streams/")[0]:
            return error(404, "NotFound")
        if posted.headers.get("authorization") != f"Bearer {self._good}":
            return error(401, "InvalidToken")
        if posted.path != _INGEST:
            return error(400, "InvalidStream")
        return self._ingest(posted.body)

    def _grant(self, posted: Posted) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(posted.body.decode()).items()}
        wanted = {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": SCOPE,
        }
        if asked != wanted:
            told = {"error": "invalid_client", "error_description": f"AADSTS7000215: {asked}"}
            return Answer(401, (), json.dumps(told).encode())
        self.granted += 1
        self._good = f"token-number-{self.granted}"
        granted: dict[str, object] = {
            "token_type": "Bearer",
            "expires_in": self._lifetime,
            "access_token": self._good,
        }
        return Answer(200, (), json.dumps(granted).encode())

    def _ingest(self, body: bytes) -> Answer:
        if len(body) > MAX_BYTES:
            return error(413, "ContentLengthLimitExceeded")
        rows = [bytes(row) for row in msgspec.json.decode(body, type=list[msgspec.Raw])]
        if not all(row.startswith(b"{") for row in rows):
            return error(400, "InvalidRequestBody")
        self.rows += rows
        return Answer(204)
