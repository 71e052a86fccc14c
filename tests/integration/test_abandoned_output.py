"""Records for an output that was taken out of the configuration."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector.app.collector import Collector
from collector.app.outcome import COMPLETE, PARTIAL
from collector.app.selection import Selection
from collector.cli import application
from collector.clock import SystemClock
from collector.core.checkpoint import started
from collector.core.model import Batch
from collector.core.store import Commit
from collector.errors import CollectorError, StateError
from collector.persistence.report import StateReport
from collector.persistence.sqlite import SqliteStore
from tests.fakes.config import changed, settings
from tests.fakes.stores import START


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with the output ``archive``, and a state in which ``gone`` is owed, too."""
    batch = Batch(
        source="pod#message",
        tag="t",
        lane="standard",
        mode="live",
        count=2,
        body=b"{}\n{}\n",
        first=START,
        last=START,
        outputs=("gone", "archive"),
    )
    with closing(SqliteStore.open(tmp_path / "state", SystemClock())) as store:
        store.commit(
            Commit(source="pod#message", checkpoint=started(START), observed=START, batches=[batch])
        )
    path = tmp_path / "config.yaml"
    place = {"directory_name": str(tmp_path / "state")}
    path.write_text(json.dumps(changed("globals.persistence.config", place)), encoding="utf-8")
    return path


def abandon(config: Path, output: str, answer: str = "") -> Result:
    """``collector state abandon``."""
    command = ["state", "abandon", output, "--config", str(config)]
    return CliRunner().invoke(application(), command, input=answer)


def test_without_a_state_none_is_made(tmp_path: Path) -> None:
    """A wrong folder is told, and stays as it is."""
    place = {"directory_name": str(tmp_path / "none")}
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(changed("globals.persistence.config", place)), encoding="utf-8")
    refused = abandon(path, "gone", "y\n")
    assert isinstance(refused.exception, StateError)
    assert refused.exception.number == 203
    assert not (tmp_path / "none").exists()


def waiting(config: Path) -> list[tuple[str, str, int]]:
    """What waits for whom."""
    return StateReport.read(config.parent / "state").waiting


def test_a_start_names_it(config: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With how many wait, and what to do: such records fill the spool for ever."""
    document = json.loads(config.read_text(encoding="utf-8"))
    with caplog.at_level(logging.WARNING, logger="collector"):
        made = Collector(settings(document), SystemClock(), Selection({"none"}))
    made.store.close()
    (warning,) = caplog.messages
    assert "2 records wait for the output gone" in warning
    assert "collector state abandon gone" in warning


def test_a_one_shot_run_does_not_wait_for_it(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its records are no failure of the run, which delivers the others at once."""
    document = json.loads(config.read_text(encoding="utf-8"))
    document["outputs"]["archive"]["config"]["path"] = str(config.parent / "out")
    made = Collector(settings(document), SystemClock(), Selection({"none"}), once=True)
    with caplog.at_level(logging.WARNING, logger="collector"):
        assert made.run_once() == COMPLETE
    (warning,) = caplog.messages
    assert "2 records wait for the output gone" in warning
    assert waiting(config) == [("gone", "standard", 2)]


def test_the_state_names_it(config: Path) -> None:
    """With the way out; an output that is configured is not named so."""
    shown = CliRunner().invoke(application(), ["state", "show", "--config", str(config)])
    assert "gone is configured no more" in shown.stdout
    assert "collector state abandon gone" in shown.stdout
    assert "archive is configured no more" not in shown.stdout
    assert shown.stdout.count("Spool") == 1


def test_it_is_given_up_when_asked_for(config: Path) -> None:
    """After a yes; what others wait for stays."""
    assert abandon(config, "gone", answer="n\n").exit_code == PARTIAL
    assert len(waiting(config)) == 2
    assert abandon(config, "gone", answer="y\n").exit_code == 0
    assert waiting(config) == [("archive", "standard", 2)]


def test_a_configured_output_is_not_given_up(config: Path) -> None:
    """It would lose records by a slip of the finger."""
    error = abandon(config, "archive", answer="y\n").exception
    assert isinstance(error, CollectorError)
    assert error.exit_code == 3
    assert len(waiting(config)) == 2


def test_an_unknown_output_is_no_success(config: Path) -> None:
    """Neither configured nor waited for: the names that there are, and the nearest."""
    error = abandon(config, "gnoe", answer="y\n").exception
    assert isinstance(error, CollectorError)
    assert error.exit_code == 3
    assert "no output is called gnoe" in error.cause
    assert "did you mean gone?" in error.remedy
    assert "configured: archive" in error.remedy
    assert "with records that wait: gone" in error.remedy
    assert len(waiting(config)) == 2
