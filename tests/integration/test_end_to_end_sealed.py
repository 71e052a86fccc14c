"""Encrypted and named secrets in a running collector: used, replaced, and never shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collector.clock import SystemClock
from collector.config import keyfile
from collector.config.ciphertext import encrypt, new_key
from collector.simulator import Simulator, SimulatorOptions
from tests.fakes.processes import PATIENCE, ROOT, Site, document, eventually, history
from tests.fakes.receivers import Answer, HttpReceiver

CANARIES = {name: f"{name}-c4n4ry-7f3a" for name in ("apikey", "secret", "token", "header", "next")}
ECHO = "import sys; sys.stderr.write('c4n4ry'); print(open(sys.argv[1]).read())"


def sealed_site(folder: Path, simulator: Simulator, options: SimulatorOptions, url: str) -> Site:
    """A site with an encrypted input, one of named secrets, and an output of an encrypted header.

    The command that prints the named secrets reads them from the folder ``kept``.
    """
    site = Site(folder, document(folder, simulator, options))
    key = new_key()
    keyfile.create(folder / "key", key)
    (folder / "kept").mkdir()
    (folder / "kept" / "api_key").write_text(CANARIES["apikey"])
    (folder / "kept" / "client_secret").write_text(CANARIES["secret"])
    (folder / "kept" / "header").write_text(
        encrypt(key, "outputs.lake.config.headers.X-Key", CANARIES["header"])
    )
    command = [sys.executable, "-Ic", ECHO, f"{folder}/kept/{{name}}"]
    settings = site.document["globals"]
    settings["debug"] = True
    settings["secrets"] = {"from": "command", "command": command, "key_file": "key"}
    inputs = site.document["inputs"]
    inputs["casb"]["credentials"] |= {
        "api_key": "$secret{api_key}",
        "client_secret": "$secret{client_secret}",
    }
    token = encrypt(key, "inputs.pod.credentials.token", CANARIES["token"])
    inputs["pod"]["credentials"] |= {"secure": True, "token": token}
    site.document["outputs"]["lake"] = {
        "type": "http",
        "max_retry_wait_in_seconds": 0.1,
        "config": {
            "secure": True,
            "url": encrypt(key, "outputs.lake.config.url", url),
            "headers": {"X-Key": "file:kept/header"},
        },
    }
    return site


def vendor() -> SimulatorOptions:
    """A vendor that takes the canaries."""
    return history(
        2,
        100,
        api_key=CANARIES["apikey"],
        client_secret=CANARIES["secret"],
        tokens=(CANARIES["token"],),
    )


def test_used_replaced_and_never_shown(tmp_path: Path) -> None:
    """A header that the destination no longer takes is replaced on the disk, and then used."""
    right = [CANARIES["next"]]
    with Simulator(vendor(), SystemClock()) as simulator, HttpReceiver() as receiver:
        receiver.answer = lambda post: Answer(200 if post.headers["x-key"] in right else 401)
        site = sealed_site(tmp_path, simulator, vendor(), receiver.url)
        (key,) = keyfile.read(tmp_path / "key")
        with site.running() as process:
            eventually(lambda: len(site.records()) == 5 and len(receiver.posts) > 1)
            (tmp_path / "kept" / "header").write_text("enc:v1:half")
            seen = len(receiver.posts)
            eventually(lambda: len(receiver.posts) > seen + 1)
            path = "outputs.lake.config.headers.X-Key"
            (tmp_path / "kept" / "header").write_text(encrypt(key, path, CANARIES["next"]))
            eventually(lambda: receiver.accepted)
            arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            process.terminate()
            assert process.wait(PATIENCE) == 0, site.log
    assert "The secrets of the output were replaced" in site.log
    assert {post.headers["x-key"] for post in receiver.posts} == {CANARIES["header"], right[0]}
    assert b"c4n4ry" not in arguments.replace(ECHO.encode(), b"")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    clear = [tmp_path / "kept" / name for name in ("api_key", "client_secret")]
    shown = [each.name for each in written if each not in clear and leaks(each)]
    assert shown == []


def leaks(path: Path) -> bool:
    """Whether a canary stands in a file, or the key."""
    content = path.read_bytes()
    return any(each.encode() in content for each in CANARIES.values())


def test_found_at_a_regular_look(tmp_path: Path) -> None:
    """A secret that is replaced while the old one still works is used by the next pull."""
    options = history(2, 100)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        site.document["globals"]["secrets"] = {"reread_in_seconds": 0.1}
        site.document["inputs"] = {"casb": site.document["inputs"]["casb"]}
        casb = site.document["inputs"]["casb"]
        casb["credentials"]["client_secret"] = "$secret{mine}"
        casb["services"]["alerts"]["request_period_in_seconds"] = 0.2
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "mine").write_text(options.client_secret)
        with site.running("--service", "alerts"):
            eventually(site.records)
            (tmp_path / "secrets" / "mine").write_text(CANARIES["next"])
            eventually(lambda: "the next call uses the new ones" in site.log)
            eventually(lambda: "SetupError 101" in site.log)
            eventually(lambda: "give way to the former ones" in site.log)
    assert "c4n4ry" not in site.log


def test_hosted_document_runs(tmp_path: Path) -> None:
    """``run --config job.json`` collects what Devo's form asks for, over a base configuration."""
    options = history(2, 100)
    with Simulator(options, SystemClock()) as simulator:
        ours = document(tmp_path, simulator, options)
        base = {"globals": ours["globals"], "outputs": ours["outputs"]}
        casb: dict[str, Any] = {"id": "12345", "enabled": True, **ours["inputs"]["casb"]}
        del casb["type"]
        (tmp_path / "base.yaml").write_text(json.dumps(base))
        job = {"global_overrides": {"debug": False}, "inputs": {"proofpoint_casb": casb}}
        (tmp_path / "job.json").write_text(json.dumps(job))
        process = subprocess.run(
            [sys.executable, "-m", "collector", "run", "--once", "--config", tmp_path / "job.json"],
            cwd=ROOT,
            env={"COLLECTOR_BASE_CONFIG": str(tmp_path / "base.yaml"), "TZ": "UTC"},
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    assert process.returncode == 0, process.stderr.decode()
    assert set(Site(tmp_path, ours).records()) == {
        "casb.proofpoint.alert",
        "casb.proofpoint.event",
    }


@pytest.mark.parametrize("words", [("check",), ("run", "--once")])
def test_every_command_tells_all_that_is_wrong(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Secrets that cannot be had are told at once, in the one style, before anything starts."""
    options = vendor()
    with Simulator(options, SystemClock()) as simulator:
        site = sealed_site(tmp_path, simulator, options, "https://lake.example.com")
    (tmp_path / "kept" / "api_key").unlink()
    (tmp_path / "key").chmod(0o644)
    process = subprocess.run(
        [sys.executable, "-m", "collector", *words, "--config", str(site.config)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == 3
    assert "ConfigError 3: 4 problems" in process.stderr
    for path, reason in (
        ("inputs.casb.credentials.api_key", "the command for the secret api_key ended with 1"),
        ("inputs.pod.credentials.token", "mode 0644"),
        ("outputs.lake.config.url", "mode 0644"),
        ("outputs.lake.config.headers.X-Key", "mode 0644"),
    ):
        assert path in process.stderr
        assert reason in process.stderr
    assert "c4n4ry" not in process.stdout + process.stderr
    assert not (tmp_path / "state").exists()
