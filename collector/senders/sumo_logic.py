"""Sumo Logic: lines to an HTTP source, with the source's metadata in headers.

The interface is that of Sumo Logic's pages "HTTP Logs and Metrics Source" and
"Upload Logs"; a request may hold up to 1 MB before compression.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack
from urllib.parse import urlsplit

from collector.core.model import Frozen
from collector.senders.compression import Compression
from collector.senders.http_batches import PartSender
from collector.senders.http_client import ClientOptions, HttpClient
from collector.senders.http_endpoint import PlainEndpoint
from collector.senders.http_parts import Part
from collector.senders.records import named


class SumoLabels(Frozen, frozen=True):
    """The metadata of the records, as patterns (see ``records.named``); None: the source's own.

    ``sources`` has the headers of each collected source, by its id: what the operator
    says of it holds where this output says nothing else.
    """

    name: str | None = None
    category: str | None = None
    host: str | None = None
    fields: Mapping[str, str] = {}
    sources: Mapping[str, Mapping[str, str]] = {}

    def headers(self, part: Part) -> dict[str, str]:
        """The headers of a post."""
        fields = ",".join(f"{name}={value}" for name, value in self.fields.items())
        patterns = {
            "X-Sumo-Name": self.name,
            "X-Sumo-Category": self.category,
            "X-Sumo-Host": self.host,
            "X-Sumo-Fields": fields or None,
        }
        own = {name: named(text, part.batch) for name, text in patterns.items() if text is not None}
        return {**self.sources.get(part.batch.source, {}), **own}


class SumoLogicSender(PartSender):
    """Posts to the URL of an HTTP source; the URL is the credential and is never shown."""

    def __init__(
        self,
        *,
        url: str,
        labels: SumoLabels | None = None,
        compression: Compression = "gzip",
        max_request_bytes: int = 1_000_000,
        **client: Unpack[ClientOptions],
    ) -> None:
        parts = urlsplit(url)
        endpoint = PlainEndpoint(
            HttpClient(**client),
            url=url,
            place=f"{parts.scheme}://{parts.netloc}",
            headers=(labels or SumoLabels()).headers,
            body="ndjson",
            compression=compression,
            secrets=[url, parts.path.rpartition("/")[2]],
            statuses={},
        )
        super().__init__(endpoint, max_bytes=max_request_bytes)
