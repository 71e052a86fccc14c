"""An HTTP endpoint that tells by its status alone what became of a post."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from collector.core.model import SpooledBatch
from collector.senders.compression import Compression, compressed
from collector.senders.http_answers import Meaning, excerpt, meaning, outcome
from collector.senders.http_client import HttpClient
from collector.senders.http_parts import Body, Outcome, Part, joined

CONTENT_TYPES: dict[Body, str] = {
    "ndjson": "application/x-ndjson",
    "json_array": "application/json",
}
_ENCODINGS: dict[Compression, str] = {"gzip": "gzip", "zstd": "zstd"}


class PlainEndpoint:
    """Posts the records as they are; ``headers`` gives what else a post carries.

    ``place`` names the endpoint in failures; ``secrets`` are struck out of what it answers;
    ``statuses`` overrides the table in ``http_answers``.
    """

    def __init__(
        self,
        client: HttpClient,
        *,
        url: str,
        place: str,
        headers: Callable[[Part], Mapping[str, str]],
        body: Body,
        compression: Compression,
        secrets: Collection[str],
        statuses: Mapping[int, Meaning],
    ) -> None:
        self._client = client
        self._url = url
        self._place = place
        self._headers = headers
        self._body = body
        self._compression = compression
        self._described = content_headers(CONTENT_TYPES[body], compression)
        self._secrets = secrets
        self._statuses = statuses

    def lines(self, batch: SpooledBatch) -> Sequence[bytes]:
        """The records, unchanged."""
        return batch.lines()

    def post(self, part: Part) -> Outcome:
        """Post the part and judge the status."""
        body = compressed(joined(part.lines, self._body), self._compression)
        headers = {**self._headers(part), **self._described}
        reply = self._client.post(self._url, body, headers, place=self._place)
        said = excerpt(reply.body, self._secrets)
        reason = f"{self._place} answered {reply.status}: {said}"
        return outcome(part, reply, meaning(reply.status, self._statuses), self._place, reason)

    def confirm(self) -> None:
        """What was taken is safe already."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def content_headers(content_type: str, compression: Compression) -> dict[str, str]:
    """The headers that describe a body."""
    headers = {"Content-Type": content_type}
    if compression in _ENCODINGS:
        headers["Content-Encoding"] = _ENCODINGS[compression]
    return headers
