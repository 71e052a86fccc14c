"""Files of certificates that a configuration names: ``collector check``, the start, each day."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from collector.app.certificates import CertificateWatch, look_through
from collector.app.collector import Collector
from collector.cli import application
from collector.clock import SystemClock
from collector.config.problems import Problem
from collector.core.model import Micros
from collector.core.times import DAY
from tests.fakes.clock import ManualClock
from tests.fakes.config import MINIMAL, changed, settings
from tests.fakes.log import MemoryLog
from tests.fakes.pki import Issued, Pki

PASSWORD = "canary-08ee"
Config = dict[str, Any]


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """A new authority, good for thirty days and a bit over five years."""
    folder = tmp_path / "pki"
    folder.mkdir()
    return Pki(folder)


def now() -> Micros:
    """The certificates are made today."""
    return SystemClock().now()


def long_lived(pki: Pki) -> Issued:
    """An authority that is not to end while a test looks at something else."""
    return pki.issue(names=(), common_name="Long-lived", authority=True, ends=2000)


def devo(ca: Path, cert: Path, key: Path | None, **more: object) -> Config:
    """A configuration with a Devo output of these files."""
    files = {"chain": str(ca), "cert": str(cert), **({"key": str(key)} if key else {})}
    config = {"address": "eu.example.com", **files, **more}
    return changed("outputs.siem", {"type": "devo", "config": config})


def found(document: Config, moment: Micros) -> tuple[list[Problem], list[Problem]]:
    """Problems and warnings."""
    findings = look_through(settings(document), moment)
    return list(findings.problems), list(findings.warnings)


def test_good_files(pki: Pki) -> None:
    """Nothing is said."""
    ca = long_lived(pki)
    mine = pki.issue(issuer=ca, ends=1000)
    assert found(devo(ca.cert, mine.cert, mine.key), now()) == ([], [])


@pytest.mark.parametrize("days", [29, 1, 0])
def test_a_certificate_that_soon_expires(pki: Pki, days: int) -> None:
    """A warning with the file, the setting and the days left."""
    ca = long_lived(pki)
    mine = pki.issue(issuer=ca, ends=1000)
    moment = now() + (1000 - days) * DAY - DAY // 2
    problems, (warning,) = found(devo(ca.cert, mine.cert, mine.key), moment)
    assert problems == []
    assert warning.path == "outputs.siem.config.cert"
    assert str(mine.cert) in warning.reason
    assert f"expires in {days} days" in warning.reason


def test_how_soon_is_a_setting(pki: Pki) -> None:
    """``certificate_warning_in_days`` moves the day of the first warning."""
    ca = long_lived(pki)
    mine = pki.issue(issuer=ca, ends=1000)
    document = devo(ca.cert, mine.cert, mine.key)
    document["globals"]["certificate_warning_in_days"] = 60
    moment = now() + 950 * DAY
    assert len(found(document, moment)[1]) == 1
    document["globals"]["certificate_warning_in_days"] = 30
    assert found(document, moment) == ([], [])


def test_an_expired_certificate(pki: Pki) -> None:
    """A problem, no longer a warning; an issuer's counts like our own."""
    ca = long_lived(pki)
    between = pki.issue(issuer=ca, names=(), common_name="between", authority=True, ends=5)
    mine = pki.issue(issuer=between, ends=1000)
    (problem,), warnings = found(devo(ca.cert, mine.cert, mine.key), now() + 6 * DAY)
    assert "expired on" in problem.reason
    assert problem.path == "outputs.siem.config.cert"
    assert warnings == []


def test_a_certificate_before_its_time(pki: Pki) -> None:
    """A clock that is wrong shows like this, too."""
    ca = long_lived(pki)
    mine = pki.issue(issuer=ca, starts=2, ends=1000)
    (problem,), _ = found(devo(ca.cert, mine.cert, mine.key), now())
    assert "is not valid before" in problem.reason
    assert "clock" in problem.fix


def test_a_bundle_counts_by_its_longest(pki: Pki, tmp_path: Path) -> None:
    """An old authority beside a new one is no fault."""
    new, old = long_lived(pki), pki.issue(names=(), authority=True, ends=5)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(old.cert.read_bytes() + new.cert.read_bytes())
    document = changed("inputs.casb.tls", {"ca": str(bundle)})
    assert found(document, now() + 10 * DAY) == ([], [])


def kafka(ca: Path, **tls: object) -> Config:
    """A configuration with a Kafka output that believes this authority."""
    servers = ["kafka.example.com:9093"]
    config = {"bootstrap_servers": servers, "tls": {"ca": str(ca), **tls}}
    return changed("outputs.bus", {"type": "kafka", "config": config})


def test_kafka_wants_the_root(pki: Pki) -> None:
    """Its library believes no authority without its root, so the root must be in the file."""
    root = long_lived(pki)
    between = pki.issue(issuer=root, common_name="between", authority=True, ends=2000)
    alone = pki.der(between)
    (problem,), _ = found(kafka(alone), now())
    assert problem.path == "outputs.bus.config.tls.ca"
    assert "root" in problem.reason
    assert found(kafka(alone, ca_mode="add"), now()) == ([], [])
    assert found(kafka(alone, server_name="kafka"), now()) == ([], []), "another library's"
    assert found(kafka(between.cert), now()) == ([], []), "its file holds its issuers"


def test_kafka_is_told_of_names_that_it_can_use(pki: Pki) -> None:
    """One for each broker, or one for all."""
    _, (warning,) = found(kafka(long_lived(pki).cert, verify_hostname=False), now())
    assert "bootstrap_servers" in warning.fix
    assert "tls.server_name" in warning.fix


WRONG: dict[str, tuple[Callable[[Pki, Issued], Config], str, str]] = {
    "missing authority": (
        lambda _, mine: devo(mine.cert.with_name("no.pem"), mine.cert, mine.key),
        "config.chain",
        "No such file",
    ),
    "missing key": (
        lambda pki, mine: devo(pki.ca.cert, mine.cert, mine.cert.with_name("no.key")),
        "config.key",
        "No such file",
    ),
    "not a certificate": (
        lambda pki, mine: devo(pki.ca.cert, mine.key, mine.key),
        "config.cert",
        "holds no certificate",
    ),
    "another key": (
        lambda pki, mine: devo(pki.ca.cert, mine.cert, pki.issue().key),
        "config.key",
        "the key of the certificate",
    ),
    "another password": (
        lambda pki, mine: devo(
            pki.ca.cert, mine.cert, pki.locked(mine, "another"), key_password=PASSWORD
        ),
        "config.key",
        "another password",
    ),
    "another password of a PKCS#12 file": (
        lambda pki, mine: devo(
            pki.ca.cert, pki.pkcs12(mine, "another"), None, key_password=PASSWORD
        ),
        "config.cert",
        "another password",
    ),
    "a key that everybody can read": (
        lambda pki, mine: devo(pki.ca.cert, mine.cert, opened(mine.key)),
        "config.key",
        "every user",
    ),
}


def opened(key: Path) -> Path:
    """The key, for all to read."""
    key.chmod(0o644)
    return key


@pytest.mark.parametrize("kind", WRONG)
def test_a_file_that_cannot_be_used(pki: Pki, kind: str) -> None:
    """A problem with the setting, the file, the reason and the fix; no password shows."""
    make, place, words = WRONG[kind]
    problems, _ = found(make(pki, pki.issue(issuer=pki.ca, ends=1000)), now())
    (problem,) = problems
    assert problem.path == f"outputs.siem.{place}"
    assert words in problem.reason
    assert problem.fix
    assert PASSWORD not in str(problem)


def test_every_input_and_output_is_looked_at(tmp_path: Path) -> None:
    """All problems at once, each at its own setting; a disabled input is left alone."""
    no = str(tmp_path / "no.pem")
    document = changed("inputs.casb.tls", {"ca": no})
    document["inputs"]["pod"]["tls"] = {"cert": no, "key": no}
    document["inputs"]["old"] = {**document["inputs"]["casb"], "enabled": False}
    document["outputs"] |= {
        "relay": {"type": "syslog", "config": {"address": "s.example.com", "tls": {"ca": no}}},
        "lake": {"type": "http", "config": {"url": "https://l.example.com", "ca": no}},
    }
    problems, _ = found(document, now())
    assert [problem.path for problem in problems] == [
        "inputs.casb.tls.ca",
        "inputs.pod.tls.cert",
        "outputs.relay.config.tls.ca",
        "outputs.lake.config.ca",
    ]


@pytest.mark.parametrize("setting", ["verify_certificate", "verify_hostname"])
def test_verification_switched_off_is_loud(setting: str) -> None:
    """A warning by name, for an input as for an output."""
    document = changed("inputs.casb.tls", {setting: False})
    document["outputs"]["relay"] = {
        "type": "syslog",
        "config": {"address": "s.example.com", "tls": {setting: False}},
    }
    problems, warnings = found(document, now())
    assert problems == []
    assert [warning.path for warning in warnings] == [
        f"inputs.casb.tls.{setting}",
        f"outputs.relay.config.tls.{setting}",
    ]
    assert all(
        "pass for the other side" in w.reason or "read and change" in w.reason for w in warnings
    )


def test_the_watch_says_it_again_each_day(pki: Pki) -> None:
    """First nothing, then a warning, then an error: as the days go by and the file stays."""
    ca = long_lived(pki)
    mine = pki.issue(issuer=ca, ends=100)
    clock, log = ManualClock(now()), MemoryLog()
    watch = CertificateWatch(settings(devo(ca.cert, mine.cert, mine.key)), clock, log)
    watch.look()
    assert log.lines == []
    clock.advance(80 * DAY / 1_000_000)
    watch.look()
    watch.look()
    assert len(log.texts("WARNING")) == 2
    clock.advance(30 * DAY / 1_000_000)
    watch.look()
    (error,) = log.texts("ERROR")
    assert str(mine.cert) in error


def test_the_start_warns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is not verified is on the log before anything else is done."""
    document = deepcopy(MINIMAL)
    for each in ("casb", "pod"):
        document["inputs"][each] = {**document["inputs"][each], "enabled": False}
    document["globals"]["persistence"] = {"config": {"directory_name": str(tmp_path / "state")}}
    document["outputs"] = {
        "relay": {
            "type": "syslog",
            "internal": False,
            "config": {"address": "127.0.0.1", "tls": {"verify_certificate": False}},
        }
    }
    collector = Collector(settings(document), SystemClock(), once=True)
    assert "outputs.relay.config.tls.verify_certificate" in caplog.text
    assert collector.run_once() == 0


def written(folder: Path, document: Config) -> Path:
    """The configuration as a file."""
    path = folder / "config.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    return path


def test_check_opens_the_files(pki: Pki, tmp_path: Path) -> None:
    """Exit 3 with the problem; in JSON as on the screen."""
    ca = long_lived(pki)
    mine = pki.issue(issuer=ca, ends=1000)
    config = written(tmp_path, devo(ca.cert, mine.cert, pki.issue().key))
    shown = CliRunner().invoke(application(), ["check", "-c", str(config), "--json"])
    (problem,) = json.loads(shown.stdout)["problems"]
    assert shown.exit_code == 3
    assert problem["path"] == "outputs.siem.config.key"


def test_check_warns(pki: Pki, tmp_path: Path) -> None:
    """Exit 0 with the warnings: what soon expires, and what is not verified."""
    mine = pki.issue(issuer=pki.ca, ends=20)
    document = devo(long_lived(pki).cert, mine.cert, mine.key, tls={"verify_hostname": False})
    config = written(tmp_path, document)
    shown = CliRunner().invoke(application(), ["check", "-c", str(config), "--json"])
    assert shown.exit_code == 0
    places = [warning["path"] for warning in json.loads(shown.stdout)["warnings"]]
    assert "outputs.siem.config.cert" in places
    assert "outputs.siem.config.tls.verify_hostname" in places
