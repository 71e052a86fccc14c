"""``collector test`` as an operator sees it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from collector.cli import application
from collector.errors import CollectorError
from collector.simulator import Simulator
from tests.fakes.connect_proxy import ConnectProxy
from tests.fakes.probing import casb, document, pod, standing
from tests.fakes.processes import ROOT, Site, free_port
from tests.fakes.raw_server import Peer, RawServer, answer
from tests.fakes.receivers import Answer, HttpReceiver

CANARY = "canary-7f3e19"


@pytest.fixture
def vendor() -> Iterator[Simulator]:
    """A vendor without faults."""
    with standing() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, vendor: Simulator) -> Site:
    """A site that works."""
    inputs = {"casb": casb(vendor.url), "pod": pod(vendor.ws_url)}
    return Site(tmp_path, document(tmp_path, inputs))


def asked(site: Site, *options: str) -> tuple[int, str, str]:
    """``collector test``: the exit code, standard output and standard error."""
    done = CliRunner().invoke(application(), ["test", "--config", str(site.config), *options])
    if isinstance(done.exception, CollectorError):  # which ``main`` makes a line of
        return done.exception.exit_code, done.stdout, str(done.exception)
    return done.exit_code, done.stdout, done.stderr


def as_json(site: Site, *options: str) -> dict[str, Any]:
    """``collector test --json``."""
    _, text, told = asked(site, "--json", *options)
    assert text, told
    found: dict[str, Any] = json.loads(text)
    return found


def test_everything_is_tested_by_default(site: Site) -> None:
    """Inputs first, then outputs, each with all its steps; exit code 0 when all pass."""
    code, text, _ = asked(site)
    assert code == 0
    assert "input casb: authentication: casb: ok in " in text
    assert "input pod: first answer: pod#message: ok in " in text
    assert "output files: probe: files: ok in " in text
    assert text.rstrip().endswith("3 of 3 passed")


def test_json(site: Site) -> None:
    """One document for scripts, with time, result and table of every step."""
    found = as_json(site, "pod")
    assert (found["passed"], found["exit_code"]) == (True, 0)
    (pod_test,) = found["tests"]
    assert (pod_test["kind"], pod_test["name"]) == ("input", "pod")
    steps = [each["step"] for each in pod_test["steps"]]
    assert steps == ["name", "address", "proxy", "tls", "authentication", "first answer"]
    assert {"milliseconds", "result", "trouble", "explanation", "recommendation"} <= set(
        pod_test["steps"][0]
    )


def test_failure_is_explained(site: Site) -> None:
    """A failure comes with the table's words; what else passes is tested all the same."""
    site.document["inputs"]["pod"]["credentials"]["token"] = "wrong-token"
    code, text, _ = asked(site)
    assert code == 8
    assert "authentication: pod#message: failed" in text
    assert "explanation (401): Unauthorized" in text
    assert "recommendation: Enter it anew" in text
    assert "failed: input pod" in text


def test_unknown_name(site: Site) -> None:
    """A name that is not configured is refused, with those that are."""
    code, _, told = asked(site, "nothing")
    assert code == 3
    assert "inputs: casb, pod; outputs: files" in told


def test_disabled_input_is_tested_only_by_name(site: Site) -> None:
    """What is switched off can be tested before it is switched on."""
    site.document["inputs"]["casb"]["enabled"] = False
    assert [each["name"] for each in as_json(site)["tests"]] == ["pod", "files"]
    assert [each["name"] for each in as_json(site, "casb")["tests"]] == ["casb"]


def test_one_at_a_time(site: Site, vendor: Simulator) -> None:
    """A second test says that there is a first one, and touches nothing."""
    site.state.mkdir()
    with FileLock(site.state / "test.lock"):
        code, _, told = asked(site)
    assert code == 7
    assert "another test is running" in told
    assert vendor.truth.requests == []
    assert asked(site, "pod")[0] == 0


def on_screen(site: Site, *options: str) -> tuple[int, str]:
    """``collector test`` on a terminal of 80 columns: the exit code, and the text it was sent."""
    ours, theirs = os.openpty()
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1"}
    command = [*site.command("test"), *options]
    with subprocess.Popen(command, stdout=theirs, cwd=ROOT, env=environment) as process:
        os.close(theirs)
        shown = _all_of(ours)
        code = process.wait(60)
    os.close(ours)
    return code, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


def test_screen(site: Site) -> None:
    """On a terminal each subject has its heading, and each step its row, in 80 columns."""
    code, shown = on_screen(site, "pod")
    assert code == 0
    assert shown.count("input pod (proofpoint_pod)") == 1
    assert re.search(r"ok         first answer    +[\d,]+ ms  pod#message: a record of", shown)
    assert "1 of 1 passed" in shown


def test_screen_of_a_failure(site: Site) -> None:
    """A failure has its explanation and what to do in words that are not broken."""
    site.document["inputs"]["pod"]["credentials"]["token"] = "wrong-token"
    code, shown = on_screen(site, "pod")
    assert code == 4
    words = " ".join(shown.split())
    assert "failed authentication" in words
    assert "what to do: Enter it anew; PoD: check that cluster_id is the token's own" in words
    assert "not run first answer pod#message: because this failed: authentication" in words


def test_time_limits_are_options(tmp_path: Path) -> None:
    """What is left when the time is over is not tried: no failure of its own, nor passed."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        site = Site(tmp_path, document(tmp_path, {"casb": casb(url)}))
        code, text, _ = asked(site, "--timeout", "5", "--total", "0.4")
    assert code == 5
    assert "which were left of the whole test's" in text
    assert "output files: folder: " in text
    assert text.count("not tried: the time of the whole test is used up") == 2
    assert text.splitlines()[-3:] == [
        "0 of 2 passed",
        "failed: input casb",
        "not tried to the end: output files",
    ]
    assert asked(site, "--timeout", "0")[0] == 2


def test_a_stream_whose_password_is_not_tried(tmp_path: Path) -> None:
    """It says so at the step, and again at the end; --session tries it."""

    def refuse(peer: Peer) -> None:
        peer.send(answer(b"", status="401 Unauthorized"))

    with RawServer(refuse) as server:
        stream = {
            "type": "websocket",
            "uri": server.ws_url,
            "credentials": {"strategy": "basic", "user": "ann", "password": CANARY},
            "proxy": "none",
            "services": {"stream": {}},
        }
        site = Site(tmp_path, document(tmp_path, {"far": stream}))
        code, text, _ = asked(site, "far")
        assert code == 0
        assert "authentication: far#stream: skipped: credentials not tried: " in text
        assert text.splitlines()[-2:] == ["1 of 1 passed", "credentials not tried: input far"]
        code, text, _ = asked(site, "far", "--session")
    assert code == 4
    assert "authentication: far#stream: failed" in text
    assert CANARY not in text


def leaky(folder: Path, vendor: RawServer, proxy: ConnectProxy, siem: HttpReceiver) -> Site:
    """A site with secrets everywhere, whose peers repeat them."""
    secret = {"api_key": f"{CANARY}-key", "client_id": f"{CANARY}-id"}
    behind = {"url": proxy.url, "username": "ann", "password": f"{CANARY}-proxy"}
    inputs = {
        "casb": casb(vendor.url, credentials={**secret, "client_secret": f"{CANARY}-secret"}),
        "pod": pod(vendor.ws_url, credentials={"cluster_id": "acme", "token": f"{CANARY}-pod"}),
        "far": casb("https://vendor.example.com", proxy=behind),
    }
    outputs = {
        "http": {
            "type": "http",
            "config": {
                "url": f"{siem.url}/{CANARY}-path?key={CANARY}-query",
                "headers": {"Authorization": f"Bearer {CANARY}-header"},
            },
        },
        "refused": {
            "type": "http",
            "config": {"url": f"http://127.0.0.1:{free_port()}/{CANARY}-path?key={CANARY}-query"},
        },
    }
    return Site(folder, document(folder, inputs, outputs))


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["lines", "json"])
def test_no_secret_is_shown(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Peers that repeat our secrets do not get them into the report."""
    echo = json.dumps({"message": f"who is {CANARY}-key {CANARY}-secret {CANARY}-pod?"}).encode()
    said = f"no: Bearer {CANARY}-header at {CANARY}-query".encode()
    with (
        RawServer(lambda peer: peer.send(answer(echo, status="401 No"))) as vendor,
        ConnectProxy(status=f"407 {CANARY}-proxy") as proxy,
        HttpReceiver() as siem,
    ):
        siem.answer = lambda _: Answer(400, body=said)
        code, text, told = asked(leaky(tmp_path, vendor, proxy, siem), *options)
    assert code == 6
    assert "401" in text
    assert CANARY not in text + told


def test_granted_token_is_not_shown(tmp_path: Path) -> None:
    """A token that was granted a moment ago is struck out like the configured secrets."""

    def serve(peer: Any) -> None:
        granted = json.dumps({"auth_token": f"{CANARY}-granted"}).encode()
        repeated = json.dumps({"message": f"bad {CANARY}-granted"}).encode()
        first = b"/v1/auth" in peer.head
        peer.send(answer(granted) if first else answer(repeated, status="400 Bad"))

    with RawServer(serve) as server:
        site = Site(tmp_path, document(tmp_path, {"casb": casb(server.url)}))
        code, text, told = asked(site, "casb")
    assert code == 5
    assert "HTTP 400: bad " in text
    assert CANARY not in text + told


def _all_of(terminal: int) -> str:
    """What a terminal shows until its program ends."""
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # the other side is closed
            break
        shown += part
    return shown.decode()
