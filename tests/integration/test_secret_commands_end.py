"""A program that is to print a secret, and hangs, ends with the collector."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.simulator import QUIET, Simulator
from tests.fakes.config import changed
from tests.fakes.forks import Process
from tests.fakes.processes import (
    Site,
    document,
    eventually,
    heeding_ctrl_c,
    history,
    started,
)

STOP_SECONDS = 2.0
# Prints the secret, unless told to hang: then with a child of its own, which ignores SIGTERM.
PROGRAM = """
import os, signal, sys, time
folder, secret = sys.argv[2:]
if os.path.exists(f"{folder}/hang"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.fork()
    with open(f"{folder}/pids", "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(120)
print(secret)
"""


def vault(folder: Path, secret: str) -> dict[str, object]:
    """``globals.secrets`` with the program."""
    (folder / "program.py").write_text(PROGRAM)
    program = [sys.executable, "-I", str(folder / "program.py")]
    command = [*program, "{name}", str(folder), secret]
    return {"from": "command", "command": command, "timeout_in_seconds": 60}


def hanging(folder: Path) -> list[int]:
    """The program and its child, once both hang."""

    def both() -> list[int]:
        path = folder / "pids"
        found = [int(line) for line in path.read_text().split()] if path.exists() else []
        return found if len(found) == 2 else []

    eventually(both)
    return both()


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended may wait for its parent to notice."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def ended(process: subprocess.Popen[bytes] | Process, number: int) -> float:
    """Signal the collector; the real seconds after which it has ended."""
    began = time.monotonic()
    process.send_signal(number)
    process.wait(30)
    return time.monotonic() - began


def gone(programs: list[int]) -> bool:
    """Whether they end; whatever is left is ended here."""
    try:
        eventually(lambda: not any(map(alive, programs)))
    except AssertionError:
        for each in filter(alive, programs):
            os.kill(each, signal.SIGKILL)
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_before_anything_runs(tmp_path: Path, number: int) -> None:
    """A command that reads its configuration is broken off, and the program with it."""
    (tmp_path / "hang").touch()
    named = changed("inputs.pod.credentials.token", "$secret{pod_token}")
    named["globals"]["secrets"] = vault(tmp_path, "pod-token")
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(named), encoding="utf-8")
    command = heeding_ctrl_c("check", "--config", str(config))
    with started(command, tmp_path / "log") as process:
        programs = hanging(tmp_path)
        ended(process, number)
        assert gone(programs)
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert process.returncode in {-signal.SIGTERM, 8}


def test_while_the_collector_runs(tmp_path: Path) -> None:
    """A program that hangs at a later look keeps nobody from stopping, nor does it stay."""
    options = history(2, 30, QUIET)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        secrets = {**vault(tmp_path, options.tokens[0]), "reread_in_seconds": 0.2}
        site.document["globals"]["secrets"] = secrets
        site.document["inputs"]["pod"]["credentials"]["token"] = "$secret{pod_token}"
        with site.running() as process:
            eventually(site.records)
            (tmp_path / "hang").touch()
            programs = hanging(tmp_path)
            took = ended(process, signal.SIGTERM)
            assert gone(programs)
    assert process.returncode == 0, site.log
    assert took < 2 * STOP_SECONDS, site.log
