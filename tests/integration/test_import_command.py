"""``collector import``: from a file of another product to one that ``check`` accepts."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from collector.cli import application
from collector.cli.importing import report
from collector.config.load import load
from collector.errors import ConfigError
from collector.importers.products import convert
from tests.fakes.config import NOW
from tests.fakes.imports import CANARY, EXAMPLES, SECRETS

INPUTS = {
    "sumo": ["PoD"],
    "virtualmetric": ["pod_messages", "pod_maillog"],
    "observo": ["proofpoint-on-Demand-Logs-1"],
    "stellar": ["acme-pod"],
    "devo": ["proofpoint_casb"],
}


def run(*words: str, given: str = "", environ: dict[str, str] | None = None) -> Result:
    """``collector`` with these words and this on standard input."""
    return CliRunner().invoke(application(), words, input=given, env=environ or {})


def original(folder: Path, product: str) -> Path:
    """The example of a product as a file, with canaries for secrets."""
    text, suffix = EXAMPLES[product]
    for at, secret in enumerate(SECRETS):
        text = text.replace(secret, f"{CANARY}{at}")
    path = folder / f"original{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("product", EXAMPLES)
def test_round_trip(tmp_path: Path, product: str) -> None:
    """What is written loads, with the environment variables that the report names."""
    made = tmp_path / "config.yaml"
    result = run("import", "--from", product, str(original(tmp_path, product)), "-o", str(made))
    assert result.exit_code == 0
    assert made.stat().st_mode & 0o777 == 0o600
    names = re.findall(r"^  \$\{(\w+)\}: for ", result.stdout, re.MULTILINE)
    assert names
    environ = {name: f"value of {name}" for name in names}
    assert list(load(made, environ, NOW).inputs) == INPUTS[product]
    assert CANARY not in result.output + made.read_text(encoding="utf-8")
    if product not in {"devo", "observo"}:  # which name files of certificates
        assert run("check", "--config", str(made), environ=environ).exit_code == 0


@pytest.mark.parametrize("product", EXAMPLES)
def test_to_the_screen(tmp_path: Path, product: str) -> None:
    """The configuration alone is on standard output, the report on standard error."""
    path = original(tmp_path, product)
    result = run("import", "--from", product, str(path))
    (tmp_path / "config.yaml").write_text(result.stdout, encoding="utf-8")
    names = re.findall(r"\$\{(\w+)\}", result.stdout)
    environ = dict.fromkeys(names, "a value")
    assert list(load(tmp_path / "config.yaml", environ, NOW).inputs) == INPUTS[product]
    for title in ("mapped", "set to our default", "no place here", "to be set before"):
        assert title in result.stderr
    assert CANARY not in result.output


def told(product: str, columns: int | None) -> list[str]:
    """The report on a terminal with so many columns, or without one, line by line."""
    stream = StringIO()
    terminal = columns is not None
    console = Console(file=stream, force_terminal=terminal, color_system=None, width=columns or 80)
    text, suffix = EXAMPLES[product]
    report(convert(product, text.encode(), suffix, NOW), Path("config.yaml"), console)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("product", EXAMPLES)
def test_no_word_is_broken(product: str) -> None:
    """In 80 columns each path, reference and word of the report stands whole."""
    wide, narrow = told(product, None), told(product, 80)
    assert " ".join(wide).split() == " ".join(narrow).split()
    assert all(len(line) <= 80 for line in narrow if len(line.split()) > 2)


def test_a_line_for_each_setting_without_a_terminal() -> None:
    """In a pipe nothing is broken, so that a setting can be searched for."""
    lines = told("virtualmetric", None)
    assert "mapped: 15" in lines
    assert "  devices[0].properties.token -> inputs.pod_messages.credentials.token" in lines
    assert "  devices[1].properties.reuse: is part of globals.workers" in lines
    assert "  ${PROOFPOINT_TOKEN}: for inputs.pod_messages.credentials.token" in lines


def test_json(tmp_path: Path) -> None:
    """The report for scripts, with the configuration unless it went to a file."""
    words = ["import", "--from", "sumo", "--json", str(original(tmp_path, "sumo"))]
    report = json.loads(run(*words).stdout)
    assert report["from"] == "sumo"
    secret = {
        "setting": "source.config.api_secret",
        "to": "inputs.PoD.credentials.token",
        "note": "",
    }
    assert secret in report["mapped"]
    assert {each["setting"] for each in report["no_place"]} == {"api.version", "source.sourceType"}
    assert "outputs.archive" in {each["to"] for each in report["default"]}
    assert report["references"]["${POD_TOKEN}"] == ["inputs.PoD.credentials.token"]
    assert "inputs:" in report["config"]
    made = tmp_path / "made.yaml"
    result = run(*words, "-o", str(made))
    assert json.loads(result.stdout)["output"] == str(made)
    assert "config" not in json.loads(result.stdout)
    assert made.exists()
    assert CANARY not in result.output


def test_from_standard_input() -> None:
    """``-`` is standard input, read by how it begins."""
    result = run("import", "--from", "sumo", "-", given=EXAMPLES["sumo"][0])
    assert result.exit_code == 0
    assert "proofpoint_pod" in result.stdout


def test_a_file_that_is_there(tmp_path: Path) -> None:
    """It is left alone, and replaced with ``--force``, then for its owner alone."""
    made = tmp_path / "config.yaml"
    made.write_text("mine", encoding="utf-8")
    made.chmod(0o644)
    words = ["import", "--from", "sumo", str(original(tmp_path, "sumo")), "-o", str(made)]
    refused = run(*words).exception
    assert isinstance(refused, ConfigError)
    assert "--force" in refused.remedy
    assert made.read_text(encoding="utf-8") == "mine"
    assert run(*words, "--force").exit_code == 0
    assert "PoD" in made.read_text(encoding="utf-8")
    assert made.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config.yaml", "original.json"]


@pytest.mark.parametrize("text", ["{", f'{{"a": "{CANARY}"}}', f"{{{CANARY}}}"])
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    """Nothing is written, and nothing of it is shown."""
    path = tmp_path / "original.json"
    path.write_text(text, encoding="utf-8")
    made = tmp_path / "config.yaml"
    result = run("import", "--from", "sumo", str(path), "-o", str(made))
    assert isinstance(result.exception, ConfigError)
    assert result.exception.exit_code == 3
    assert CANARY not in f"{result.output} {result.exception}"
    assert not made.exists()


def test_files_that_cannot_be_had(tmp_path: Path) -> None:
    """One that is not there, a folder, and a place that cannot be written."""
    path = str(original(tmp_path, "sumo"))
    for words in (
        ["--from", "sumo", str(tmp_path / "gone")],
        ["--from", "sumo", str(tmp_path)],
        ["--from", "sumo", "a\0b"],
        ["--from", "sumo", path, "-o", str(tmp_path / "no" / "config.yaml")],
        ["--from", "sumo", path, "-o", str(tmp_path), "--force"],
    ):
        error = run("import", *words).exception
        assert isinstance(error, ConfigError)
        assert error.remedy
    assert run("import", "--from", "nobody", path).exit_code == 2
