"""The settings of TLS and proxies: one shape everywhere, with short forms at outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collector.app import tls as wiring
from collector.config.inputs import Input
from collector.config.secured import secrets_of
from collector.config.tls import SpeaksTls, Tls
from collector.net.proxies import DIRECT, Proxy, proxy_for
from collector.net.tls import Checks
from tests.fakes.config import MINIMAL, changed, only, problems, settings

FILES = {"cert": "acme.crt", "key": "acme.key"}
PASSWORD = "canary-44ab"
ADDRESSES: dict[str, dict[str, Any]] = {
    "devo": {"address": "eu.example.com"},
    "syslog": {"address": "syslog.example.com"},
    "http": {"url": "https://lake.example.com/in"},
    "splunk_hec": {"url": "https://splunk.example.com", "token": "invented"},
    "elasticsearch": {"url": "https://elastic.example.com", "index": "logs"},
    "sumo_logic": {"url": "https://sumo.example.com/in"},
}


def output(kind: str, **config: object) -> dict[str, Any]:
    """The minimal configuration with an output of that kind."""
    return changed("outputs.siem", {"type": kind, "config": {**ADDRESSES[kind], **config}})


def whole(kind: str, **config: object) -> Tls:
    """The settings of TLS of an output of that kind."""
    found = settings(output(kind, **config)).outputs["siem"].config
    assert isinstance(found, SpeaksTls)
    return found.whole_tls()


@pytest.mark.parametrize("kind", ADDRESSES)
def test_every_output_has_the_same_section(kind: str) -> None:
    """All settings of ``tls`` are taken by each kind of output that speaks TLS."""
    section = {
        "ca": "ca.pem",
        "ca_mode": "add",
        **FILES,
        "key_password": PASSWORD,
        "verify_certificate": False,
        "verify_hostname": False,
        "server_name": "siem.example.com",
        "min_version": "1.3",
    }
    found = whole(kind, tls=section)
    assert (found.ca, found.cert, found.key) == (
        Path("ca.pem"),
        Path("acme.crt"),
        Path("acme.key"),
    )
    assert wiring.revealed(found.key_password) == PASSWORD
    assert wiring.checks(found) == Checks(
        ca_mode="add",
        verify_certificate=False,
        verify_hostname=False,
        server_name="siem.example.com",
        min_version="1.3",
    )


@pytest.mark.parametrize("kind", ADDRESSES)
def test_the_short_forms_mean_the_same(kind: str) -> None:
    """What stands beside ``tls`` is put in its place; for Devo, chain is ca."""
    ca = "chain" if kind == "devo" else "ca"
    short: dict[str, object] = {ca: "ca.pem", **FILES, "key_password": PASSWORD}
    within = {"ca": "ca.pem", **FILES, "key_password": PASSWORD}
    assert whole(kind, **short) == whole(kind, tls=within)


@pytest.mark.parametrize("kind", ADDRESSES)
def test_what_stands_twice_is_refused(kind: str) -> None:
    """Two values for one thing: which one counts is not guessed."""
    problem = only(output(kind, **FILES, tls={"ca": "ca.pem", **FILES}))
    assert "has cert, key twice" in problem.reason


def test_everything_is_verified_by_default() -> None:
    """No setting: the system's authorities, certificate and name verified, TLS 1.2."""
    assert wiring.checks(Tls()) == Checks()
    assert Tls().ca is None


@pytest.mark.parametrize("place", ["inputs.casb.tls", "inputs.pod.tls"])
def test_inputs_have_it_too(place: str) -> None:
    """The section of an input is the same."""
    name = place.split(".")[1]
    found = settings(changed(place, {**FILES, "verify_hostname": False})).inputs[name]
    assert isinstance(found, Input)
    assert found.whole_tls().cert == Path("acme.crt")
    assert not wiring.checks(found.whole_tls()).verify_hostname


@pytest.mark.parametrize("half", [{"cert": "acme.crt"}, {"key": "acme.key"}])
def test_half_a_pair(half: dict[str, str]) -> None:
    """A certificate needs its key; in the short form as in the section."""
    for document in (output("http", **half), output("http", tls=half)):
        assert "has one of cert and key" in only(document).reason


@pytest.mark.parametrize("name", ["acme.p12", "acme.PFX"])
def test_pkcs12_goes_alone(name: str) -> None:
    """It holds the key: none is needed, and none is taken."""
    assert problems(output("devo", chain="ca.pem", cert=name)) == ()
    assert "remove key" in only(output("http", cert=name, key="acme.key")).fix


def test_devo_needs_its_files_wherever_they_stand() -> None:
    """Type SSL needs authority and certificate, in either form."""
    assert "needs chain" in only(output("devo", tls=FILES)).reason
    assert problems(output("devo", chain="ca.pem", tls=FILES)) == ()


@pytest.mark.parametrize("version", ["1.1", "1.0", 1.3, "TLSv1.2"])
def test_versions(version: object) -> None:
    """Older than 1.2 is not offered."""
    assert only(changed("inputs.casb.tls", {"min_version": version})).path.endswith("min_version")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("none", DIRECT),
        ({"url": "none"}, DIRECT),
        ("environment", None),
        ({"url": "http://proxy.example.com:3128/"}, Proxy(url="http://proxy.example.com:3128")),
        ("http://192.0.2.1:8080", Proxy(url="http://192.0.2.1:8080")),
        (
            {"url": "http://proxy.example.com:3128", "username": "ann", "password": PASSWORD},
            Proxy(url="http://proxy.example.com:3128", username="ann", password=PASSWORD),
        ),
    ],
)
def test_a_proxy(value: object, expected: Proxy | None) -> None:
    """At inputs and outputs alike, with a word or a block."""
    document = changed("inputs.pod.proxy", value)
    document["outputs"]["lake"] = output("http", proxy=value)["outputs"]["siem"]
    found = settings(document)
    assert wiring.proxy(found.inputs["pod"].proxy) == expected
    lake = found.outputs["lake"].config
    assert wiring.proxy(getattr(lake, "proxy")) == expected  # noqa: B009 - of some kinds only


def test_proxies_by_default() -> None:
    """Inputs do as the environment says, outputs go direct."""
    found = settings(output("http"))
    assert wiring.proxy(found.inputs["pod"].proxy) is None
    assert wiring.proxy(getattr(found.outputs["siem"].config, "proxy")) == DIRECT  # noqa: B009


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("https://proxy.example.com", "is no http:// URL"),
        (f"http://ann:{PASSWORD}@proxy.example.com:3128", "holds a user"),
        ("http://proxy.example.com:3128/path", "more than host and port"),
        ("direct", "is no http:// URL"),
        ({"url": "http://proxy.example.com", "username": "ann"}, "one of username and password"),
        ({"username": "ann", "password": PASSWORD}, "no url for it"),
        (
            {"url": "http://proxy.example.com", "username": f"a:{PASSWORD}", "password": "x"},
            "has a colon",
        ),
    ],
)
def test_a_proxy_that_cannot_be(value: object, words: str) -> None:
    """Each with its reason, and never with a secret."""
    problem = only(changed("inputs.casb.proxy", value))
    assert words in problem.reason
    assert problem.path.startswith("inputs.casb.proxy")
    assert PASSWORD not in str(problem)


def test_secrets_are_known_to_the_log() -> None:
    """Passwords of keys and proxies are struck out like every other."""
    proxy = {"url": "http://proxy.example.com", "username": "ann", "password": "canary-1"}
    document = output("http", tls={**FILES, "key_password": PASSWORD}, proxy=proxy)
    assert {PASSWORD, "canary-1"} <= set(secrets_of(settings(document)))


def test_a_proxys_address() -> None:
    """User and password are made fit for a URL; the value does not show them."""
    proxy = Proxy(url="http://proxy.example.com:3128", username="a@b", password="c/d:%")
    assert proxy_for("https://example.com", proxy) == (
        "http://a%40b:c%2Fd%3A%25@proxy.example.com:3128"
    )
    assert "c/d" not in repr(proxy)
    assert proxy_for("wss://example.com", DIRECT) is None


def test_the_minimal_configuration_names_no_file() -> None:
    """The test's own ground."""
    for each in settings(MINIMAL).inputs.values():
        assert each.whole_tls() == Tls()
