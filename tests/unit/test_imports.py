"""Configurations of other products, made into ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.config.casb import CasbInput
from collector.config.outputs import DevoOutput, FileOutput, SyslogOutput
from collector.config.pipelines import ExplodeStep, ParseJsonStep
from collector.config.pod import PodInput
from collector.config.websocket import WebSocketInput
from collector.errors import ConfigError
from collector.importers.products import PRODUCTS, Imported
from tests.fakes.imports import (
    CANARY,
    EXAMPLES,
    SECRETS,
    STREAM,
    environment,
    example,
    imported,
    mapped,
    settings,
    told,
)

UNKNOWN = "is unknown here"


def pod(product: str, text: str, name: str) -> PodInput:
    """One PoD input of what becomes of a text."""
    found = settings(imported(product, text)).inputs[name]
    assert isinstance(found, PodInput)
    return found


def vm(*devices: str) -> str:
    """Devices of VirtualMetric, each with the properties that are given."""
    rows = [
        f"- {{id: {at}, name: d{at}, type: proofpoint, {rest}}}" for at, rest in enumerate(devices)
    ]
    return "\n".join(rows)


def test_each_product_has_its_example() -> None:
    """The page shows one for each."""
    assert set(EXAMPLES) == set(PRODUCTS)


@pytest.mark.parametrize("product", EXAMPLES)
def test_no_secret_is_copied(product: str) -> None:
    """Not into the configuration, not into the report."""
    found = example(product)
    whole = f"{found}"
    assert not [each for each in SECRETS if each in whole]


@pytest.mark.parametrize("product", EXAMPLES)
def test_no_setting_is_lost(product: str) -> None:
    """One that nobody knows is told by its path, and nothing else of the examples is unknown."""
    assert UNKNOWN not in told(example(product), "no place").values()


def test_sumo() -> None:
    """The page's source, with its metadata; cluster and token are references."""
    found = example("sumo")
    one = settings(found).inputs["PoD"]
    assert isinstance(one, PodInput)
    assert (one.description, one.category, one.fields, one.forward_to_siem) == (
        "Mail of Acme",
        "prod/email/pod",
        {"region": "eu"},
        True,
    )
    assert one.credentials.cluster_id == "value of POD_CLUSTER_ID"
    assert one.credentials.token.get_secret_value() == "value of POD_TOKEN"
    assert one.services.message is not None
    assert one.services.maillog is not None
    assert one.services.audit is None
    assert list(found.references) == ["${POD_CLUSTER_ID}", "${POD_TOKEN}"]
    assert set(told(found, "no place")) == {"api.version", "source.sourceType"}


def test_sumo_hides_what_it_masks() -> None:
    """A cluster that does not stand there as asterisks is a reference all the same."""
    found = example("sumo", ('"cluster_id": "********"', f'"cluster_id": "{CANARY}"'))
    assert CANARY not in f"{found}"
    assert "${POD_CLUSTER_ID}" in found.references


def test_sumo_sources_of_other_types_are_left_out() -> None:
    """Of a whole collector, those that read PoD are taken."""
    config = {"name": "a b", "api_secret": CANARY, "cluster_id": "x", "supported_events": "maillog"}
    sources = [
        {"schemaRef": {"type": "Okta"}, "config": {"name": "o", "api_key": CANARY}},
        {"schemaRef": {"type": "proofpoint on demand"}, "config": config, "id": 7},
        {"name": "h", "sourceType": "HTTP"},
    ]
    found = imported("sumo", json.dumps({"sources": sources}), ".json")
    assert list(settings(found).inputs) == ["a_b"]
    left = told(found, "no place")
    assert set(left) == {
        "sources[0].schemaRef.type",
        "sources[1].id",
        "sources[2].name",
        "sources[2].sourceType",
    }
    assert CANARY not in f"{found}"


def test_sumo_bare_config() -> None:
    """As Terraform has it, without an envelope."""
    config = {"name": "x", "api_secret": CANARY, "cluster_id": "y", "supported_events": ["message"]}
    assert list(settings(imported("sumo", json.dumps(config), ".json")).inputs) == ["x"]


def test_virtualmetric() -> None:
    """The page's two devices; pipelines keep their names and do nothing yet."""
    found = example("virtualmetric")
    made = settings(found)
    first, second = made.inputs["pod_messages"], made.inputs["pod_maillog"]
    assert isinstance(first, PodInput)
    assert isinstance(second, PodInput)
    assert (first.enabled, first.description, first.tags) == (
        True,
        "Mail of Acme",
        ("prod", "mail"),
    )
    assert first.credentials.token.get_secret_value() == "value of PROOFPOINT_TOKEN"
    assert first.credentials.cluster_id == "acme_hosted"
    assert first.services.model_fields_set == {"message"}
    assert first.pipelines == ("mail_clean",)
    assert [step.enabled for step in made.pipelines["mail_clean"].steps] == [False]
    assert (second.enabled, second.services.model_fields_set) == (False, {"maillog"})
    assert second.endpoint == "wss://logstream.eu.example.com:443/v1/stream"
    assert second.credentials.token.get_secret_value() == "value of POD_MAILLOG_TOKEN"
    assert "encrypted" in told(found, "no place")["devices[1].properties.secure"]
    assert made.globals.workers == 4


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        (("workers: 3", "workers: 2"), 3),
        (("workers: 3, reuse: false", "workers: 2"), 2),
        (("workers: 3", "workers: 1000"), 1),
        (("workers: many", "reuse: true"), 1),
    ],
)
def test_workers(workers: tuple[str, str], expected: int) -> None:
    """The most that a device may have, for the whole collector; what cannot be is told."""
    found = imported(
        "virtualmetric", vm(*(f"properties: {{cluster: c, {each}}}" for each in workers))
    )
    assert settings(found).globals.workers == expected
    refused = {each for each in told(found, "no place") if each.endswith(".workers")}
    assert bool(refused) == (expected == 1)


@pytest.mark.parametrize(
    ("token", "reference"),
    [
        ("${MINE}", "${MINE}"),
        ("$secret{mine}", "$secret{mine}"),
        (f"${{MINE:-{CANARY}}}", "${D0_TOKEN}"),
        (f"$secret{{../{CANARY}}}", "${D0_TOKEN}"),
        (f"file:{CANARY}", "${D0_TOKEN}"),
        (f"enc:v1:{CANARY}", "${D0_TOKEN}"),
        ("", "${D0_TOKEN}"),
    ],
)
def test_references_of_the_original(token: str, reference: str) -> None:
    """One that names a secret stays; one that could hold it, or reads a file, does not."""
    found = imported("virtualmetric", vm(f'properties: {{cluster: c, token: "{token}"}}'))
    assert list(found.references) == [reference]
    assert CANARY not in f"{found}"


@pytest.mark.parametrize("text", ["${HOME}", "$secret{x}", "file:/etc/passwd", "a ${X:-b}"])
def test_references_elsewhere(text: str) -> None:
    """A text that would be looked up here is not taken over: it is told what to write where."""
    found = imported("virtualmetric", vm(f'description: "{text}", tags: ["{text}"], cluster: c'))
    one = settings(found).inputs["d0"]
    assert (one.description, one.tags) == (None, None)
    assert "inputs.d0.description" in told(found, "no place")["[0].description"]


def test_the_same_secret_is_the_same_reference() -> None:
    """And two sources that would fight for one session are told, the second switched off."""
    of = [
        f"properties: {{cluster: c, token: {CANARY}, type: {kind}}}"
        for kind in ("message", "maillog", "maillog")
    ]
    found = imported("virtualmetric", vm(*of))
    assert list(found.references) == ["${D0_TOKEN}"]
    assert [each.enabled for each in settings(found).inputs.values()] == [True, True, False]
    assert "token of d1" in told(found, "default")["inputs.d2.enabled"]


@pytest.mark.parametrize(
    ("product", "setting"),
    [("sumo", "source.schemaRef.type"), ("virtualmetric", "devices[0].type")],
)
def test_what_tells_the_kind_is_in_the_report(product: str, setting: str) -> None:
    """It is a setting like others, and it becomes the input's type."""
    assert mapped(example(product))[setting].endswith(".type")


def test_masks_are_no_secrets() -> None:
    """What is masked alike need not be the same."""
    found = imported("virtualmetric", vm(*['properties: {cluster: c, token: "****"}'] * 2))
    assert list(found.references) == ["${D0_TOKEN}", "${D1_TOKEN}"]


def test_names() -> None:
    """Those that are none here are changed, each to one of its own."""
    text = "\n".join(
        f"- {{name: {name}, type: proofpoint, cluster: c}}"
        for name in ("a b", "a_b", "é", "1", f"{'x' * 90}")
    )
    found = imported("virtualmetric", f"{text}\n- {{type: proofpoint, cluster: c}}")
    names = ["a_b", "a_b_2", "pod", "pod_2", "x" * 50, "pod_3"]
    assert list(settings(found).inputs) == names
    assert "${SECRET" not in found.text


def test_values_that_our_configuration_refuses() -> None:
    """They are told with its reason; the rest is taken over."""
    device = 'cluster: c, description: "a\\tb", tags: ["a,b"], endpoint: "ws://h.example/v1/stream"'
    found = imported("virtualmetric", vm(device))
    left = told(found, "no place")
    assert "inputs.d0.tags" in left["[0].tags"]
    assert "in the clear" in left["[0].endpoint"]
    assert "inputs.d0.description" in left["[0].description"]
    assert settings(found).inputs["d0"].tags is None


def test_observo() -> None:
    """The page's form: URI, times, TLS, and the parser as a pipeline."""
    found = example("observo")
    made = settings(found)
    one = made.inputs["proofpoint-on-Demand-Logs-1"]
    assert isinstance(one, PodInput)
    assert one.endpoint == "wss://logstream.proofpoint.com/v1/stream"
    assert one.credentials.cluster_id == "acme_hosted"
    assert one.services.model_fields_set == {"message"}
    assert one.services.message is not None
    assert one.services.message.connect_timeout_in_seconds == 20
    assert one.services.message.ping_interval_in_seconds == 60
    tls = one.tls
    assert (tls.ca, tls.ca_mode) == (Path("/etc/observo/ca.pem"), "add")
    assert (tls.cert, tls.key) == (
        Path("/etc/observo/client.pem"),
        Path("/etc/observo/client.key"),
    )
    assert (tls.verify_certificate, tls.verify_hostname) == (True, True)
    assert tls.server_name == "logstream.proofpoint.com"
    assert tls.key_password is not None
    first, second = made.pipelines[one.pipelines[0]].steps
    assert isinstance(first, ParseJsonStep)
    assert (first.field, first.new_name, first.keep_old) == ("metadata.note", "parsed", True)
    assert isinstance(second, ExplodeStep)
    assert second.field == "metadata.parsed"
    assert "whole record" in told(found, "no place")["Fields to Parse[0].Field Name"]


def test_observo_api() -> None:
    """The same source as its API has it."""
    config = {
        "uri": f"wss://logstream.proofpoint.com/v1/stream?cid=acme&type=maillog&token={CANARY}",
        "auth": {"strategy": "bearer", "token": CANARY},
        "connect_timeout_secs": 20,
        "ping_interval": 60,
        "tls": {"enabled": True, "crt_file": "/c.p12", "key_file": "/k.pem", "key_pass": CANARY},
        "decoding": {"codec": "json"},
    }
    source = {"name": "x", "templateName": "WEBSOCKET", "status": "OK", "config": config}
    text = json.dumps({"source": source, "destinations": [{"password": CANARY}]})
    found = imported("observo", text, ".json")
    one = settings(found).inputs["x"]
    assert isinstance(one, PodInput)
    assert one.services.model_fields_set == {"maillog"}
    assert (one.tls.cert, one.tls.key) == (Path("/c.p12"), None)
    assert "PKCS#12" in told(found, "no place")["source.config.tls.key_file"]
    assert CANARY not in f"{found}"


@pytest.mark.parametrize(
    ("query", "services", "cluster"),
    [
        ("?cid=a&type=maillog", {"maillog"}, "a"),
        ("?cid=a&type=m", {"message"}, "a"),
        ("?cid=<CLUSTER_ID>", {"message", "maillog"}, "value of X_CLUSTER_ID"),
        ("", {"message", "maillog"}, "value of X_CLUSTER_ID"),
    ],
)
def test_observo_uri(query: str, services: set[str], cluster: str) -> None:
    """Cluster and service come from the query; what it does not say is ours or a reference."""
    text = f'Name: x\nWebSocket URI: "wss://logstream.proofpoint.com/v1/stream{query}"'
    found = pod("observo", text, "x")
    assert found.services.model_fields_set == services
    assert found.credentials.cluster_id == cluster


def test_observo_half_a_certificate() -> None:
    """A certificate without its key is told, and the rest of TLS stays."""
    found = example("observo", ("Client Private Key File: /etc/observo/client.key\n", ""))
    one = settings(found).inputs["proofpoint-on-Demand-Logs-1"]
    assert (one.tls.cert, one.tls.ca) == (None, Path("/etc/observo/ca.pem"))
    assert "tls.key" in told(found, "no place")["Client Certificate File"]


def test_observo_parser_switched_off() -> None:
    """Its steps come along, switched off."""
    found = settings(example("observo", ("Bypass Transform: false", "Bypass Transform: true")))
    (pipeline,) = found.pipelines.values()
    assert [step.enabled for step in pipeline.steps] == [False, False]


def test_observo_bad_path() -> None:
    """A field whose name is no path here takes its pipeline with it, not the input."""
    found = example("observo", ("metadata.note", "a..b"))
    made = settings(found)
    assert (made.pipelines, list(made.inputs)) == ({}, ["proofpoint-on-Demand-Logs-1"])
    assert "no path" in told(found, "no place")["Fields to Parse[1].Field Name"]


def test_observo_other_streams() -> None:
    """They become a generic input, with every part of the URI that may be secret a reference."""
    found = imported("observo", STREAM)
    one = settings(found).inputs["feed"]
    assert isinstance(one, WebSocketInput)
    assert one.uri == "wss://feed.example.com/logs"
    assert one.credentials.strategy == "basic"
    assert one.credentials.user is not None
    assert set(one.credentials.parameters) == {"key", "n\n x:"}
    service = one.services.stream
    assert service is not None
    assert (service.codec, service.framing.method, service.framing.delimiter) == (
        "syslog",
        "character",
        "|",
    )
    assert service.initial_message is not None
    assert service.initial_message_timeout_in_seconds == 5
    assert (service.connect_timeout_in_seconds, service.ping_timeout_in_seconds) == (9, 7)
    assert service.ping_message == "ping"
    (pipeline,) = settings(found).pipelines.values()
    assert [step.type for step in pipeline.steps] == ["parse_json"]
    assert set(told(found, "no place")) == {"WebSocket URI"}
    assert all(f"{each.source}{each.to}{each.note}".isprintable() for each in found.entries)
    assert CANARY not in f"{found}"


@pytest.mark.parametrize(
    ("auth", "strategy"),
    [
        ({"strategy": "bearer", "token": CANARY}, "bearer"),
        ({"token": CANARY}, "bearer"),
        ({"strategy": "odd", "user": "u", "password": CANARY}, "basic"),
        ({"strategy": "basic", "user": "u", "token": CANARY}, "basic"),
        ({}, "none"),
    ],
)
def test_observo_strategies(auth: dict[str, str], strategy: str) -> None:
    """As the file says, or as its secrets do; what is missing is a reference."""
    source = {"name": "x", "config": {"uri": "wss://feed.example.com", "auth": auth}}
    found = imported("observo", json.dumps(source), ".json")
    one = settings(found).inputs["x"]
    assert isinstance(one, WebSocketInput)
    assert one.credentials.strategy == strategy
    assert CANARY not in f"{found}"


@pytest.mark.parametrize("uri", ["https://feed.example.com", "feed", "wss://", "wss://a:x/"])
def test_observo_no_stream(uri: str) -> None:
    """What is no URI of a stream is refused."""
    with pytest.raises(ConfigError, match="wss://"):
        imported("observo", f"Name: x\nWebSocket URI: {uri}")


def test_stellar() -> None:
    """The page's row of CSV."""
    one = settings(example("stellar")).inputs["acme-pod"]
    assert isinstance(one, PodInput)
    assert (one.tenant, one.credentials.cluster_id) == ("acme", "acme_hosted")
    assert one.credentials.token.get_secret_value() == "value of ACME_POD_TOKEN"
    assert one.services.model_fields_set == {"message", "maillog"}


STELLAR_FORMS = [
    (
        "Name: x\nTenant Name: acme\nCluster ID: c\nAPI Key: c4n4ry\nContent Type: Message\n",
        ".yaml",
    ),
    ("Setting,Value\nName,x\nTenant Name,acme\nCluster ID,c\nContent Type,Message\n", ".csv"),
    (
        json.dumps(
            {
                "total": 2,
                "connectors": [
                    {"name": "z", "type": "okta", "configuration": {"api_key": CANARY}},
                    {
                        "name": "x",
                        "type": "Proofpoint on Demand",
                        "tenant_name": "acme",
                        "run_on": "DP",
                        "configuration": {
                            "cluster_id": "c",
                            "api_key": CANARY,
                            "content_type": ["Message"],
                        },
                    },
                ],
            }
        ),
        "",
    ),
]


@pytest.mark.parametrize(("text", "suffix"), STELLAR_FORMS)
def test_stellar_forms(text: str, suffix: str) -> None:
    """The same connector as YAML, as CSV of names and values, and from the API."""
    found = imported("stellar", text, suffix)
    assert list(settings(found).inputs) == ["x"]
    one = settings(found).inputs["x"]
    assert (one.tenant, one.services.model_fields_set) == ("acme", {"message"})
    assert CANARY not in f"{found}"


STELLAR_ROWS = """Name,Cluster ID,API Key,Content Type
a,c,5c2a9e1f,Message
b,,,Mail Log
c,c,5c2a9e1f,
{}
"""


@pytest.mark.parametrize("row", ["z,,,Foo", "z,c,c4n4ry,Foo", "z,,,"])
def test_stellar_content_type_that_is_none(row: str) -> None:
    """A connector that collects nothing we know is left out, and told once, as a row."""
    found = imported("stellar", STELLAR_ROWS.format(row), ".csv")
    reason = "has no content type that can be collected here: the connector is left out"
    assert list(settings(found).inputs) == ["a", "b", "c"]
    assert told(found, "no place") == {"[3]": reason}
    assert CANARY not in f"{found}"


def test_the_type_of_a_row_is_in_the_report() -> None:
    """Stellar Cyber's CSV has it in a column."""
    text = "Name,Type,Cluster ID,API Key\na,Proofpoint on Demand,c,5c2a9e1f\n"
    assert mapped(imported("stellar", text, ".csv"))["[0].Type"] == "inputs.a.type"


def test_stellar_content_types_without_credentials() -> None:
    """What a connector collects is enough; without that word, its credentials are."""
    found = imported("stellar", STELLAR_ROWS.format('z,,,"Foo, Message"'), ".csv")
    services = {
        name: each.services.model_fields_set for name, each in settings(found).inputs.items()
    }
    assert services == {
        "a": {"message"},
        "b": {"maillog"},
        "c": {"message", "maillog"},
        "z": {"message"},
    }
    assert {"${B_CLUSTER_ID}", "${B_TOKEN}"} <= set(found.references)


def test_devo() -> None:
    """The page's collector: its globals, its output, its input."""
    found = example("devo")
    made = settings(found)
    assert (made.globals.id, made.globals.name, made.globals.debug) == ("4711", "acme", False)
    output = made.outputs["devo_1"]
    assert isinstance(output, DevoOutput)
    assert (output.config.address, output.config.port) == ("collector-eu.devo.io", 443)
    assert output.config.key == Path("certs/acme.key")
    one = made.inputs["proofpoint_casb"]
    assert isinstance(one, CasbInput)
    assert one.credentials.api_key.get_secret_value() == "value of PROOFPOINT_CASB_API_KEY"
    assert one.rate.min_interval_in_seconds == 2
    assert one.services.alerts is not None
    assert one.services.alerts.initial_start_time_in_utc == "2026-01-16T00:00:00Z"
    assert one.services.events is not None
    assert one.services.events.tag == "casb.proofpoint.event.acme"
    assert len(environment(found)) == 3
    assert set(told(found, "no place")) == {
        "globals.multiprocessing",
        "globals.persistence.type",
        "inputs.proofpoint_casb.id",
    }


def test_devo_tells_the_start_of_those_without_one() -> None:
    """A service whose start is taken over does not begin 7 days back."""
    found = told(example("devo"), "default")
    assert "inputs.*.services" not in found
    assert "inputs.proofpoint_casb.services.alerts" not in found
    assert "7 days back" in found["inputs.proofpoint_casb.services.events"]


def test_devo_one_tenant_twice() -> None:
    """The second is taken over switched off: its records would come twice."""
    one = {
        "credentials": {"api_key": CANARY, "client_id": CANARY, "client_secret": CANARY},
        "services": {"alerts": {}},
    }
    inputs = {f"casb{at}": {"type": "proofpoint_casb", **one} for at in range(2)}
    found = imported("devo", json.dumps({"inputs": inputs}), ".json")
    assert [each.enabled for each in settings(found).inputs.values()] == [True, False]
    assert "credentials of casb0" in told(found, "default")["inputs.casb1.enabled"]


def test_devo_hosted() -> None:
    """The hosted form has no outputs and no name: ours are told."""
    credentials = {"api_key": CANARY, "cliend_id": CANARY, "client_secret": CANARY}
    inputs = {
        "proofpoint_casb": {"id": "1", "credentials": credentials, "services": {"alerts": {}}}
    }
    overrides = {"debug": True, "sender_stats_period_in_sec": 60, "secrets": {"from": "command"}}
    text = json.dumps({"global_overrides": overrides, "inputs": inputs})
    found = imported("devo", text, ".json")
    made = settings(found)
    assert made.globals.statistics_period_in_seconds == 60
    assert isinstance(made.outputs["archive"], FileOutput)
    assert mapped(found)["inputs.proofpoint_casb.credentials.cliend_id"].endswith("client_id")
    assert told(found, "no place")["global_overrides.secrets.from"] == UNKNOWN
    assert "7 days back" in told(found, "default")["inputs.proofpoint_casb.services.alerts"]
    assert CANARY not in f"{found}"


def test_devo_outputs_that_cannot_be() -> None:
    """One without an address is left out with the reason, and a relay stays."""
    text = """
outputs:
  broken: {type: devo_platform, config: {address: "http://x", chain: a/b, cert: c, key: k}}
  odd: {type: lookup, config: {token: c4n4ry}}
  relay: {type: syslog, config: {address: relay.example.com, port: "601", chain: r.crt, z: c4n4ry}}
inputs:
  casb: {type: proofpoint_casb, services: {alerts: {tag: 5, nested: {a: c4n4ry}}, odd: {}}}
  other: {type: okta, credentials: {token: c4n4ry}}
"""
    found = imported("devo", text)
    made = settings(found)
    assert list(made.outputs) == ["relay"]
    relay = made.outputs["relay"]
    assert isinstance(relay, SyslogOutput)
    assert (relay.config.port, relay.config.ca) == (601, Path("certs/r.crt"))
    left = told(found, "no place")
    assert {"outputs.broken", "outputs.odd", "outputs.relay.config.z", "inputs.other"} <= set(left)
    assert left["inputs.casb.services.odd"] == "is no service here"
    assert left["inputs.casb.services.alerts.nested.a"] == UNKNOWN
    assert CANARY not in f"{found}"


def syslog(config: str) -> Imported:
    """What becomes of a syslog output of Devo's, with more in its configuration."""
    text = f"""
outputs: {{lg: {{type: syslog, config: {{address: relay.example.com, port: 514, {config}}}}}}}
inputs: {{proofpoint_casb: {{services: {{alerts: {{}}}}}}}}
"""
    return imported("devo", text)


@pytest.mark.parametrize(("said", "ours"), [("tcp", "tcp"), ("TCP", "tcp"), ("tls", "tls")])
def test_devo_syslog_transport(said: str, ours: str) -> None:
    """TCP and TLS are what they are there."""
    found = syslog(f"protocol: {said}")
    output = settings(found).outputs["lg"]
    assert isinstance(output, SyslogOutput)
    assert (output.config.protocol, output.config.port) == (ours, 514)
    assert mapped(found)["outputs.lg.config.protocol"] == "outputs.lg.config.protocol"
    assert "outputs.lg.config.protocol" not in told(found, "default")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("", None),
        ("protocol: udp", "there is no UDP here, because it loses records: tls is written instead"),
        ("protocol: [c4n4ry]", "its value is none that is known here"),
    ],
)
def test_devo_syslog_transport_that_is_ours(config: str, reason: str | None) -> None:
    """Without TCP or TLS in the file it is TLS, which is written, and told as our default."""
    found = syslog(config)
    output = settings(found).outputs["lg"]
    assert isinstance(output, SyslogOutput)
    assert (output.config.protocol, output.config.port) == ("tls", 514)
    assert told(found, "no place").get("outputs.lg.config.protocol") == reason
    assert "set tcp" in told(found, "default")["outputs.lg.config.protocol"]
    assert "protocol: tls" in found.text
    assert CANARY not in f"{found}"


@pytest.mark.parametrize(
    ("limits", "calls"),
    [
        ([{"period": "1d", "number_of_requests": 200}], 200),
        ([{"period": "1h", "number_of_requests": 200}], 1000),
        ([1], 1000),
        ("c4n4ry", 1000),
    ],
)
def test_devo_limits(limits: Any, calls: int) -> None:
    """A limit of a day is ours; others are told what to set."""
    inputs = {"proofpoint_casb": {"requests_limits": limits, "services": {"events": None}}}
    found = imported("devo", json.dumps({"inputs": inputs}), ".json")
    one = settings(found).inputs["proofpoint_casb"]
    assert isinstance(one, CasbInput)
    assert one.rate.calls_per_day == calls


def test_devo_blocks_of_the_wrong_kind() -> None:
    """They are told, and services that are not blocks leave all of them."""
    text = "outputs: [c4n4ry]\ninputs: {proofpoint_casb: {services: [alerts]}}"
    found = imported("devo", text)
    one = settings(found).inputs["proofpoint_casb"]
    assert one.services.model_fields_set == {"alerts", "events"}
    assert {"outputs", "inputs.proofpoint_casb.services"} <= set(told(found, "no place"))


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("", ".yaml"),
        ("{", ".json"),
        ("5", ".json"),
        ("[]", ".json"),
        ("a: {b: c4n4ry", ".yaml"),
        ("a: 1\na: c4n4ry", ".yaml"),
        ("x: &a c4n4ry", ".yaml"),
        ("c4n4ry", ".yaml"),
        ("- c4n4ry", ".yaml"),
        ("other: c4n4ry", ".yaml"),
        ('a,b\n"c4n4ry', ".csv"),
        ("a,b\nc4n4ry", ".csv"),
        ("a,a\nc4n4ry,2", ".csv"),
        ("\n\n", ".csv"),
    ],
)
def test_files_with_nothing_for_us(product: str, text: str, suffix: str) -> None:
    """Each is refused with a reason and a remedy, and nothing of it is shown."""
    with pytest.raises(ConfigError) as caught:
        imported(product, text, suffix)
    assert "docs/moving-in.md" in caught.value.remedy
    assert CANARY not in f"{caught.value} {caught.value.__context__!r}"


def test_a_file_of_another_product_is_told_by_what_has_no_place() -> None:
    """The refusal names settings of the file, not defaults of ours."""
    with pytest.raises(ConfigError) as caught:
        imported("sumo", "globals: {id: 1}")
    assert caught.value.cause.endswith("collected here: globals.id is unknown here")


def test_names_of_the_original_are_shown_on_one_line() -> None:
    """No name can end a comment, steer a terminal or fill the report."""
    name = "x\\n  y: 1\\u001b[31m" + "z" * 500
    found = imported("virtualmetric", f'{{type: proofpoint, cluster: c, "{name}": {{"b": 1}}}}')
    (source,) = [each.source for each in found.entries if each.note == UNKNOWN]
    assert source.isprintable()
    assert len(source) < 200
    assert list(settings(found).inputs) == ["pod"]


def test_a_configuration_that_is_too_large() -> None:
    """More inputs than we have is one error, not a crash."""
    with pytest.raises(ConfigError, match="this file: it is larger than 1 MiB"):
        imported("virtualmetric", vm(*["cluster: c"] * 4097))
