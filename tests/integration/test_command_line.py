"""The command line as a whole: what a command loads, and how a question ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector import __version__
from collector.app.outcome import COMPLETE, DELIVERY, PARTIAL
from collector.cli import application
from collector.clock import SystemClock
from collector.core.checkpoint import started
from collector.core.store import Commit
from collector.persistence.sqlite import SqliteStore
from tests.fakes.config import changed
from tests.fakes.imports import EXAMPLES
from tests.fakes.processes import ROOT
from tests.fakes.stores import START


def loaded_by(*words: str) -> set[str]:
    """The modules that a command has loaded at its end."""
    code = (
        "import sys\n"
        "from collector.cli import _wanted, application\n"
        "try:\n"
        f"    application(_wanted({list(words)!r}))({list(words)!r})\n"
        "finally:\n"
        "    print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_a_command_loads_what_it_needs() -> None:
    """Its own module; ``health``, which a container asks for ever, nothing that collects."""
    health = loaded_by("health", "--help")
    assert "collector.cli.health" in health
    assert not {"collector.cli.run", "collector.app.collector", "numpy", "sqlite3"} & health
    assert not {"collector.config.models", "cryptography"} & loaded_by("version")


def test_an_interruption_while_the_program_loads() -> None:
    """One line and the exit code of an interruption, as later on."""
    code = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'typer':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from collector.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (PARTIAL, "", "Interrupted.\n")


def test_help_knows_all() -> None:
    """Without a command everything is loaded, so that the list is whole."""
    assert {"collector.cli.run", "collector.cli.ledger"} <= loaded_by("--help")


def test_the_version_is_an_option_too() -> None:
    """It prints what the command prints, and loads no more than that."""
    told = [CliRunner().invoke(application(), [word]) for word in ("version", "--version")]
    assert [each.exit_code for each in told] == [COMPLETE, COMPLETE]
    assert told[0].stdout == told[1].stdout == f"{__version__}\n"
    assert "--version" in CliRunner().invoke(application(), ["--help"]).stdout
    assert not {"collector.cli.run", "collector.config.models"} & loaded_by("--version")


@pytest.mark.parametrize(
    "words",
    [("check",), ("backfill",), ("state", "reset"), ("ledger", "show")],
    ids=" ".join,
)
def test_a_help_text_fits_80_columns(words: tuple[str, ...]) -> None:
    """No line of it is broken once more, which would leave a word alone on the next."""
    described = [
        line.strip()
        for line in CliRunner(env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
        .invoke(application(), [*words, "--help"])
        .stdout.partition("╭")[0]
        .splitlines()
    ]
    assert max(map(len, described)) <= 78


@pytest.mark.parametrize("columns", ["60", "80"])
@pytest.mark.parametrize(
    "words",
    [("run",), ("import",), ("secret",), ("dead-letters", "show"), ("dead-letters", "drop")],
    ids=" ".join,
)
def test_help_shows_what_is_to_be_typed(columns: str, words: tuple[str, ...]) -> None:
    """A switch takes no value, and a number that is copied from a list has no range."""
    wide = {"COLUMNS": columns, "TERMINAL_WIDTH": columns}
    done = CliRunner(env=wide).invoke(application(), [*words, "--help"])
    assert done.exit_code == COMPLETE
    assert "--help" in done.stdout
    assert not [each for each in ("bool", "list[", "9223372036854775807") if each in done.stdout]


def test_interrupted_while_modules_load() -> None:
    """Ctrl-C counts from the first moment."""
    code = (
        "import sys\n"
        "from collector.cli import main\n"
        "class Impatient:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'collector.cli.check':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Impatient())\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, "check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (PARTIAL, "Interrupted.\n")


def ended(folder: Path, output: int, words: tuple[str, ...]) -> tuple[int, str]:
    """A command whose standard output leads there: its exit code, and what it says of it."""
    text, suffix = EXAMPLES["sumo"]
    (folder / f"original{suffix}").write_text(text, encoding="utf-8")
    given = [word.format(original=folder / f"original{suffix}") for word in words]
    done = subprocess.run(
        [sys.executable, "-m", "collector", *given],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


each_way_to_write = pytest.mark.parametrize(
    "words",
    [
        ("version",),
        ("--help",),
        ("schema",),
        ("import", "--from", "sumo", "{original}"),
        ("simulate", "--port", "0"),
    ],
    ids=lambda words: words[0],
)


@each_way_to_write
def test_a_full_disk_behind_standard_output(tmp_path: Path, words: tuple[str, ...]) -> None:
    """It is an error like others: what, what to do, a documented code, and no traceback."""
    with Path("/dev/full").open("wb") as full:
        code, told = ended(tmp_path, full.fileno(), words)
    assert code == DELIVERY
    assert told.count("standard output cannot be written: No space left on device") == 1
    assert "Traceback" not in told


@each_way_to_write
def test_a_reader_that_has_gone(tmp_path: Path, words: tuple[str, ...]) -> None:
    """As ``head`` does: the command was interrupted, and nothing is said of it."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        code, told = ended(tmp_path, writing, words)
    finally:
        os.close(writing)
    assert code == PARTIAL
    assert "Traceback" not in told
    assert "standard output" not in told


def test_no_standard_output_at_all() -> None:
    """``>&-`` is nobody's fault: the command is done, and nobody is told."""
    command = f"exec {sys.executable} -m collector version >&-"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (COMPLETE, b"")


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b""])
def test_a_question_not_answered_with_yes(tmp_path: Path, answer: bytes) -> None:
    """A no, the default and no answer at all end in a documented code, and nothing is done."""
    place = {"directory_name": str(tmp_path / "state")}
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(changed("globals.persistence.config", place)), encoding="utf-8")
    with closing(SqliteStore.open(tmp_path / "state", SystemClock())) as store:
        store.commit(Commit(source="casb#alerts", checkpoint=started(START), observed=START))
        before = store.stored_state("casb#alerts")
    arguments = ["state", "reset", "casb#alerts", "--start", "2026-02-01", "--config", str(config)]
    command = [sys.executable, "-m", "collector", *arguments]
    done = subprocess.run(command, cwd=ROOT, input=answer, capture_output=True, check=False)
    assert done.returncode == PARTIAL
    assert done.stderr.rstrip().endswith(b"Nothing was done.")
    with closing(SqliteStore.open(tmp_path / "state", SystemClock())) as store:
        assert store.stored_state("casb#alerts") == before
