"""``collector simulate``: every option by name, and what it says when it cannot listen."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from collector.cli import application
from collector.core.times import HOUR
from collector.errors import ConfigError
from collector.simulator import QUIET, SimulatorOptions, load_faults
from collector.simulator.assignments import TYPES, assigned, described
from tests.fakes.processes import ROOT
from tests.fakes.vendor import START, CasbClient, open_stream, quiet_options

BASE = msgspec.structs.asdict(quiet_options())
PAGE = ROOT / "docs" / "simulator.md"


def simulate(*words: str) -> Result:
    """The command, to its end."""
    return CliRunner().invoke(application(["simulate"]), ["simulate", *words])


def refusal(*words: str) -> ConfigError:
    """The error with which the command refuses its options."""
    error = simulate("--list-options", *words).exception
    assert isinstance(error, ConfigError)
    return error


def listed(*words: str) -> dict[str, str]:
    """The value of each name under these options."""
    done = simulate("--list-options", "--json", *words)
    assert done.exit_code == 0
    return {each["name"]: each["value"] for each in json.loads(done.stdout)}


@contextmanager
def vendor(*words: str) -> Iterator[dict[str, str]]:
    """What a simulator of its own, in a process of its own, says when it listens."""
    command = [sys.executable, "-m", "collector", "simulate", "--port", "0", "--json", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads("".join(takewhile("}\n".__ne__, process.stdout)) + "}")
        finally:
            process.terminate()


def test_a_port_that_is_taken() -> None:
    """It is one error of ours with a remedy, not a stack trace."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = CliRunner().invoke(application(), ["simulate", "--port", str(port)])
    assert isinstance(done.exception, ConfigError)
    assert f"port {port}" in done.exception.cause
    assert "--port 0" in done.exception.remedy


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none(port: str) -> None:
    """It is refused as a mistake of the command line."""
    done = CliRunner().invoke(application(), ["simulate", "--port", port])
    assert done.exit_code == 2


def test_what_is_asked_for_is_what_the_vendor_does() -> None:
    """A daily quota, binary frames and a second token, on the command line alone."""
    options = ["calls_per_day=0", "binary_frames=true", "tokens=one,two"]
    with vendor(*(word for each in options for word in ("--set", each))) as said:
        assert CasbClient(said["endpoints"], quiet_options()).log_in().status_code == 429
        with open_stream(said["endpoint"], "maillog", token="two") as session:
            assert isinstance(session.recv(timeout=10), bytes)


def test_every_field_has_a_name() -> None:
    """No field of the simulator's options is out of reach."""
    reached = {name.partition(".")[0] for name in TYPES}
    assert reached == set(SimulatorOptions.__struct_fields__)


def test_what_is_listed_can_be_assigned() -> None:
    """Every value is written as it is read: all names assigned make the same options."""
    options = SimulatorOptions(
        history_start=START,
        history_end=START + HOUR,
        tokens=("a", "b"),
        token_calls=7,
        deflate=False,
    )
    words = [f"{each.name}={each.value}" for each in described(options)]
    assert assigned(BASE, words) == options


def test_listing_shows_the_values_of_this_command_line() -> None:
    """The options beside --set count, and --set counts before them."""
    values = listed("--rate", "2", "--seed", "5", "--set", "rates.audit=7", "--set", "seed=6")
    assert (values["rates.alerts"], values["rates.audit"], values["seed"]) == ("120.0", "7.0", "6")
    assert values["calls_per_day"] == "none"


def test_listing_for_people_has_every_name_and_meaning() -> None:
    """One line a name, whole, with its meaning."""
    shown = simulate("--list-options").stdout
    for each in described(quiet_options()):
        assert re.search(
            rf"^{re.escape(each.name)} .*{re.escape(each.meaning)}", shown, re.MULTILINE
        )


def test_no_oddities_but_the_one_asked_for() -> None:
    """--no-oddities sets every rate to 0, and --set has the last word."""
    values = listed("--no-oddities", "--set", "unparsable_rate=1")
    assert {values[name] for name in QUIET if name != "unparsable_rate"} == {"0.0", "0"}
    assert values["unparsable_rate"] == "1.0"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("archive_duplicate_rate", "0.1", 0.1),
        ("huge_record_bytes", "2000000", 2_000_000),
        ("deflate", "False", False),
        ("trailing_newline", "true", True),
        ("calls_per_day", "1000", 1000),
        ("calls_per_day", "none", None),
        ("archive_rate", "2.5", 2.5),
        ("api_key", "none", "none"),
        ("cluster_id", "a=b", "a=b"),
        ("tokens", "one,two", ("one", "two")),
        ("history_end", "2026-01-02T01:00:00+01:00", START + 24 * HOUR),
    ],
)
def test_values_are_read_by_their_type(name: str, text: str, value: Any) -> None:
    """A number, a switch, a text, a list, a time, or nothing."""
    assert getattr(assigned(BASE, [f"{name}={text}"]), name) == value


@pytest.mark.parametrize(
    ("assignment", "cause"),
    [
        ("archive_duplicate_rate", "has no value"),
        ("archive_duplicate_rate=2", "archive_duplicate_rate=2: Expected `float` <= 1.0"),
        ("duplicate_rate=nan", "Expected `float` >= 0.0"),
        ("dead_session_seconds=inf", "Expected `float` <="),
        ("archive_rate=0", "Expected `float` > 0.0"),
        ("page_size=0", "Expected `int` >= 1"),
        ("page_size=none", "Expected `int`, got `str`"),
        ("binary_frames=perhaps", "Expected `bool`"),
        ("tokens=", "length >= 1"),
        ("history_end=tomorrow", "history_end=tomorrow"),
        ("history_start=0001-01-01T00:00:00+10:00", "history_start="),
        ("history_end=2020-01-01T00:00:00Z", "history_end is before history_start"),
        ("rates.message=1e8", "rates.message gives"),
        ("unparsable_rate=1", "over 1 in all: missing_id_rate"),
    ],
)
def test_bad_values_are_refused_with_the_reason(assignment: str, cause: str) -> None:
    """Of another type, out of bounds, or at odds with the rest."""
    assert cause in refusal("--set", assignment).cause


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("archive_duplicates_rate", "archive_duplicate_rate"),
        ("rates.mail", "rates.maillog"),
        ("xyz", "--list-options"),
    ],
)
def test_unknown_names_are_refused_by_name(name: str, meant: str) -> None:
    """The cause has the name; the remedy one that is near, or where all of them are."""
    error = refusal("--set", f"{name}=1")
    assert f"called {name}" in error.cause
    assert meant in error.remedy


def test_a_rate_beyond_all_bounds() -> None:
    """More records than a history may hold is an error of ours as well."""
    assert "rates." in refusal("--rate", "1e5").cause
    assert "rates" in refusal("--rate", "inf").cause


def blocks(language: str) -> list[str]:
    """The simulator's page: its blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_examples_of_the_page_are_accepted() -> None:
    """Each command and --set of the simulator's page, as it stands but for the file it names."""
    lines = "".join(blocks("sh")).replace("\\\n", " ").splitlines()
    commands = [shlex.split(line.replace("--faults faults.json", "")) for line in lines]
    assert len(commands) > 3
    for program, command, *words in commands:
        assert (program, command) == ("collector", "simulate")
        assert listed(*words)
    for words in re.findall(r"`(--set [a-z][^`]*)`", PAGE.read_text(encoding="utf-8")):
        assert listed(*shlex.split(words))


def test_fault_script_of_the_page_is_accepted(tmp_path: Path) -> None:
    """The page's fault script can be loaded."""
    (script,) = blocks("json")
    path = tmp_path / "faults.json"
    path.write_text(script, encoding="utf-8")
    assert len(load_faults(path)) > 1
