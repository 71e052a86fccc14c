"""Settings of the outputs over HTTP: defaults, what they refuse, and what they keep secret."""

from __future__ import annotations

from typing import Any

import pytest

from collector.config.outputs import (
    ElasticsearchOutput,
    SentinelOutput,
    SplunkHecOutput,
    SumoLogicOutput,
)
from collector.config.secured import secrets_of
from tests.fakes.config import changed, only, problems, settings

CONFIGS: dict[str, dict[str, Any]] = {
    "splunk_hec": {"url": "https://splunk.example.com:8088", "token": "the-hec-token"},
    "elasticsearch": {
        "url": "https://elastic.example.com:9200",
        "index": "logs-proofpoint.{service}-default",
        "api_key": "the-api-key",
    },
    "sumo_logic": {"url": "https://sumo.example.com/receiver/v1/http/the-sumo-code"},
    "sentinel": {
        "endpoint": "https://acme.ingest.example.com",
        "rule_id": "dcr-00000000000000000000000000000001",
        "stream_name": "Custom-Proofpoint",
        "tenant_id": "11111111-2222-3333-4444-555555555555",
        "client_id": "66666666-7777-8888-9999-000000000000",
        "client_secret": "the-client-secret",
    },
}
WRONG = [
    ("splunk_hec", "url", "https://splunk.example.com:8088/services/collector"),
    ("splunk_hec", "url", "http://splunk.example.com:8088"),
    ("splunk_hec", "channel", "channel-1"),
    ("splunk_hec", "source", "{host}"),
    ("splunk_hec", "index", ""),
    ("splunk_hec", "endpoint", "metric"),
    ("splunk_hec", "compression", "zstd"),
    ("splunk_hec", "cert", "certs/only.crt"),
    ("elasticsearch", "index", "logs proofpoint"),
    ("elasticsearch", "index", "_logs"),
    ("elasticsearch", "index", "logs-%S"),
    ("elasticsearch", "index", "logs-{service"),
    ("elasticsearch", "username", "half-a-pair"),
    ("elasticsearch", "bearer_token", "a-second-way"),
    ("sumo_logic", "url", "ftp://sumo.example.com/x"),
    ("sumo_logic", "source_category", "Ω"),
    ("sumo_logic", "fields", {"a": "b,c"}),
    ("sumo_logic", "fields", {"a b": "c"}),
    ("sumo_logic", "max_request_bytes", 2_000_000),
    ("sentinel", "rule_id", "dcr/../x"),
    ("sentinel", "tenant_id", "a b"),
    ("sentinel", "endpoint", "https://acme.ingest.example.com/dataCollectionRules"),
]


def document(kind: str, **more: object) -> dict[str, Any]:
    """A configuration with an output of that kind."""
    config = {**CONFIGS[kind], **more}
    return changed("outputs.siem", {"type": kind, "config": config})


@pytest.mark.parametrize("kind", CONFIGS)
def test_minimal(kind: str) -> None:
    """What has no default is enough."""
    assert problems(document(kind)) == ()


@pytest.mark.parametrize(("kind", "name", "value"), WRONG)
def test_refused(kind: str, name: str, value: object) -> None:
    """A wrong value is named with its place and a fix."""
    problem = only(document(kind, **{name: value}))
    assert problem.path.startswith("outputs.siem.config")
    assert problem.fix


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        ("splunk_hec", "the-hec-token"),
        ("elasticsearch", "the-api-key"),
        ("sumo_logic", "https://sumo.example.com/receiver/v1/http/the-sumo-code"),
        ("sentinel", "the-client-secret"),
    ],
)
def test_secrets(kind: str, secret: str) -> None:
    """Credentials are known to the redactor and not to a print."""
    found = settings(document(kind))
    assert secret in secrets_of(found)
    assert secret not in repr(found)


def test_defaults() -> None:
    """Sizes within the vendors' limits; nothing is acknowledged unless asked for."""
    splunk = settings(document("splunk_hec")).outputs["siem"]
    elastic = settings(document("elasticsearch")).outputs["siem"]
    sumo = settings(document("sumo_logic")).outputs["siem"]
    sentinel = settings(document("sentinel")).outputs["siem"]
    assert isinstance(splunk, SplunkHecOutput)
    assert isinstance(elastic, ElasticsearchOutput)
    assert isinstance(sumo, SumoLogicOutput)
    assert isinstance(sentinel, SentinelOutput)
    assert not splunk.config.acknowledgement.enabled
    assert (splunk.config.source, splunk.config.sourcetype) == ("{tag}", "_json")
    assert (elastic.config.time_field, elastic.config.path) == ("@timestamp", "/_bulk")
    assert sentinel.config.time_field == "TimeGenerated"
    assert {each.config.compression for each in (splunk, elastic, sumo, sentinel)} == {"gzip"}
    assert {each.config.max_request_bytes for each in (splunk, sumo, sentinel)} == {1_000_000}
