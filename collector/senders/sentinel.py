"""Microsoft Sentinel: JSON arrays to the Logs Ingestion API of Azure Monitor.

The interface is that of Microsoft's page "Logs Ingestion API in Azure Monitor": at
most 1 MB a call, 204 when the records were taken, 429 with Retry-After beyond the
limits of the data collection rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack
from urllib.parse import urlencode

import msgspec

from collector.core.model import Clock, SpooledBatch
from collector.core.wirejson import MALFORMED
from collector.errors import Undelivered
from collector.senders.compression import Compression, compressed
from collector.senders.error_numbers import DENIED, SETTINGS_REFUSED
from collector.senders.http_answers import excerpt, meaning, outcome
from collector.senders.http_batches import PartSender
from collector.senders.http_client import ClientOptions, HttpClient, Reply, shown
from collector.senders.http_endpoint import CONTENT_TYPES, content_headers
from collector.senders.http_parts import Outcome, Part, joined
from collector.senders.oauth import ClientCredentials
from collector.senders.records import described, time_of, timed

# Codes of a 400 or 404 that speak of the output's settings, not of a record.
_REMEDIES = {
    "InvalidStream": "check stream_name: the data collection rule must declare it",
    "InvalidDcrImmutableId": "check rule_id and endpoint: both must be of the same region",
    "NotFound": "check rule_id: it is the immutable id of the data collection rule",
}


class _Error(msgspec.Struct, frozen=True):
    code: str = ""


class _Answer(msgspec.Struct, frozen=True):
    error: _Error = _Error()


_answer = msgspec.json.Decoder(_Answer).decode


class SentinelSender(PartSender):
    """Posts to one stream of a data collection rule, with a token of ``authority``.

    ``time_field`` is added where a record has none (None: never).
    """

    def __init__(
        self,
        *,
        endpoint: str,
        rule_id: str,
        stream_name: str,
        tenant_id: str,
        client_id: str,
        client_secret: str,
        authority: str = "https://login.microsoftonline.com",
        scope: str = "https://monitor.azure.com//.default",
        api_version: str = "2023-01-01",
        time_field: str | None = "TimeGenerated",
        compression: Compression = "gzip",
        max_request_bytes: int = 1_000_000,
        **client: Unpack[ClientOptions],
    ) -> None:
        http = HttpClient(**client)
        place = f"{endpoint}/dataCollectionRules/{rule_id}/streams/{stream_name}"
        stream = _Stream(
            http,
            clock=client["clock"],
            url=f"{place}?{urlencode({'api-version': api_version})}",
            credentials=ClientCredentials(
                http,
                clock=client["clock"],
                url=f"{authority}/{tenant_id}/oauth2/v2.0/token",
                client_id=client_id,
                client_secret=client_secret,
                scope=scope,
            ),
            time_field=time_field,
            compression=compression,
        )
        super().__init__(stream, max_bytes=max_request_bytes - 1)


class _Stream:
    """One stream of a data collection rule."""

    def __init__(
        self,
        client: HttpClient,
        *,
        clock: Clock,
        url: str,
        credentials: ClientCredentials,
        time_field: str | None,
        compression: Compression,
    ) -> None:
        self._client = client
        self._clock = clock
        self._url = url
        self._place = shown(url)
        self._credentials = credentials
        self._time_field = time_field
        self._compression = compression
        self._described = content_headers(CONTENT_TYPES["json_array"], compression)

    def lines(self, batch: SpooledBatch) -> Sequence[bytes]:
        """The records, each with its time."""
        now = self._clock.now()
        return [self._timed(line, batch, now) for line in batch.lines()]

    def post(self, part: Part) -> Outcome:
        """Post the part; a token that is refused is renewed once."""
        body = compressed(joined(part.lines, "json_array"), self._compression)
        token = self._credentials.token()
        reply = self._posted(body, token)
        if reply.status == 401:
            self._credentials.forget()
            token = self._credentials.token()
            reply = self._posted(body, token)
        said = excerpt(reply.body, [token])
        self._raise_misconfigured(reply, said)
        reason = f"{self._place} answered {reply.status}: {said}"
        return outcome(part, reply, meaning(reply.status, {}), self._place, reason)

    def confirm(self) -> None:
        """What was taken is as safe as Azure tells."""

    def close(self) -> None:
        """Close the connections; the token stays good."""
        self._client.close()

    def _timed(self, line: bytes, batch: SpooledBatch, now: int) -> bytes:
        if self._time_field is None:
            return line
        record = described(line)
        return timed(line, record, self._time_field, time_of(record, batch, now))

    def _posted(self, body: bytes, token: str) -> Reply:
        headers = {**self._described, "Authorization": f"Bearer {token}"}
        return self._client.post(self._url, body, headers, place=self._place)

    def _raise_misconfigured(self, reply: Reply, said: str) -> None:
        """Raise when the answer speaks of the settings: the records must not be refused for it."""
        cause = f"{self._place} answered {reply.status}: {said}"
        if reply.status == 403:
            remedy = "give the application the role Monitoring Metrics Publisher on the rule"
            raise Undelivered(DENIED, cause, remedy, reply.retry_after, reply.status)
        code = _code(reply)
        if reply.status in {400, 404} and code in _REMEDIES:
            raise Undelivered(SETTINGS_REFUSED, cause, _REMEDIES[code], reply.retry_after)


def _code(reply: Reply) -> str:
    """The code of Azure's error, or nothing."""
    try:
        return _answer(reply.body).error.code
    except MALFORMED:
        return ""
