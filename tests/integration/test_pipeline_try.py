"""``collector pipeline try``: before and after, without network or needless secrets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from collector.cli import application
from collector.errors import CollectorError

CONFIG = """
globals: {id: "1", name: acme}
outputs: {archive: {type: devo, config: {address: "${UNSET_ADDRESS}"}}}
inputs:
  pod:
    type: proofpoint_pod
    credentials: {cluster_id: "${UNSET_CLUSTER}", token: "file:no/such/file"}
    pipelines: [clean]
    services:
      message: {}
      maillog: {pipelines: [secretive]}
      audit: {pipelines: [broken, nowhere]}
  bare: {type: proofpoint_pod, services: {message: {}}}
pipelines:
  clean:
    steps:
      - {type: filter, condition: 'record.n < 3'}
      - {type: explode, field: rcpts, on_error: dead_letter}
      - {type: rename, fields: {old: new}, on_error: dead_letter}
  secretive:
    steps:
      - {type: pseudonymise, fields: [rcpts], key: "${PIPELINE_KEY}", length: 16}
  broken:
    steps:
      - {type: filter, condition: 'record.n <'}
"""
RECORDS = b"""{"n":1,"rcpts":["a","b"]}

{"n":5}
{"m":5}
nonsense \x1b[31m\xff
{"n":1,"old":1,"new":2}
{"n":1, "x":1.50}
{"n":2,"old":"\\u202e"}"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration, with the records beside it."""
    (tmp_path / "records.ndjson").write_bytes(RECORDS)
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def tried(config: Path, *options: str, **more: Any) -> Result:
    """What ``pipeline try`` does with the records and these options."""
    records = str(config.parent / "records.ndjson")
    arguments = ["pipeline", "try", "-c", str(config), "--file", records, *options]
    return CliRunner().invoke(application(), arguments, **more)


def refused(config: Path, *options: str) -> CollectorError:
    """The error that ends it."""
    result = tried(config, *options)
    assert isinstance(result.exception, CollectorError)
    return result.exception


def test_before_and_after_as_json(config: Path) -> None:
    """Each record with its verdict, byte for byte, and the counts."""
    found = json.loads(tried(config, "-i", "pod", "--json").stdout)
    assert found["counts"] == {
        "unchanged": 2,
        "changed": 1,
        "split": 1,
        "dropped": 1,
        "dead": 2,
        "written": 5,
    }
    assert found["records"][0] == {
        "line": 1,
        "verdict": "split",
        "before": '{"n":1,"rcpts":["a","b"]}',
        "after": ['{"n":1,"rcpts":"a"}', '{"n":1,"rcpts":"b"}'],
        "flags": [],
        "dead": None,
    }
    assert [each["line"] for each in found["records"]] == [1, 3, 4, 5, 6, 7, 8]
    assert found["records"][2]["flags"] == ["filter_failed"]
    assert "rename: there is a field new already" in found["records"][4]["dead"]
    assert found["records"][5]["after"] == ['{"n":1, "x":1.50}']


def test_on_a_terminal(config: Path) -> None:
    """People see both forms, and nothing of a record can steer the terminal."""
    result = tried(config, "-i", "pod")
    assert result.exit_code == 0
    assert "line 1: split" in result.stdout
    assert "line 4: unchanged, filter_failed" in result.stdout
    assert "\x1b[31m" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "7 records read: 2 unchanged, 1 changed, 1 split" in result.stderr


def test_standard_input_and_limit(config: Path) -> None:
    """``-`` reads standard input, and no more records than asked for."""
    arguments = ["pipeline", "try", "-c", str(config), "-i", "pod", "-f", "-", "--json"]
    result = CliRunner().invoke(application(), [*arguments, "--limit", "2"], input=RECORDS)
    assert [each["line"] for each in json.loads(result.stdout)["records"]] == [1, 3]


def test_only_the_secrets_of_the_steps_are_read(config: Path) -> None:
    """The key of a step is needed where the service has that step, and nothing else is."""
    found = json.loads(
        tried(config, "-i", "pod", "-s", "maillog", "--json", env={"PIPELINE_KEY": "k" * 16}).stdout
    )
    assert found["counts"]["changed"] == 1
    missing = str(refused(config, "-i", "pod", "-s", "maillog"))
    assert "pipelines.secretive.steps[0].key" in missing
    assert "1 problem(s)" in missing
    assert "PIPELINE_KEY is not set" in missing


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        (["-i", "pud"], "no input is called pud"),
        (["-i", "pod", "-s", "alerts"], "no service of pod is called alerts"),
        (["-i", "bare"], "bare names no pipeline"),
        (["-i", "pod", "-s", "audit"], "pipelines.broken.steps[0].condition"),
        (["-i", "pod", "-s", "audit"], "names nowhere, which is no pipeline"),
        (["-i", "pod", "-f", "no/such/file"], "no/such/file cannot be read"),
    ],
)
def test_what_is_wrong_is_said(config: Path, options: list[str], cause: str) -> None:
    """What cannot be tried is said with its place."""
    error = refused(config, *options)
    assert cause in str(error)
    assert error.exit_code == 3


def test_a_collector_without_pipelines_does_not_load_their_libraries() -> None:
    """The libraries of conditions and patterns are loaded when one is compiled."""
    script = "import collector.cli, sys; print({'re2', 'cel_expr_python'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "set()"
