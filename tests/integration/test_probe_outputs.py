"""Tests of outputs against servers on loopback: up to a record that is confirmed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.app.probing import exit_code
from collector.app.probing_outputs import places
from collector.probe.findings import Report, Result, Step
from tests.fakes import config
from tests.fakes.kafka_brokers import KafkaBrokers
from tests.fakes.kafka_door import KafkaDoor
from tests.fakes.pki import Pki
from tests.fakes.probing import document, failure, probed, results, secure, seen
from tests.fakes.processes import free_port
from tests.fakes.receivers import HttpReceiver, StreamReceiver, newline_lines


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """A new authority."""
    return Pki(tmp_path)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """A destination over HTTP that takes everything."""
    with HttpReceiver() as running:
        yield running


def output(folder: Path, kind: str, settings: dict[str, Any], **choice: Any) -> Report:
    """The test of one output; ``internal`` in the settings is the output's own."""
    internal = settings.pop("internal", True)
    siem = {"type": kind, "internal": internal, "config": settings}
    return probed(document(folder, outputs={"siem": siem}), "siem", **choice)


def http(folder: Path, url: str, **changed: Any) -> Report:
    """The test of an output over HTTP."""
    choice = {name: changed.pop(name) for name in ("probe", "patience") if name in changed}
    return output(folder, "http", {"url": url, **changed}, **choice)


def marked(line: bytes) -> bool:
    """Whether a record says that it is the test's."""
    record = json.loads(line)
    return bool(record["type"] == "connection_test" and record["collector_id"] == "4711")


def test_http_takes_one_marked_record(tmp_path: Path, receiver: HttpReceiver) -> None:
    """All steps pass, and the destination has one record that says what it is."""
    found = http(tmp_path, receiver.url)
    assert found.passed
    assert exit_code([found]) == 0
    (posted,) = receiver.accepted
    assert marked(posted.body)


def test_syslog_confirms_over_tls(tmp_path: Path, pki: Pki) -> None:
    """A receiver that acknowledges nothing confirms by the end of the connection."""
    with StreamReceiver(secure(pki.issue(issuer=pki.ca))) as server:
        settings = {"address": "127.0.0.1", "port": server.port, "ca": str(pki.ca.cert)}
        found = output(tmp_path, "syslog", {**settings, "framing": "newline"})
    assert found.passed
    (line,) = newline_lines(server.received)
    assert b"connection_test" in line


def test_devo_relay(tmp_path: Path) -> None:
    """The record goes to the tag of the collector's own metrics."""
    with StreamReceiver() as server:
        settings = {"address": "127.0.0.1", "port": server.port, "type": "TCP"}
        found = output(tmp_path, "devo", settings)
    assert found.passed
    (line,) = newline_lines(server.received)
    assert b" devo.collectors.out: " in line


def test_no_probe(tmp_path: Path, receiver: HttpReceiver) -> None:
    """With --no-probe the way is tested, and nothing is sent."""
    found = http(tmp_path, receiver.url, probe=False)
    assert (found.passed, seen(found, Step.PROBE)) == (True, "--no-probe")
    assert receiver.posts == []


def test_output_without_internal_records(tmp_path: Path, receiver: HttpReceiver) -> None:
    """An output that takes no internal records gets one only when that is asked for."""
    found = http(tmp_path, receiver.url, internal=False)
    assert results(found)[Step.PROBE] is Result.SKIPPED
    assert receiver.posts == []
    forced = http(tmp_path, receiver.url, internal=False, probe=True)
    assert results(forced)[Step.PROBE] is Result.PASSED


def test_file_has_a_file_of_its_own(tmp_path: Path) -> None:
    """The probe leaves the files alone that a running collector may have open."""
    found = output(tmp_path, "file", {"path": str(tmp_path / "out")})
    assert found.passed
    assert "it will be made" in seen(found, Step.FOLDER)
    written = [path for path in (tmp_path / "out").iterdir() if path.suffix == ".ndjson"]
    assert [path.name for path in written] == ["devo.collectors.out.test.ndjson"]
    assert marked(written[0].read_bytes())


def test_file_without_probe_makes_nothing(tmp_path: Path) -> None:
    """Looking at the folder does not make it."""
    assert output(tmp_path, "file", {"path": str(tmp_path / "out")}, probe=False).passed
    assert not (tmp_path / "out").exists()


def test_console(tmp_path: Path) -> None:
    """The standard output is not written to: it may be the test's own report."""
    found = output(tmp_path, "console", {})
    assert results(found) == {Step.PROBE: Result.SKIPPED}


URL = "https://siem.example.com"
PLACES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "splunk_hec": ({"url": f"{URL}:8088", "token": "t0ken"}, ["siem.example.com:8088"]),
    "elasticsearch": ({"url": f"{URL}:9200", "index": "logs"}, ["siem.example.com:9200"]),
    "sumo_logic": ({"url": f"{URL}/receiver/v1/http/c0de"}, ["siem.example.com:443"]),
    "sentinel": (
        {
            "endpoint": "https://ingest.example.com",
            "rule_id": "dcr-1",
            "stream_name": "Custom-Proofpoint",
            "tenant_id": "tenant",
            "client_id": "client",
            "client_secret": "s3cret",
            "authority": "https://login.example.com",
        },
        ["login.example.com:443", "ingest.example.com:443"],
    ),
    "kafka": (
        {"bootstrap_servers": ["kafka-1.example.com:9093", "[2001:db8::1]:9093"]},
        ["kafka-1.example.com:9093", "[2001:db8::1]:9093"],
    ),
    "s3": ({"bucket": "logs", "endpoint_url": "https://s3.example.com"}, ["s3.example.com:443"]),
}


@pytest.mark.parametrize("kind", PLACES)
def test_places(kind: str) -> None:
    """Each kind of output is tested at every host that it needs."""
    settings, expected = PLACES[kind]
    whole = config.changed("outputs.siem", {"type": kind, "config": settings})
    found = places(config.settings(whole).outputs["siem"])
    assert [each.shown for each in found] == expected
    assert all(each.context is not None for each in found)


@pytest.mark.parametrize("name", ["kafka.example.com", "other.example.com"])
def test_kafka_under_one_name(tmp_path: Path, pki: Pki, name: str) -> None:
    """`tls.server_name` is asked for at each step, up to the record; another one is refused."""
    context = secure(pki.issue(issuer=pki.ca, names=("kafka.example.com",)))
    with KafkaBrokers() as brokers, KafkaDoor(context, brokers.servers) as door:
        tls = {"ca": str(pki.ca.cert), "server_name": name}
        settings = {"bootstrap_servers": [door.servers], "topic": "test", "tls": tls}
        found = output(tmp_path, "kafka", settings)
        messages = brokers.messages("test")
    assert found.passed == (name == "kafka.example.com")
    assert len(messages) == found.passed
    assert found.passed or failure(found).step is Step.TLS


def test_one_broker_is_enough_to_go_on(tmp_path: Path) -> None:
    """A broker that is away is told, and the probe still goes through the others."""
    with StreamReceiver() as server:
        servers = [f"127.0.0.1:{free_port()}", f"127.0.0.1:{server.port}"]
        settings = {"bootstrap_servers": servers, "protocol": "tcp"}
        found = output(tmp_path, "kafka", settings, probe=False)
    assert failure(found).place == servers[0]
    assert seen(found, Step.PROBE) == "--no-probe"
