"""HTTP: one POST a batch, cut into parts where the destination needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from collector.senders.compression import Compression
from collector.senders.http_answers import Meaning
from collector.senders.http_batches import PartSender
from collector.senders.http_client import ClientOptions, HttpClient, shown
from collector.senders.http_endpoint import PlainEndpoint
from collector.senders.http_parts import Body


class HttpSender(PartSender):
    """Posts batches to one URL.

    ``max_request_bytes`` counts before compression.  ``id_header`` carries the
    id of the posted part, by which a destination can drop a repeat; parts that
    were accepted are not posted again by this process.  ``statuses`` overrides
    the table in ``http_answers``.
    """

    def __init__(
        self,
        *,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Body = "ndjson",
        compression: Compression = "none",
        max_request_bytes: int = 4 * 1024 * 1024,
        id_header: str = "Idempotency-Key",
        statuses: Mapping[int, Meaning] | None = None,
        **client: Unpack[ClientOptions],
    ) -> None:
        fixed = headers or {}
        endpoint = PlainEndpoint(
            HttpClient(**client),
            url=url,
            place=shown(url),
            headers=lambda part: {**fixed, id_header: part.id},
            body=body,
            compression=compression,
            secrets=[word for value in fixed.values() for word in value.split()],
            statuses=statuses or {},
        )
        super().__init__(endpoint, max_bytes=max_request_bytes - (body == "json_array"))
