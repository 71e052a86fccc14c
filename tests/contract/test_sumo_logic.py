"""Sumo Logic: metadata in headers, the bound of a request, and a URL that is a secret."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from collector.errors import Undelivered
from collector.senders.compression import Compression
from collector.senders.sumo_logic import SumoLabels, SumoLogicSender
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.http_destinations import base
from tests.fakes.receivers import HttpReceiver
from tests.fakes.sumo import PATH, SumoServer

LABELS = SumoLabels(
    name="{input}",
    category="mail/proofpoint/{service}",
    host="collector-1",
    fields={"_siemForward": "true", "_siemEventID": "{SERVICE}"},
)


@pytest.fixture
def server() -> SumoServer:
    """An HTTP source."""
    return SumoServer()


@pytest.fixture
def receiver(server: SumoServer) -> Iterator[HttpReceiver]:
    """Its host."""
    with HttpReceiver() as running:
        running.answer = server
        yield running


def sumo(
    receiver: HttpReceiver,
    path: str = PATH,
    compression: Compression = "gzip",
    labels: SumoLabels = LABELS,
) -> SumoLogicSender:
    """A sender to the source."""
    return SumoLogicSender(
        url=base(receiver.url) + path,
        labels=labels,
        compression=compression,
        clock=ManualClock(FIRST),
        timeout=2.0,
    )


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_headers(receiver: HttpReceiver, server: SumoServer, compression: Compression) -> None:
    """The records' names stand in Sumo Logic's own headers."""
    sender = sumo(receiver, compression=compression)
    records = numbered(1, 20)
    assert list(sender.send(batch_of(records))) == []
    sender.close()
    (posted,) = receiver.posts
    assert {name: value for name, value in posted.headers.items() if name.startswith("x-")} == {
        "x-sumo-name": "casb.alerts",
        "x-sumo-category": "mail/proofpoint/casb.alerts",
        "x-sumo-host": "collector-1",
        "x-sumo-fields": "_siemForward=true,_siemEventID=CASB.ALERTS",
    }
    assert posted.headers.get("content-encoding", "none") == compression
    assert server.messages == records


def test_what_is_said_of_an_input(receiver: HttpReceiver) -> None:
    """It stands in the headers of its records, unless the output says otherwise."""
    batch = batch_of(numbered(1, 2))
    said = {"X-Sumo-Category": "mail", "X-Sumo-Fields": "tenant=acme"}
    sender = sumo(receiver, labels=SumoLabels(category="all", sources={batch.source: said}))
    sender.send(batch)
    sender.send(msgspec.structs.replace(batch_of(numbered(3, 2), 2), source="other#message"))
    sender.close()
    first, second = (posted.headers for posted in receiver.posts)
    assert (first["x-sumo-category"], first["x-sumo-fields"]) == ("all", "tenant=acme")
    assert "x-sumo-fields" not in second


def test_bound_of_a_request(receiver: HttpReceiver, server: SumoServer) -> None:
    """No request is larger than a megabyte before compression."""
    records = [b'{"n":%d,"x":"%b"}' % (n, b"x" * 90_000) for n in range(40)]
    sender = sumo(receiver)
    sender.send(batch_of(records))
    sender.close()
    assert max(len(posted.body) for posted in receiver.posts) <= 1_000_000
    assert len(receiver.posts) == 4
    assert server.messages == records


def test_the_url_is_never_shown(receiver: HttpReceiver) -> None:
    """A wrong URL is answered 401; the failure names the host alone."""
    wrong = "/receiver/v1/http/ZaVnAnotherInventedCode"
    sender = sumo(receiver, wrong)
    with pytest.raises(Undelivered, match="answered 401") as failure:
        sender.send(batch_of(numbered(1, 3)))
    sender.close()
    assert "/receiver" not in str(failure.value)
