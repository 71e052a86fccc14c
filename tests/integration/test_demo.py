"""``collector demo``, as somebody who has just installed it runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from collector.demo.show import prepare
from collector.errors import ConfigError
from tests.fakes.processes import PATIENCE, ROOT, eventually, heeding_ctrl_c

LIMIT = 15.0
"""Real seconds; generous, for a busy machine."""


def test_verdict(tmp_path: Path) -> None:
    """Everything that was emitted is delivered once, and a script can read so."""
    done = subprocess.run(
        [sys.executable, "-m", "collector", "demo", "--out", str(tmp_path / "out"), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["good"] is True
    assert Path(told["log"]).is_file()
    services = {each["service"]: each for each in told["verdicts"]}
    assert services.keys() == {"alerts", "events", "message", "maillog", "audit"}
    for each in services.values():
        assert each["emitted"] == each["delivered"] > 0
        assert (each["lost"], each["duplicates"]) == (0, 0)


def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends both sides, without a word about what went on without the other."""
    out = tmp_path / "out"
    command = heeding_ctrl_c("demo", "--out", str(out))
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        eventually(lambda: list(out.glob("*.ndjson")))
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=LIMIT)
    assert process.returncode == 8
    assert "Interrupted." in told
    assert "Traceback" not in told
    assert "could not be written" not in told


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/demo"])
def test_a_folder_that_cannot_be_used(tmp_path: Path, place: str) -> None:
    """It is an error of ours, with its cause and what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError) as refused:
        prepare(tmp_path / place)
    assert (refused.value.number, refused.value.exit_code) == (32, 3)
    assert str(tmp_path / place) in refused.value.cause
    assert "--out" in refused.value.remedy
