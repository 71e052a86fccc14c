"""From the settings of an output over HTTP to its sender."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias
from uuid import uuid4

from collector.app import tls
from collector.config.destinations_http import (
    Acknowledgement,
    ElasticsearchConfig,
    HttpConfig,
    HttpConnection,
    SentinelConfig,
    SplunkHecConfig,
    SumoLogicConfig,
)
from collector.config.outputs import (
    ElasticsearchOutput,
    HttpOutput,
    SentinelOutput,
    SplunkHecOutput,
    SumoLogicOutput,
)
from collector.core.metadata import Metadata, sumo_headers
from collector.core.model import Clock
from collector.senders.base import Hold, Sender
from collector.senders.elasticsearch import ElasticsearchSender
from collector.senders.http import HttpSender
from collector.senders.http_client import ClientOptions
from collector.senders.sentinel import SentinelSender
from collector.senders.splunk_hec import AckPolicy, HecLabels, SplunkHecSender
from collector.senders.sumo_logic import SumoLabels, SumoLogicSender

HttpKind: TypeAlias = (
    HttpOutput | SplunkHecOutput | ElasticsearchOutput | SumoLogicOutput | SentinelOutput
)


def sender(
    output: HttpKind, clock: Clock, metadata: Mapping[str, Metadata] = MappingProxyType({})
) -> Sender:
    """A sender for one lane of an output; nothing is connected yet."""
    match output:
        case HttpOutput():
            return _http(output.config, clock)
        case SplunkHecOutput():
            return _splunk_hec(output.config, clock)
        case ElasticsearchOutput():
            return _elasticsearch(output.config, clock)
        case SumoLogicOutput():
            return _sumo_logic(output.config, clock, metadata)
        case SentinelOutput():
            return _sentinel(output.config, clock)


def _http(config: HttpConfig, clock: Clock) -> HttpSender:
    return HttpSender(
        url=config.url.get_secret_value(),
        headers={name: value.get_secret_value() for name, value in config.headers.items()},
        body=config.body,
        compression=config.compression,
        max_request_bytes=config.max_request_bytes,
        id_header=config.id_header,
        statuses={int(status): meaning for status, meaning in config.status_actions.items()},
        **_client(config, clock),
    )


def _splunk_hec(config: SplunkHecConfig, clock: Clock) -> SplunkHecSender:
    policy = config.acknowledgement
    return SplunkHecSender(
        url=config.url,
        path=config.path,
        token=config.token.get_secret_value(),
        channel=config.channel or str(uuid4()),
        endpoint=config.endpoint,
        labels=HecLabels(
            index=config.index,
            source=config.source,
            sourcetype=config.sourcetype,
            host=config.host,
        ),
        acknowledgement=_acknowledgement(policy) if policy.enabled else None,
        hold=Hold(
            seconds=policy.interval_in_seconds if policy.enabled else 0.0,
            max_bytes=policy.window_in_bytes,
        ),
        compression=config.compression,
        max_request_bytes=config.max_request_bytes,
        **_client(config, clock),
    )


def _elasticsearch(config: ElasticsearchConfig, clock: Clock) -> ElasticsearchSender:
    return ElasticsearchSender(
        url=config.url,
        path=config.path,
        index=config.index,
        authorization=_authorization(config),
        time_field=config.time_field if config.add_time else None,
        ingest_pipeline=config.ingest_pipeline,
        compression=config.compression,
        max_request_bytes=config.max_request_bytes,
        **_client(config, clock),
    )


def _sumo_logic(
    config: SumoLogicConfig, clock: Clock, metadata: Mapping[str, Metadata]
) -> SumoLogicSender:
    return SumoLogicSender(
        url=config.url.get_secret_value(),
        labels=SumoLabels(
            name=config.source_name,
            category=config.source_category,
            host=config.source_host,
            fields=config.fields,
            sources={source: sumo_headers(each) for source, each in metadata.items()},
        ),
        compression=config.compression,
        max_request_bytes=config.max_request_bytes,
        **_client(config, clock),
    )


def _sentinel(config: SentinelConfig, clock: Clock) -> SentinelSender:
    return SentinelSender(
        endpoint=config.endpoint,
        rule_id=config.rule_id,
        stream_name=config.stream_name,
        tenant_id=config.tenant_id,
        client_id=config.client_id,
        client_secret=config.client_secret.get_secret_value(),
        authority=config.authority,
        scope=config.scope,
        api_version=config.api_version,
        time_field=config.time_field if config.add_time else None,
        compression=config.compression,
        max_request_bytes=config.max_request_bytes,
        **_client(config, clock),
    )


def _client(config: HttpConnection, clock: Clock) -> ClientOptions:
    files = config.whole_tls()
    return ClientOptions(
        clock=clock,
        timeout=config.timeout_in_seconds,
        ca=files.ca,
        cert=files.cert,
        key=files.key,
        key_password=tls.revealed(files.key_password),
        checks=tls.checks(files),
        proxy=tls.proxy(config.proxy),
    )


def _acknowledgement(policy: Acknowledgement) -> AckPolicy:
    return AckPolicy(timeout=policy.timeout_in_seconds, interval=policy.poll_interval_in_seconds)


def _authorization(config: ElasticsearchConfig) -> str | None:
    """The header's value for the credentials that are set."""
    if config.username is not None and config.password is not None:
        return f"Basic {_base64(f'{config.username}:{config.password.get_secret_value()}')}"
    if config.api_key is not None:
        key = config.api_key.get_secret_value()
        # Elasticsearch gives the key in both forms; the encoded one has no colon.
        return f"ApiKey {_base64(key) if ':' in key else key}"
    if config.bearer_token is not None:
        return f"Bearer {config.bearer_token.get_secret_value()}"
    return None


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
