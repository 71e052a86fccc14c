"""From a configuration to records at each service over HTTP: every setting arrives."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from collector.app.outputs import sender
from collector.core.model import SpooledBatch
from collector.logs import component_logger
from tests.fakes import azure, hec, sumo
from tests.fakes.azure import AzureServer
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.bulk import BulkServer
from tests.fakes.clock import ManualClock
from tests.fakes.config import changed, settings
from tests.fakes.hec import HecServer
from tests.fakes.http_destinations import base
from tests.fakes.receivers import HttpReceiver, Posted
from tests.fakes.sumo import SumoServer

RECORDS = numbered(1, 5)
BATCH = batch_of(RECORDS)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """A host."""
    with HttpReceiver() as running:
        yield running


def delivered(
    receiver: HttpReceiver, kind: str, config: dict[str, Any], batch: SpooledBatch = BATCH
) -> list[Posted]:
    """What was posted after the batch was delivered by an output with these settings."""
    found = settings(changed("outputs.siem", {"type": kind, "config": config}))
    made = sender(found.outputs["siem"], ManualClock(FIRST), component_logger("Sender", "siem"))
    assert list(made.send(batch)) == []
    made.flush()
    made.close()
    return receiver.posts


@pytest.mark.parametrize("acknowledged", [True, False])
def test_splunk_hec(receiver: HttpReceiver, *, acknowledged: bool) -> None:
    """The token, the channel, the fields and the wait for the indexer."""
    server = HecServer(ack=acknowledged, indexes=frozenset({"mail"}))
    receiver.answer = server
    config = {
        "url": base(receiver.url),
        "token": hec.TOKEN,
        "index": "mail",
        "host": "collector-1",
        "acknowledgement": {"enabled": acknowledged},
    }
    first, *_ = delivered(receiver, "splunk_hec", config)
    assert server.events == RECORDS
    assert server.envelopes[0] == {
        "index": "mail",
        "host": "collector-1",
        "source": "casb.proofpoint.alert",
        "sourcetype": "_json",
        "time": FIRST / 1e6,
    }
    assert len(first.headers["x-splunk-request-channel"]) == 36


WAYS = [
    ({"username": "bob", "password": "pa:ss"}, "Basic " + b64encode(b"bob:pa:ss").decode()),
    ({"api_key": "id:key"}, "ApiKey " + b64encode(b"id:key").decode()),
    ({"api_key": "aWQ6a2V5"}, "ApiKey aWQ6a2V5"),
    ({"bearer_token": "t0ken"}, "Bearer t0ken"),
    ({}, ""),
]


@pytest.mark.parametrize(("credentials", "header"), WAYS)
def test_elasticsearch(receiver: HttpReceiver, credentials: dict[str, str], header: str) -> None:
    """Each way to say who we are, the index, the pipeline and the time."""
    server = BulkServer(authorization=header)
    receiver.answer = server
    config = {
        "url": base(receiver.url),
        "index": "proofpoint-%Y.%m.%d",
        "time_field": "when",
        "ingest_pipeline": "geo",
        "compression": "none",
        **credentials,
    }
    delivered(receiver, "elasticsearch", config)
    assert {index for index, _ in server.documents} == {"proofpoint-2026.01.01"}
    assert all(b'"when":"2026-01-01T00:00:00Z"' in each for each in server.documents.values())
    assert server.queries[0]["pipeline"] == ["geo"]


def test_sumo_logic(receiver: HttpReceiver) -> None:
    """The URL and the metadata."""
    server = SumoServer()
    receiver.answer = server
    config = {
        "url": base(receiver.url) + sumo.PATH,
        "source_name": "n",
        "source_category": "c",
        "source_host": "h",
        "fields": {"f": "{tag}"},
    }
    (posted,) = delivered(receiver, "sumo_logic", config)
    names = ("x-sumo-name", "x-sumo-category", "x-sumo-host", "x-sumo-fields")
    assert [posted.headers[name] for name in names] == ["n", "c", "h", "f=casb.proofpoint.alert"]
    assert server.messages == RECORDS


def test_sentinel(receiver: HttpReceiver) -> None:
    """The application, the rule and the stream."""
    server = AzureServer()
    receiver.answer = server
    config = {
        "endpoint": base(receiver.url),
        "authority": base(receiver.url),
        "rule_id": azure.RULE,
        "stream_name": azure.STREAM,
        "tenant_id": azure.TENANT,
        "client_id": azure.CLIENT,
        "client_secret": azure.SECRET,
        "add_time": False,
    }
    delivered(receiver, "sentinel", config)
    assert server.rows == RECORDS
