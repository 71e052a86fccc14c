"""Secrets that are replaced on the disk while the collector runs (row 15 of the fault matrix)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from collector.app.credentials import Credentials, Rereading, configured
from collector.app.jobs import Job
from collector.app.outcome import Outcome
from collector.app.services import ServiceJob
from collector.clock import SystemClock
from collector.config.ciphertext import encrypt, new_key
from collector.config.load import load, parse
from collector.config.models import AnyInput, Settings
from collector.core.model import Request, Response
from collector.errors import AuthenticationError, ConfigError, TokenRejected
from collector.setup.keeper import Keeper
from collector.setup.latest import LatestSetup
from collector.simulator import Simulator
from tests.fakes.clock import ManualClock
from tests.fakes.config import NOW, changed
from tests.fakes.keyrings import MemoryKeyring, in_memory
from tests.fakes.processes import Site, document, eventually, history
from tests.fakes.pulls import START, Bench, as_json
from tests.fakes.sealed import TOKEN, key_file
from tests.fakes.sources import alerts
from tests.fakes.tenants import casb_setup


def test_a_rotated_secret_is_found_without_a_restart(tmp_path: Path) -> None:
    """Neither a half-written file nor another wrong one does harm; the right one is used."""
    options = history(hours=3, records=30)
    secret = tmp_path / "secret"
    secret.write_text("former-canary\n")
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        casb = site.document["inputs"] = {"casb": site.document["inputs"]["casb"]}
        casb["casb"]["credentials"]["client_secret"] = "file:secret"
        casb["casb"]["services"]["alerts"]["request_period_in_seconds"] = 0.2
        with site.running("--service", "alerts"):
            eventually(lambda: "SetupError 101" in site.log)
            secret.write_text("")
            secret.write_text("another-canary\n")
            eventually(lambda: site.log.count("SetupError 101") == 2)
            secret.write_text(options.client_secret)
            eventually(site.records)
    assert "The credentials have changed: trying them" in site.log
    assert "canary" not in site.log
    assert options.client_secret not in site.log


class Desk:
    """Two services that share credentials, of which the vendor takes only the right ones."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.configured: str | None = "old"
        self.right = "new"
        self.used: list[str] = []
        self.credentials = Credentials("old", lambda: self.configured)
        self.jobs = [self._job(), self._job()]

    def run(self) -> list[str]:
        """Let both run; the credentials they used."""
        self.used.clear()
        for job in self.jobs:
            job.run()
        self.clock.advance(10)
        return list(self.used)

    def _pull(self) -> None:
        self.used.append(self.credentials.used)
        if self.credentials.used != self.right:
            raise TokenRejected(401, "rejected", "check it")

    def _job(self) -> Job:
        service = ServiceJob(
            source_id="pod#message",
            component="tests",
            setup_component="tests",
            puller_class="Tests",
            setup=lambda: None,
            run=self._pull,
            period=10.0,
            intake=Bench(alerts(), START).intake,
            credentials=self.credentials,
        )
        return Job(service, Outcome(), self.clock, self.clock.stop)


def test_every_service_of_an_input_finds_the_new_ones() -> None:
    """Each rests with the old ones, and none with the new ones, whoever found them first."""
    desk = Desk()
    assert desk.run() == ["old", "old"]
    assert desk.run() == []
    desk.configured = "new"
    assert desk.run() == ["new", "new"]
    assert desk.run() == ["new", "new"]


def test_what_cannot_be_read_changes_nothing() -> None:
    """The old ones are kept, and tried again when their time comes."""
    desk = Desk()
    desk.run()
    desk.configured = None
    assert desk.run() == []
    desk.clock.advance(900)
    assert desk.run() == ["old", "old"]


def test_credentials_that_are_taken_are_not_looked_at() -> None:
    """A change that nobody needs yet waits: the old ones still work."""
    desk = Desk()
    desk.right = "old"
    desk.run()
    desk.configured = "new"
    assert desk.run() == ["old", "old"]


def test_new_ones_are_found_while_the_old_ones_work() -> None:
    """At a regular look; those that nobody takes give way to the old ones at once."""
    desk = Desk()
    desk.right = "old"
    desk.run()
    desk.configured = "wrong"
    desk.jobs[0].look()
    assert desk.run() == ["wrong", "old"]
    assert desk.run() == ["old", "old"]
    desk.jobs[1].look()
    assert desk.run() == ["old", "old"]  # those that were refused are not tried again
    desk.configured = desk.right = "new"
    desk.jobs[0].look()
    assert desk.run() == ["new", "new"]


def test_former_ones_are_forgotten_once_the_new_ones_worked() -> None:
    """Else a refusal months later would bring back what was replaced."""
    desk = Desk()
    desk.right = "old"
    desk.run()
    desk.configured = desk.right = "new"
    desk.jobs[0].look()
    assert desk.run() == ["new", "new"]
    desk.right = "old"
    assert desk.run() == ["new", "new"]
    assert desk.run() == []


def test_when_both_are_refused_the_configured_ones_are_left() -> None:
    """They are what is tried once the time has come."""
    desk = Desk()
    desk.right = "neither"
    desk.configured = "new"
    desk.jobs[0].look()
    assert desk.run() == ["new", "old"]
    assert desk.run() == ["new", "new"]
    assert desk.run() == []
    desk.clock.advance(900)
    assert desk.run() == ["new", "new"]


def test_a_late_refusal_does_not_count_against_others() -> None:
    """Of two services, one hears of the refusal when the other has new ones already."""
    credentials = Credentials("old", lambda: "new")
    began = credentials.changes
    credentials.look()
    credentials.refused(began)
    assert credentials.used == "new"
    credentials.worked(began)
    credentials.refused(credentials.changes)
    assert credentials.used == "old"


def test_the_configuration_is_read_once_for_all_who_ask() -> None:
    """Within a second; an error is the answer for as long."""
    clock = ManualClock(START)
    read: list[int] = []

    def failing() -> Settings:
        read.append(1)
        raise ConfigError(3, "half written", "write the rest")

    reread = Rereading(failing, clock)
    for asked in (1, 1, 2):
        with pytest.raises(ConfigError):
            reread()
        assert len(read) == asked
        clock.advance(0.6)


class Place:
    """Where one kind of source keeps a token, so that it can be replaced."""

    def __init__(self, folder: Path, ring: MemoryKeyring) -> None:
        self.folder = folder
        self.ring = ring
        self.key = new_key()
        key_file(folder, self.key)
        (folder / "secrets").mkdir()

    def settings(self, kind: str) -> Settings:
        """The configuration as it is now."""
        command = [sys.executable, "-Ic", f"print(open({str(self.token)!r}).read())", "{name}"]
        secrets = {
            "files": {},
            "keyring": {"from": "keyring"},
            "command": {"from": "command", "command": command},
            "encrypted": {"key_file": "key"},
        }
        token = "file:secrets/pod_token" if kind == "encrypted" else "$secret{pod_token}"
        credentials = {"cluster_id": "a", "token": token, "secure": kind == "encrypted"}
        document = changed("inputs.pod.credentials", credentials)
        document["globals"] = {**document["globals"], "secrets": secrets[kind]}
        return parse(document, self.folder, {}, NOW)

    @property
    def token(self) -> Path:
        """The file behind all kinds but the keyring."""
        return self.folder / "secrets" / "pod_token"

    def replace(self, kind: str, text: str) -> None:
        """Put another token there, or half of one."""
        if kind == "keyring":
            self.ring.kept["collector", "pod_token"] = text
        self.token.write_text(encrypt(self.key, TOKEN, text) if kind == "encrypted" else text)

    def spoil(self, kind: str) -> None:
        """Leave it half written: empty, locked, or cut short."""
        self.ring.locked = True
        self.token.write_text(self.token.read_text()[:30] if kind == "encrypted" else "")


@pytest.mark.parametrize("kind", ["files", "keyring", "command", "encrypted"])
def test_each_source_is_read_again(tmp_path: Path, kind: str) -> None:
    """What is half written changes nothing; what is whole is used, from wherever it comes."""
    with in_memory() as ring:
        place = Place(tmp_path, ring)
        place.replace(kind, "the-old-token")

        def token(found: AnyInput) -> str:
            assert found.type == "proofpoint_pod"
            return found.credentials.token.get_secret_value()

        look = configured(lambda: place.settings(kind), "pod", token)
        credentials = Credentials("the-old-token", look)
        assert credentials.look() == 0
        place.spoil(kind)
        assert (credentials.look(), credentials.used) == (0, "the-old-token")
        ring.locked = False
        place.replace(kind, "the-new-token")
        assert (credentials.look(), credentials.used) == (1, "the-new-token")


def test_a_token_of_former_credentials_is_not_used() -> None:
    """It is replaced at the next call, and a refusal of the former ones says nothing."""
    clock = ManualClock(START)
    secret = ["old"]
    asked: list[str] = []

    def exchange(request: Request) -> Response:
        asked.append(request.json["client_secret"])
        status = 401 if asked[-1] == "wrong" else 200
        body = as_json({"auth_token": f"token of {asked[-1]}"})
        return Response(request=request, status=status, body=body)

    setup = LatestSetup(lambda: casb_setup(client_secret=secret[0]))
    keeper = Keeper(setup, exchange, clock)
    assert keeper.token().value == keeper.token().value == "token of old"
    secret[0] = "wrong"
    with pytest.raises(AuthenticationError):
        keeper.token()
    secret[0] = "new"
    assert keeper.token().value == "token of new"
    assert asked == ["old", "wrong", "new"]


def test_only_what_can_be_loaded_is_taken(tmp_path: Path) -> None:
    """A missing file, an error elsewhere in the configuration, an input that has gone."""
    site = Site(tmp_path, {})
    site.document = {
        "globals": {"id": "1", "name": "acme"},
        "outputs": {"out": {"type": "console"}},
        "inputs": {
            "pod": {
                "type": "proofpoint_pod",
                "credentials": {"cluster_id": "acme_hosted", "token": "file:secret"},
                "services": {"audit": {}},
            }
        },
    }

    def reread() -> Settings:
        return load(site.config, {}, NOW)

    def credentials(found: AnyInput) -> str:
        assert found.type == "proofpoint_pod"
        return found.credentials.token.get_secret_value()

    look = configured(reread, "pod", credentials)
    assert look() is None
    (tmp_path / "secret").write_text("the-new-token\n")
    assert look() == "the-new-token"
    assert configured(reread, "casb", credentials)() is None
    site.document["globals"]["nonsense"] = 1
    assert look() is None
