"""The benchmark's own parts work; no figure is judged here."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench import documents, product, report
from bench.certificate import HOST, Certificate
from bench.context import Context, Product
from bench.field import Contestant, Field, collector, finished_hour, run
from bench.frames import Ring
from bench.measured import Failed, cost
from bench.outcome import Measurement, Outcome, Verdict, skipped
from bench.records import SIZE, pod_messages
from bench.rows import senders
from bench.rows.end_to_end import COMPRESSED, OTHERS, SEGMENT, TUNED, prove
from bench.rows.many import lags
from bench.servers import Server, generator, services, sink, tenants
from bench.sink import Octets

RECORDS = 300
RING = 200

OUTCOMES = {
    "first": Outcome(
        [Measurement("product", {"records/s": 51234.5, "CPU us/record": 9.876})],
        [Verdict(2, "twice the peer", "2.1x", met=True), skipped(1, "as the bound", "not today")],
        ["Of so many records."],
    ),
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """The benchmark over the collector of this environment."""
    folder = tmp_path_factory.mktemp("bench")
    installed = Product(Path(sys.executable).parent)
    return Context(folder, Certificate.issued(folder), installed, rounds=1, quick=True)


@pytest.fixture(scope="module")
def vendor(context: Context) -> Iterator[Server]:
    """A small load generator."""
    with generator(context.certificate, RING) as server:
        yield server


def test_messages_have_the_size_and_distinct_ids() -> None:
    """A ring has messages of the size that is told, each with an id and a time of its own."""
    messages = [json.loads(message) for message in pod_messages(RING)]
    assert {len(message) for message in pod_messages(RING)} == {SIZE}
    assert len({message["guid"] for message in messages}) == RING
    assert len({message["ts"] for message in messages}) == RING


def test_a_ring_never_repeats_an_id() -> None:
    """More records than the ring holds come with other ids, in the hour that is asked for."""
    pieces = Ring(pod_messages(RING)).pieces(RECORDS, "2026-01-01T05")
    frames = b"".join(bytes(piece) for piece in pieces)
    assert len(frames) == RECORDS * (SIZE + 4)
    starts = range(4, len(frames), SIZE + 4)
    messages = [json.loads(frames[start : start + SIZE]) for start in starts]
    assert len({message["guid"] for message in messages}) == RECORDS
    assert {message["ts"][:13] for message in messages} == {"2026-01-01T05"}


def test_octet_counting_takes_any_cut() -> None:
    """Messages are counted wherever the network cuts them."""
    text = b"".join(b"%d %b" % (size, b"x" * size) for size in (1, 10, 345, 2000))
    for cut in range(len(text)):
        counter = Octets()
        assert sum(counter.count(memoryview(part)) for part in (text[:cut], text[cut:])) == 4


def test_the_sink_counts_lines_and_posts(context: Context) -> None:
    """Lines and the records of posts are counted, and ids told apart."""
    first, second = pod_messages(2)
    post = b"POST / HTTP/1.1\r\nContent-Length: 2001\r\n\r\n%b\n" % first
    with sink(context.certificate, unique=True) as destination:
        _send(destination, b"<14>host: %b\n<14>host: %b\n" % (first, second))
        assert _send(destination, post, answers=1).startswith(b"HTTP/1.1 200")
        told = destination.told("/")
    assert (told["records"], told["unique"]) == (3, 2)


def _send(destination: Server, text: bytes, answers: int = 0) -> bytes:
    """Send, take so many answers, end in order, and wait for the sink's end."""
    with (
        socket.create_connection((HOST, destination.port)) as connection,
        destination.certificate.client().wrap_socket(connection, server_hostname=HOST) as channel,
    ):
        channel.sendall(text)
        heard = b"".join(channel.recv(4096) for _ in range(answers))
        channel.unwrap()
    return heard


def test_the_product_is_measured_and_loses_nothing(context: Context, vendor: Server) -> None:
    """The collector takes an hour from the generator to the sink, each record once."""
    contestant = Contestant("product", 1, collector(product.syslog))
    with sink(context.certificate, unique=True) as destination:
        field = Field(context, vendor, destination, finished_hour())
        found = run(field, contestant, RECORDS)
        assert destination.told("/")["unique"] == RECORDS
    assert found.records == RECORDS
    assert min(found.seconds, found.cpu, found.peak) > 0


def test_a_contestant_that_loses_records_fails(context: Context, vendor: Server) -> None:
    """What did not arrive is no figure but a failure."""
    idle = Contestant("idle", 1, lambda _field, _folder, _records: [sys.executable, "-c", ""])
    with sink(context.certificate) as destination:
        field = Field(context, vendor, destination, finished_hour())
        with pytest.raises(Failed, match="0 of 20000 records"):
            prove(field, idle)


@pytest.mark.parametrize("name", [SEGMENT, COMPRESSED, TUNED])
def test_the_others_are_measured(context: Context, vendor: Server, name: str) -> None:
    """A bound and a peer bring every record to the sink."""
    (contestant,) = (each for each in OTHERS if each.name == name)
    with sink(context.certificate) as destination:
        field = Field(context, vendor, destination, finished_hour())
        assert run(field, contestant, RECORDS).records == RECORDS


@pytest.mark.parametrize("name", senders.SERVICES)
def test_each_sender_brings_all_to_its_service(context: Context, name: str) -> None:
    """Every service of the benchmark takes and counts what its sender sends."""
    output, path = senders.SERVICES[name]
    with services(context.certificate) as cloud:
        found = senders.sent(context, cloud, output, 2, path)
    assert found["CPU us/record"] > 0


def test_quiet_tenants_answer_the_collector(context: Context) -> None:
    """A collector finds nothing at a quiet tenant, and is complete."""
    with context.scratch() as folder, tenants(context.certificate) as casb:
        inputs = {"casb": product.casb_input(casb, "key", int(time.time()) // 3600, 600.0)}
        found = product.document(folder, inputs, product.files(folder / "out"))
        cost(product.command(context, folder, found, "--once"), folder)
        calls = casb.told("/calls")
    assert {"key /v1/auth", "key /v2/events"} <= set(calls)


def test_lag_is_told_by_the_earliest_pull() -> None:
    """A pull that comes two seconds late lags by two; a pull's second call counts for nothing."""
    assert lags([[100.0, 100.5, 112.0, 120.0]], since=0.0) == [0.0, 2.0, 0.0]


def test_the_table_shows_figures_and_verdicts() -> None:
    """The table tells each figure, and of each goal whether it is met."""
    console = Console(width=100, file=StringIO())
    report.show("first", OUTCOMES["first"], console)
    report.show_goals(OUTCOMES, console)
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    for told in ("51,234", "9.88", "met", "not measured", "Of so many records."):
        assert told in text


def test_the_page_has_the_marks_and_tables() -> None:
    """The tables of a run find their place in the page."""
    page = documents.PAGE.read_text(encoding="utf-8")
    assert page.index(documents.BEGIN) < page.index(documents.END)
    tables = documents.tables(OUTCOMES, {"cores": "2"}, quick=True)
    assert "| 2 | twice the peer | 2.1x | met |" in "\n".join(tables)


def test_json_holds_everything() -> None:
    """Programs get the machine, the figures and the verdicts."""
    found = json.loads(json.dumps(report.as_json(OUTCOMES, {"cores": "2"}, quick=True)))
    assert found["rows"]["first"]["measurements"]["product"]["records/s"] == 51234.5
    assert [each["goal"] for each in found["goals"]] == [1, 2]
