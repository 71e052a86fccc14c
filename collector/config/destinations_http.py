"""Settings of the destinations that are reached over HTTP."""

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from collector.config.destinations import Compression
from collector.config.fields import (
    MIB,
    UNSURE,
    Bytes,
    HeaderName,
    HeaderSecret,
    Seconds,
    Secret,
    Section,
    Text,
    UrlPath,
    refuse,
)
from collector.config.labels import FILLED, FieldValue, IndexPattern, Pattern
from collector.config.proxies import OutputProxy
from collector.config.tls import TrustsCa
from collector.config.urls import BaseUrl, PostUrl

_WORD = re.compile(r"[A-Za-z0-9._-]{1,256}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        reason = "has other characters than letters, digits, dots, - and _"
        raise refuse(reason, "copy it from the page that shows it")
    return text


def _guid(text: str) -> str:
    if not _GUID.fullmatch(text):
        raise refuse("is no GUID", "write one like 3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    return text


Word: TypeAlias = Annotated[str, AfterValidator(_word)]
Guid: TypeAlias = Annotated[str, AfterValidator(_guid)]
GzipOrNone: TypeAlias = Literal["none", "gzip"]


class HttpConnection(TrustsCa):
    """What every destination over HTTP has: its time-out, TLS and the way to it."""

    timeout_in_seconds: Seconds = Field(
        default=30.0, description="Seconds that one request may take in all."
    )
    proxy: OutputProxy = Field(
        default=OutputProxy(), description="The HTTP proxy on the way to the endpoint."
    )


class HttpConfig(HttpConnection):
    """An HTTP endpoint that takes batches by POST."""

    url: PostUrl = Field(
        description="URL to post to. Kept secret, because some services put a token into it."
    )
    headers: dict[HeaderName, HeaderSecret] = Field(
        default={},
        max_length=64,
        description="Headers to add, for example `Authorization`. Values are kept secret.",
    )
    body: Literal["ndjson", "json_array"] = Field(
        default="ndjson", description="`ndjson`: one record a line. `json_array`: one array."
    )
    compression: Compression = Field(
        default="none", description="Compression of the body, named in Content-Encoding."
    )
    max_request_bytes: Bytes = Field(
        default=8 * MIB,
        description="Largest body in bytes before compression; a larger batch is split. An answer "
        "413 halves it further.",
    )
    id_header: HeaderName = Field(
        default="Idempotency-Key",
        description="Header with the batch's id, the same at every try, by which the endpoint can "
        "drop repeats.",
    )
    status_actions: dict[
        Annotated[str, Field(pattern=r"^[1-5][0-9][0-9]$")], Literal["accept", "split", "retry"]
    ] = Field(
        default={},
        description="What an answer means, by status, over the built-in table: `accept` "
        "(delivered), `split` (send halves; a record refused alone is kept aside), `retry` later.",
    )


class Acknowledgement(Section):
    """Splunk's indexer acknowledgement."""

    enabled: bool = Field(
        default=False,
        description="Count records as delivered when they are indexed, not when they are taken. "
        "The token must have indexer acknowledgement switched on.",
    )
    interval_in_seconds: Seconds = Field(
        default=5.0, description="Seconds for which posts are gathered before they are asked for."
    )
    window_in_bytes: Bytes = Field(
        default=8 * MIB, description="Unacknowledged bytes at which they are asked for early."
    )
    poll_interval_in_seconds: Seconds = Field(
        default=1.0, description="Seconds between two questions."
    )
    timeout_in_seconds: Seconds = Field(
        default=300.0,
        description="Seconds after which posts that are not indexed are sent again; those that "
        "were indexed after all are then there twice.",
    )


class SplunkHecConfig(HttpConnection):
    """Splunk's HTTP Event Collector."""

    url: BaseUrl = Field(description="Host, for example `https://splunk.example.com:8088`.")
    path: UrlPath = Field(
        default="/services/collector", description="Path below which the endpoints lie."
    )
    token: HeaderSecret = Field(description="The HTTP Event Collector token.")
    endpoint: Literal["event", "raw"] = Field(
        default="event",
        description="`event`: each record with its own time. `raw`: lines, from which Splunk "
        "reads time and limits as the source type says.",
    )
    index: Pattern | None = Field(
        default=None, description=f"Index. Default: the token's. {FILLED}"
    )
    source: Pattern = Field(default="{tag}", description=f"Field `source`. {FILLED}")
    sourcetype: Pattern = Field(
        default="_json", description=f"Field `sourcetype`. Default of Splunk: null. {FILLED}"
    )
    host: Pattern | None = Field(
        default=None, description=f"Field `host`. Default: the token's. {FILLED}"
    )
    channel: Guid | None = Field(
        default=None,
        description="GUID of the request channel. Default: a new one for each run and lane.",
    )
    compression: GzipOrNone = Field(default="gzip", description="Compression of the body.")
    max_request_bytes: Bytes = Field(
        default=1_000_000,
        description="Largest body in bytes before compression; a larger batch is split. Splunk's "
        "limit is `max_content_length` in limits.conf.",
    )
    acknowledgement: Acknowledgement = Field(
        default=Acknowledgement(), description="Whether to wait for the indexer."
    )


class ElasticsearchConfig(HttpConnection):
    """Elasticsearch, or OpenSearch."""

    url: BaseUrl = Field(description="Host, for example `https://elastic.example.com:9200`.")
    path: UrlPath = Field(default="/_bulk", description="Path of the bulk interface.")
    index: IndexPattern = Field(
        description="Index or data stream, for example `logs-proofpoint.{service}-default` or "
        f"`proofpoint-{{service}}-%Y.%m.%d`. {FILLED} `%Y`, `%m`, `%d` and `%H` are those of the "
        "record's own time in UTC; capitals become small letters."
    )
    username: Text | None = Field(default=None, description="User; needs `password`.")
    password: Secret | None = Field(default=None, description="Password; needs `username`.")
    api_key: HeaderSecret | None = Field(
        default=None, description="API key, as `id:key` or in its encoded form."
    )
    bearer_token: HeaderSecret | None = Field(default=None, description="Bearer token.")
    add_time: bool = Field(
        default=True,
        description="Add the event's time to records that have no field of that name.",
    )
    time_field: Text = Field(
        default="@timestamp", description="That field; a data stream needs `@timestamp`."
    )
    ingest_pipeline: Word | None = Field(
        default=None, description="Ingest pipeline. Default: that of the index."
    )
    compression: GzipOrNone = Field(default="gzip", description="Compression of the body.")
    max_request_bytes: Bytes = Field(
        default=8 * MIB,
        description="Largest body in bytes before compression; a larger batch is split. The "
        "cluster's limit is `http.max_content_length`, 100 MB by default.",
    )

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise refuse("has one of username and password", "give both, or neither")
        ways = [self.username, self.api_key, self.bearer_token]
        if sum(way is not None for way in ways) > 1:
            reason = "has more than one of username, api_key and bearer_token"
            raise refuse(reason, "keep the one that the cluster is to check")
        return self


class SumoLogicConfig(HttpConnection):
    """An HTTP Logs source of Sumo Logic."""

    url: PostUrl = Field(description="URL of the HTTP source. It is the credential: kept secret.")
    source_name: Pattern | None = Field(
        default=None, description=f"Header X-Sumo-Name. Default: the input's name. {FILLED}"
    )
    source_category: Pattern | None = Field(
        default=None,
        description=f"Header X-Sumo-Category. Default: the input's `category`, if any. {FILLED}",
    )
    source_host: Pattern | None = Field(
        default=None, description=f"Header X-Sumo-Host. Default: the source's. {FILLED}"
    )
    fields: dict[HeaderName, FieldValue] = Field(
        default={},
        max_length=64,
        description="Header X-Sumo-Fields. Default: the input's `fields` and `tenant`. Sumo Logic "
        "drops fields that its schema lacks. "
        f"{FILLED}",
    )
    compression: Compression = Field(
        default="gzip", description=f"Compression of the body. On `zstd`: {UNSURE}"
    )
    max_request_bytes: Annotated[Bytes, Field(le=MIB)] = Field(
        default=1_000_000,
        description="Largest body in bytes before compression; a larger batch is split. Sumo "
        "Logic takes up to 1 MB.",
    )


class SentinelConfig(HttpConnection):
    """A stream of Azure Monitor's Logs Ingestion API, as Microsoft Sentinel reads it."""

    endpoint: BaseUrl = Field(
        description="Logs ingestion endpoint of the data collection rule or endpoint, for example "
        "`https://acme-x1y2.westeurope-1.ingest.monitor.azure.com`."
    )
    rule_id: Word = Field(
        description="Immutable id of the data collection rule, `dcr-` and 32 digits."
    )
    stream_name: Word = Field(
        description="Stream that the rule declares, for example `Custom-Proofpoint`."
    )
    tenant_id: Word = Field(description="Tenant (directory) of the application.")
    client_id: Word = Field(description="Application (client) id.")
    client_secret: Secret = Field(description="A secret of the application.")
    authority: BaseUrl = Field(
        default="https://login.microsoftonline.com",
        description="Who grants tokens; other clouds have their own.",
    )
    scope: Text = Field(
        default="https://monitor.azure.com//.default",
        description="Scope of the token; other clouds have their own.",
    )
    api_version: Word = Field(default="2023-01-01", description="Version of the interface.")
    add_time: bool = Field(
        default=True,
        description="Add the event's time to records that have no field of that name.",
    )
    time_field: Text = Field(
        default="TimeGenerated", description="That field; every table of Azure has `TimeGenerated`."
    )
    compression: GzipOrNone = Field(default="gzip", description="Compression of the body.")
    max_request_bytes: Annotated[Bytes, Field(le=MIB)] = Field(
        default=1_000_000,
        description="Largest body in bytes before compression; a larger batch is split. Azure "
        "takes up to 1 MB.",
    )
