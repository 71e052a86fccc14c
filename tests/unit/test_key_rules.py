"""Which tokens may be shared: one session per token and type (STE-14 to STE-17)."""

from __future__ import annotations

from typing import Any

import pytest

from collector.config.problems import InvalidConfig
from tests.fakes.config import MINIMAL, changed, only, problems, settings

SECRET = "canary-token"


def pods(*inputs: dict[str, Any]) -> dict[str, Any]:
    """A configuration with these PoD inputs; each is its services, tokens and switches."""
    made = {}
    for number, each in enumerate(inputs):
        credentials = {"cluster_id": "acme_hosted", "token": each.pop("token", SECRET)}
        archive = each.pop("archive_token", None)
        services: dict[str, Any] = {name: {} for name in each.pop("services")}
        made[f"pod{number}"] = {
            "type": "proofpoint_pod",
            "credentials": credentials | ({"archive_token": archive} if archive else {}),
            "services": services,
            **each,
        }
    return MINIMAL | {"inputs": made}


ALLOWED: dict[str, list[dict[str, Any]]] = {
    "one connector, one key (STE-14)": [{"services": ["message", "maillog", "audit"]}],
    "one connector a type, one key (STE-15)": [
        {"services": ["message"]},
        {"services": ["maillog"]},
    ],
    "a key each (STE-16, STE-17)": [
        {"services": ["message", "maillog"]},
        {"services": ["message", "maillog"], "token": "another"},
    ],
    "one that is switched off": [
        {"services": ["message"]},
        {"services": ["message"], "enabled": False},
    ],
}


@pytest.mark.parametrize("case", ALLOWED)
def test_allowed(case: str) -> None:
    """Types that differ share a key; the same type has a key each."""
    assert problems(pods(*(dict(each) for each in ALLOWED[case]))) == ()


@pytest.mark.parametrize("service", ["message", "maillog", "audit"])
def test_refused_across_inputs(service: str) -> None:
    """The same type on one key: told at the second, naming the first, without the key."""
    problem = only(pods({"services": [service]}, {"services": [service]}))
    assert problem.path == "inputs.pod1.credentials.token"
    assert "inputs.pod0.credentials.token" in problem.reason
    assert service in problem.reason
    assert "second token" in problem.fix
    assert SECRET not in str(problem)


def test_refused_within_an_input() -> None:
    """An archive token that is the live token opens two sessions of one type, too."""
    found = problems(pods({"services": ["message"], "archive_token": SECRET}))
    assert [each.path for each in found] == ["inputs.pod0.credentials.archive_token"]


def test_refused_between_live_and_archive() -> None:
    """One's archive token may not be another's live token."""
    found = problems(
        pods(
            {"services": ["audit"], "token": "a", "archive_token": SECRET},
            {"services": ["audit"]},
        )
    )
    assert [each.path for each in found] == ["inputs.pod1.credentials.token"]


def test_every_type_that_collides_is_told() -> None:
    """Two types on one key in two inputs: both are named, and the whole is a config error."""
    with pytest.raises(InvalidConfig) as raised:
        settings(pods({"services": ["message", "audit"]}, {"services": ["message", "audit"]}))
    assert [problem.path for problem in raised.value.problems] == [
        "inputs.pod1.credentials.token"
    ] * 2
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("name", ["tenant-ü", "a b", "x" * 65, "日本", ""])
@pytest.mark.parametrize("where", ["globals.name", "inputs", "outputs"])
def test_names(where: str, name: str) -> None:
    """Names are short and ASCII: no multibyte characters (STE-24)."""
    if where == "globals.name":
        document = changed(where, name)
    else:
        kept = next(iter(MINIMAL[where]))
        document = MINIMAL | {where: MINIMAL[where] | {name: MINIMAL[where][kept]}}
        if where == "inputs":
            document[where].pop(kept)
    found = problems(document)
    assert found
    assert "no name" in found[0].reason


POD_URI = "wss://logstream.proofpoint.com/v1/stream?cid=acme_hosted"


def stream(credentials: dict[str, Any], uri: str = f"{POD_URI}&type=message") -> dict[str, Any]:
    """A ``websocket`` input that asks PoD for messages, or another URI."""
    return {
        "type": "websocket",
        "uri": uri,
        "credentials": credentials,
        "services": {"stream": {}},
    }


def beside(*streams: dict[str, Any]) -> dict[str, Any]:
    """A configuration with a PoD input for messages, and these streams."""
    document = pods({"services": ["message"]})
    document["inputs"] |= {f"stream{number}": each for number, each in enumerate(streams)}
    return document


BEARER = {"strategy": "bearer", "token": SECRET}
CARRIERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "bearer": (BEARER, "", "credentials.token"),
    "basic": (
        {"strategy": "basic", "user": "acme", "password": SECRET},
        "",
        "credentials.password",
    ),
    "header": (
        {"headers": {"authorization": f"Bearer {SECRET}"}},
        "",
        "credentials.headers.authorization",
    ),
    "another header": ({"headers": {"X-Api-Key": SECRET}}, "", "credentials.headers.X-Api-Key"),
    "parameter": ({"parameters": {"key": SECRET}}, "", "credentials.parameters.key"),
    "URI": ({}, f"&token={SECRET}", "uri"),
}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_generic_stream_with_a_token_of_pod(carrier: str) -> None:
    """However it carries the token: told at the setting that holds it, without the token."""
    credentials, query, place = CARRIERS[carrier]
    problem = only(beside(stream(credentials, f"{POD_URI}&type=message{query}")))
    assert problem.path == f"inputs.stream0.{place}"
    assert "inputs.pod0.credentials.token" in problem.reason
    assert "message" in problem.reason
    assert "second token" in problem.fix
    assert SECRET not in str(problem)


def test_the_type_may_be_a_parameter_and_the_port_be_written() -> None:
    """The same request, otherwise spelled."""
    uri = "wss://LogStream.proofpoint.com:443/v1/stream"
    credentials = BEARER | {"parameters": {"cid": "acme_hosted", "type": "message"}}
    assert only(beside(stream(credentials, uri))).path == "inputs.stream0.credentials.token"


def test_two_generic_streams_with_one_token() -> None:
    """Told at the second, whatever else their headers say."""
    other = {"strategy": "bearer", "token": "another"}
    agent = other | {"headers": {"User-Agent": "acme"}}
    problem = only(beside(stream(other), stream(agent)))
    assert problem.path == "inputs.stream1.credentials.token"
    assert "inputs.stream0.credentials.token" in problem.reason


def test_two_generic_streams_without_any_authorization() -> None:
    """Then all that they send is what tells them apart."""
    keys = {"parameters": {"key": "another"}}
    assert (
        only(beside(stream(keys), stream(keys))).path == "inputs.stream1.credentials.parameters.key"
    )
    assert problems(beside(stream(keys), stream({"parameters": {"key": "third"}}))) == ()


STREAMS_ALLOWED: dict[str, list[dict[str, Any]]] = {
    "another type": [stream(BEARER, f"{POD_URI}&type=maillog")],
    "another token": [stream(BEARER | {"token": "another"})],
    "another host": [
        stream(BEARER, "wss://logs.example.com/v1/stream?cid=acme_hosted&type=message")
    ],
    "another port": [
        stream(BEARER, "wss://logstream.proofpoint.com:8443/v1/stream?cid=a&type=message")
    ],
    "switched off": [stream(BEARER) | {"enabled": False}],
    "stream switched off": [stream(BEARER) | {"services": {"stream": {"enabled": False}}}],
    "no credentials": [stream({}), stream({})],
    "types of their own": [
        stream({"strategy": "bearer", "token": "another"}, f"{POD_URI}&type={each}")
        for each in ("message", "maillog", "audit")
    ],
    "users of one password": [
        stream({"strategy": "basic", "user": each, "password": "another"}) for each in ("a", "b")
    ],
    "one agent, two tokens": [
        stream({"strategy": "bearer", "token": each, "headers": {"User-Agent": "acme"}})
        for each in ("another", "third")
    ],
    "no PoD: type means what it will there": [
        stream(BEARER, "wss://feed.example.com/?type=message"),
        stream(BEARER, "wss://feed.example.com/?type=message"),
    ],
}


@pytest.mark.parametrize("case", STREAMS_ALLOWED)
def test_streams_that_are_allowed(case: str) -> None:
    """No false alarm."""
    assert problems(beside(*STREAMS_ALLOWED[case])) == ()


def tenants(*inputs: dict[str, Any]) -> dict[str, Any]:
    """A configuration with these CASB inputs, of one tenant unless they say otherwise."""
    credentials = {"api_key": SECRET, "client_id": "id", "client_secret": "secret"}
    made = {
        f"casb{number}": {"type": "proofpoint_casb", "credentials": credentials, **each}
        for number, each in enumerate(inputs)
    }
    return MINIMAL | {"inputs": made}


ALERTS: dict[str, Any] = {"services": {"alerts": {}}}
EVENTS: dict[str, Any] = {"services": {"events": {}}}


def test_a_service_of_one_tenant_twice() -> None:
    """Each record would come twice: told at the second input, without the credentials."""
    problem = only(tenants(ALERTS, ALERTS))
    assert problem.path == "inputs.casb1.credentials.client_id"
    assert "inputs.casb0" in problem.reason
    assert "alerts" in problem.reason
    assert SECRET not in str(problem)


@pytest.mark.parametrize(
    "other",
    [
        EVENTS,
        ALERTS | {"enabled": False},
        {"services": {"alerts": {"enabled": False}, "events": {}}},
        ALERTS | {"region": "eu"},
        ALERTS | {"endpoints": {"alerts": "https://other.example.com"}},
        ALERTS | {"credentials": {"api_key": "b", "client_id": "b", "client_secret": "b"}},
    ],
    ids=["other service", "input off", "service off", "region", "host", "tenant"],
)
def test_what_two_casb_inputs_may_share(other: dict[str, Any]) -> None:
    """Another service, another place, another tenant; and what is switched off asks nobody."""
    assert problems(tenants(ALERTS, other)) == ()
