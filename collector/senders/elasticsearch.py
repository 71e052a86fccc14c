"""Elasticsearch and OpenSearch: documents under our own ids, so that each is there once.

Every record is created (``create``) under an id that is the same at every try
(``records.identity``).  A repeat is answered 409 and is delivered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Unpack
from urllib.parse import urlencode

import msgspec

from collector.core.model import Clock, SpooledBatch
from collector.senders.compression import Compression, compressed
from collector.senders.elasticsearch_answers import Item, items, unindexed
from collector.senders.http_answers import excerpt, meaning, outcome, unreadable
from collector.senders.http_batches import PartSender
from collector.senders.http_client import ClientOptions, HttpClient, Reply, shown
from collector.senders.http_endpoint import CONTENT_TYPES, content_headers
from collector.senders.http_parts import Outcome, Part, Refused, Settled, joined
from collector.senders.records import dated, described, identity, named, time_of, timed

# Of an answer only this is needed, which is some 30 bytes for a document that was taken.
_FILTER = "errors,items.*.status,items.*.error.type,items.*.error.reason"
_MAX_ANSWER_BYTES = 8 * 1024 * 1024


class ElasticsearchSender(PartSender):
    """Posts to ``url`` + ``path``.

    ``index`` is a pattern (see ``records``) for an index or a data stream, with the date of
    the record's own time; ``time_field`` is added where a record has none (None: never).
    ``authorization`` is the header's value.
    """

    def __init__(
        self,
        *,
        url: str,
        index: str,
        path: str = "/_bulk",
        authorization: str | None = None,
        time_field: str | None = "@timestamp",
        ingest_pipeline: str | None = None,
        compression: Compression = "gzip",
        max_request_bytes: int = 8 * 1024 * 1024,
        **client: Unpack[ClientOptions],
    ) -> None:
        query = {"filter_path": _FILTER}
        if ingest_pipeline is not None:
            query["pipeline"] = ingest_pipeline
        cluster = _Cluster(
            HttpClient(**client),
            clock=client["clock"],
            url=f"{url}{path}?{urlencode(query)}",
            headers={} if authorization is None else {"Authorization": authorization},
            secrets=(authorization or "").split(),
            index=index,
            time_field=time_field,
            compression=compression,
        )
        super().__init__(cluster, max_bytes=max_request_bytes)


class _Cluster:
    """The bulk endpoint, and which documents of a part it has taken already."""

    def __init__(
        self,
        client: HttpClient,
        *,
        clock: Clock,
        url: str,
        headers: Mapping[str, str],
        secrets: Collection[str],
        index: str,
        time_field: str | None,
        compression: Compression,
    ) -> None:
        self._client = client
        self._clock = clock
        self._url = url
        self._place = shown(url)
        self._headers = {**headers, **content_headers(CONTENT_TYPES["ndjson"], compression)}
        self._secrets = secrets
        self._index = index
        self._time_field = time_field
        self._compression = compression
        self._taken: dict[str, set[int]] = {}

    def lines(self, batch: SpooledBatch) -> Sequence[bytes]:
        """Each record with the action before it, on two lines."""
        index = named(self._index, batch)
        now = self._clock.now()
        return [
            self._document(batch, position, line, index, now)
            for position, line in enumerate(batch.lines())
        ]

    def post(self, part: Part) -> Outcome:
        """Post what is left of the part, and judge each document.

        Documents that were taken are not posted again when others must be.
        """
        taken = self._taken.setdefault(part.batch.uid, set())
        left = [n for n in range(part.start, part.end) if n not in taken]
        if not left:
            return Settled(part)
        reply = self._posted([part.lines[n - part.start] for n in left])
        if reply.status != 200:
            verdict = meaning(reply.status, {})
            reason = f"{self._place} answered {reply.status}: {self._said(reply.body)}"
            return outcome(part, reply, verdict, self._place, reason)
        told = items(reply, len(left))
        if told is None:
            return self._untold(part, reply)
        found = dict(zip(left, told, strict=True))
        taken.update(n for n, item in found.items() if item.meaning == "accept")
        self._raise_unindexed(found.values(), reply)
        refused = {n: item for n, item in found.items() if item.meaning == "split"}
        return Settled(part, [self._refused(n, item) for n, item in refused.items()])

    def confirm(self) -> None:
        """What was taken is safe already."""
        self._taken.clear()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _document(
        self, batch: SpooledBatch, position: int, line: bytes, index: str, now: int
    ) -> bytes:
        record = described(line)
        time = time_of(record, batch, now)
        target = {"_index": dated(index, time).lower(), "_id": identity(record, batch, position)}
        action = msgspec.json.encode({"create": target})
        return action + b"\n" + timed(line, record, self._time_field, time)

    def _posted(self, lines: Sequence[bytes]) -> Reply:
        return self._client.post(
            self._url,
            compressed(joined(lines, "ndjson"), self._compression),
            self._headers,
            place=self._place,
            max_answer=_MAX_ANSWER_BYTES,
        )

    def _untold(self, part: Part, reply: Reply) -> Outcome:
        """An answer too long to be read is shorter for fewer documents."""
        too_long = len(reply.body) == _MAX_ANSWER_BYTES and not reply.whole
        if too_long and len(part.lines) > 1:
            return part.halves()
        raise unreadable(self._place)

    def _raise_unindexed(self, found: Collection[Item], reply: Reply) -> None:
        """Raise when a document may be taken later."""
        for item in found:
            if item.meaning == "retry":
                raise unindexed(item, reply, self._place, self._why(item))

    def _refused(self, position: int, item: Item) -> Refused:
        reason = f"{self._place} answered {item.status} for the document: {self._why(item)}"
        return Refused(position, item.status, reason)

    def _why(self, item: Item) -> str:
        return self._said(f"{item.error.type}: {item.error.reason}".encode())

    def _said(self, body: bytes) -> str:
        return excerpt(body, self._secrets)
