"""``collector check`` with one defect of each kind: a single run names them all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from collector.cli import application
from collector.config.ciphertext import encrypt, new_key
from collector.config.problems import InvalidConfig
from tests.fakes.pki import Pki

CANARY = "c4n4ry"
PASSWORD = f"{CANARY}-password"
TOKEN = f"{CANARY}-token"

TEMPLATE = """\
globals:
  id: 4711
  name: a b
  debug: yes
  certificate_warning_in_days: 60
  secrets: {{key_file: nowhere.key}}
outputs:
  incomplete: {{type: devo, config: {{address: eu.example.com, port: "443"}}}}
  missing: {{type: syslog, config: {{address: s.example.com, tls: {{ca: {missing}}}}}}}
  stranger: {{type: http, config: {{url: ftp://l.example.com, cert: {cert}, key: {other}}}}}
  locked:
    type: syslog
    config: {{addres: s.example.com, cert: {cert}, key: {locked}, key_password: {password}}}
  nonsense: {{type: http, config: {{url: https://l.example.com, ca: {nonsense}, body: xml}}}}
  expired: {{type: syslog, config: {{address: s.example.com, ca: {expired}, port: 0}}}}
  both: {{type: syslog, config: {{address: s.example.com, cert: {expired}, key: {missing}}}}}
  archive: {{type: file, config: {{path: out}}}}
  copy: {{type: file, config: {{path: out}}}}
  unknown: {{type: carrier_pigeon}}
pipelines:
  trim:
    steps:
      - {{type: filter, condition: "record.=="}}
      - {{type: explode, field: "a[", index_field: n, count_field: n}}
inputs:
  first:
    type: proofpoint_pod
    credentials: {{cluster_id: acme_hosted, token: {token}}}
    services: {{message: {{mode: live}}}}
  second:
    type: proofpoint_pod
    credentials: {{cluster_id: acme_hosted, token: {token}}}
    services: {{message: {{}}}}
  stream:
    type: websocket
    uri: wss://logstream.proofpoint.com/v1/stream?cid=acme_hosted&type=message
    credentials: {{strategy: bearer, token: {token}}}
    services: {{stream: {{deduplicate: true, max_record_bytes: 1}}}}
  variable:
    type: proofpoint_pod
    credentials: {{cluster_id: acme_hosted, token: "${{NOT_SET}}"}}
    proxy: {{url: "http://u:{password}@proxy.example.com", username: u}}
    services: {{audit: {{initial_start_time_in_utc: "2999-01-01T00:00:00Z"}}}}
  named:
    type: proofpoint_pod
    credentials: {{cluster_id: acme_hosted, token: "$secret{{no_such}}"}}
    services: {{audit: {{}}}}
    tls: {{ca: {missing}, min_version: "1.1"}}
  sealed:
    type: proofpoint_pod
    credentials: {{secure: true, cluster_id: acme_hosted, token: "{sealed}"}}
    outputs: [nobody]
    services: {{audit: {{pipelines: [nothing]}}}}
  bare:
    type: proofpoint_casb
    services: {{}}
"""

EXPECTED = {
    "globals.id": ("must be text", "quotes"),
    "globals.name": ("is no name", "rename"),
    "globals.debug": ("", "true"),
    "outputs.incomplete.config.port": ("whole number", "digits"),
    "outputs.incomplete.config": ("needs chain, cert and key", "three files"),
    "outputs.missing.config.tls.ca": ("No such file", "exists"),
    "outputs.stranger.config.url": ("is no https:// URL", "https://host"),
    "outputs.stranger.config.key": ("does not hold the key of the certificate", "belongs"),
    "outputs.locked.config.addres": ("is no setting", "did you mean address?"),
    "outputs.locked.config.address": ("is required", "add it"),
    "outputs.locked.config.key": ("another password", "key_password"),
    "outputs.nonsense.config.ca": ("holds no certificate", "authority issued"),
    "outputs.nonsense.config.body": ("must be 'ndjson' or 'json_array'", "one of these"),
    "outputs.expired.config.ca": ("expired on", "valid one"),
    "outputs.expired.config.port": ("at least 1", "range"),
    "outputs.both.config.cert": ("expired on", "valid one"),
    "outputs.both.config.key": ("No such file", "exists"),
    "outputs.copy.config.path": ("is the folder of outputs.archive", "own folder"),
    "outputs.unknown.type": ("is no known type", "choose from"),
    "pipelines.trim.steps[0].condition": ("", "CEL"),
    "pipelines.trim.steps[1].field": ("is no path", "write one"),
    "pipelines.trim.steps[1]": ("are the same", "different names"),
    "inputs.second.credentials.token": ("is the same token as inputs.first", "second token"),
    "inputs.stream.credentials.token": ("holds the same token", "second token"),
    "inputs.stream.services.stream": ("needs time_field", "add time_field"),
    "inputs.stream.services.stream.max_record_bytes": ("at least 1024", "range"),
    "inputs.variable.credentials.token": ("NOT_SET is not set", "set it"),
    "inputs.variable.proxy.url": ("holds a user or a password", "proxy.username"),
    "inputs.variable.proxy": ("has one of username and password", "give both"),
    "inputs.variable.services.audit.initial_start_time_in_utc": ("in the future", "in the past"),
    "inputs.named.credentials.token": ("no_such cannot be read", "write it to"),
    "inputs.named.tls.ca": ("No such file", "exists"),
    "inputs.named.tls.min_version": ("must be '1.2' or '1.3'", "one of these"),
    "inputs.sealed.credentials.token": ("cannot be decrypted", ""),
    "inputs.sealed.outputs[0]": ("is no output", "choose from"),
    "inputs.sealed.services.audit.pipelines[0]": ("is no pipeline", "choose from"),
    "inputs.bare.credentials": ("is required", "add it"),
    "inputs.bare.services": ("names no service", "at least one"),
}
VALUES = {
    "globals.id": None,
    "outputs.expired.config.port": "0",
    "outputs.stranger.config.url": None,
    "inputs.sealed.outputs[0]": "'nobody'",
    "inputs.second.credentials.token": None,
}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A configuration with all these defects, and the files that it names."""
    pki = Pki(tmp_path)
    mine = pki.issue(issuer=pki.ca, ends=1000)
    files = {
        "cert": mine.cert,
        "other": pki.issue().key,
        "locked": pki.locked(mine, "another"),
        "nonsense": mine.key,
        "expired": pki.issue(names=(), authority=True, starts=-9, ends=-2).cert,
        "missing": tmp_path / "no.pem",
    }
    place = "inputs.sealed.credentials.token"
    texts = {"token": TOKEN, "password": PASSWORD, "sealed": encrypt(new_key(), place, TOKEN)}
    path = tmp_path / "config.yaml"
    path.write_text(TEMPLATE.format(**files, **texts), encoding="utf-8")
    return path


def collector(command: str, config: Path, *words: str) -> Result:
    """One command with this configuration."""
    return CliRunner().invoke(application(), [command, "--config", str(config), *words])


def told(config: Path) -> dict[str, Any]:
    """What ``check`` says in JSON."""
    result = collector("check", config, "--json")
    assert result.exit_code == 3
    assert CANARY not in result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_one_run_names_them_all(broken: Path) -> None:
    """Each with its setting, its line, the reason and the fix: no more and no fewer."""
    problems = told(broken)["problems"]
    found = {each["path"]: each for each in problems}
    assert set(found) == set(EXPECTED)
    for path, (reason, fix) in EXPECTED.items():
        assert reason in found[path]["reason"]
        assert fix in found[path]["fix"]
        assert found[path]["line"] is not None
    for path, value in VALUES.items():
        assert found[path]["value"] == value


def test_warnings_do_not_wait(broken: Path) -> None:
    """What is unwise in an input that is right by itself is told in the same run."""
    warnings = {each["path"]: each for each in told(broken)["warnings"]}
    assert "inputs.first.services.message.mode" in warnings
    assert all(each["line"] is not None for each in warnings.values())


@pytest.mark.parametrize("command", ["check", "run", "test", "status"])
def test_every_command_tells_the_same(broken: Path, command: str) -> None:
    """Files too: nobody mends the settings to learn only then of a key that does not fit."""
    error = collector(command, broken).exception
    assert isinstance(error, InvalidConfig)
    assert (error.number, error.exit_code) == (3, 3)
    assert {each.path for each in error.problems} == set(EXPECTED)
    assert CANARY not in f"{error} {error.problems}"


def test_a_file_that_hangs_on_another_defect(tmp_path: Path) -> None:
    """A key whose password does not resolve is not called wrong besides; its certificate is."""
    pki = Pki(tmp_path)
    old = pki.issue(starts=-9, ends=-2)
    path = tmp_path / "config.yaml"
    config = {
        "address": "s.example.com",
        "cert": str(old.cert),
        "key": str(pki.locked(old, PASSWORD)),
        "key_password": "${NOT_SET}",
    }
    pod = {"credentials": {"cluster_id": "a", "token": TOKEN}, "services": {"audit": {}}}
    document = {
        "globals": {"id": "1", "name": "a"},
        "outputs": {"siem": {"type": "syslog", "config": config}},
        "inputs": {"proofpoint_pod": pod},
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    assert {each["path"] for each in told(path)["problems"]} == {
        "outputs.siem.config.cert",
        "outputs.siem.config.key_password",
    }


@pytest.mark.parametrize("file", [5, "", " ", "a\0b", "\ud800", ["x"], {"x": 1}, True])
@pytest.mark.parametrize("place", ["ca", "cert", "key", "tls"])
def test_any_shape_where_files_are_named(tmp_path: Path, place: str, file: object) -> None:
    """Even where no model judges it, for the type is none: nothing breaks."""
    document = {
        "globals": 5,
        "outputs": {"odd": {"type": "none", "config": {place: file, "key_password": 5}}, "no": []},
        "inputs": {"odd": {"tls": {"ca": file, "cert": file}}, "no": 5},
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    paths = {each["path"] for each in told(path)["problems"]}
    assert {"globals", "outputs.odd.type", "inputs.no"} <= paths
