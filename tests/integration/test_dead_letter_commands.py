"""``collector dead-letters``: what the commands print, change, and refuse."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from collector.app.outcome import PARTIAL
from collector.cli import application
from collector.clock import SystemClock
from collector.core.checkpoint import started
from collector.core.store import Commit, DeadLetter
from collector.errors import CollectorError
from collector.persistence.sqlite import SqliteStore
from tests.fakes.config import changed
from tests.fakes.pulls import message
from tests.fakes.stores import START

HOSTILE = b'{"guid":"g-9","text":"\x1b[2J\xe2\x80\xae\xff\r\nred"'


class Site:
    """A configuration and its state, with three dead letters: 1 reads now, 2 and 3 do not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "state"
        document = changed("globals.persistence.config", {"directory_name": str(self.folder)})
        self.config = folder / "config.yaml"
        self.config.write_text(json.dumps(document), encoding="utf-8")
        letters = [
            self.letter(message(1, START), "was not JSON"),
            self.letter(HOSTILE, "not JSON: [red]\x1b[0m"),
            self.letter(b"x" * 40_000, "not JSON"),
        ]
        commit = Commit(
            source="pod#message",
            checkpoint=started(START),
            observed=START,
            dead_letters=letters,
        )
        with self.open() as store:
            store.commit(commit)

    @staticmethod
    def letter(raw: bytes, reason: str) -> DeadLetter:
        """Bytes that a release could not read."""
        return DeadLetter(source="pod#message", tag="t", reason=reason, raw=raw, observed=START)

    def open(self) -> closing[SqliteStore]:
        """The state, as a running collector has it."""
        return closing(SqliteStore.open(self.folder, SystemClock()))

    def run(self, *words: str, answer: str = "") -> Result:
        """``collector dead-letters`` with these words."""
        command = ["dead-letters", *words, "--config", str(self.config)]
        return CliRunner().invoke(application(), command, input=answer)

    def ids(self) -> list[int]:
        """The dead letters that there are."""
        shown = json.loads(self.run("list", "--json").stdout)
        return [each["id"] for each in shown["letters"]]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An installation with dead letters."""
    return Site(tmp_path)


@pytest.mark.parametrize("words", [("list",), ("replay", "--all"), ("drop", "--all", "--yes")])
def test_without_a_state_none_is_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A wrong folder is told, in the same words by every command, and stays as it is."""
    place = {"directory_name": str(tmp_path / "none")}
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(changed("globals.persistence.config", place)), encoding="utf-8")
    refused = CliRunner().invoke(application(), ["dead-letters", *words, "--config", str(config)])
    assert isinstance(refused.exception, CollectorError)
    assert (refused.exception.kind, refused.exception.number) == ("PrePullError", 203)
    assert not (tmp_path / "none").exists()


def test_what_could_not_be_read_has_no_output(site: Site) -> None:
    """``-`` for people, as in the list; null for programs."""
    lines = site.run("show", "1").stdout.splitlines()
    assert [line.split() for line in lines if line.startswith("output")] == [["output", "-"]]
    assert json.loads(site.run("show", "1", "--json").stdout)["output"] is None


def test_list(site: Site) -> None:
    """One line each, oldest first, as text on which nothing acts, and as JSON."""
    shown = site.run("list")
    assert shown.exit_code == 0
    assert "was not JSON" in shown.stdout
    assert "[red]\\x1b[0m" in shown.stdout
    assert "3 of 3 dead letters." in shown.stdout
    found = json.loads(site.run("list", "--json", "--reason", "WAS", "--limit", "5").stdout)
    (letter,) = found["letters"]
    assert (letter["id"], letter["source"], letter["output"]) == (1, "pod#message", None)
    assert letter["time"] == "2026-01-01T00:00:00Z"
    assert letter["bytes"] == len(message(1, START))
    assert found["count"] == 1


def test_list_is_bounded(site: Site) -> None:
    """What is not shown is counted."""
    assert "1 of 3 dead letters." in site.run("list", "--limit", "1").stdout


def test_a_list_of_none(site: Site) -> None:
    """Whether there are none, or none that fit, is said in words."""
    assert site.run("list", "--reason", "never").stdout == "No dead letter fits.\n"
    site.run("drop", "--all", "--yes")
    assert site.run("list").stdout == "There are no dead letters.\n"
    assert "see: collector dead-letters list" in str(site.run("show", "1").exception)


def test_show_is_safe(site: Site) -> None:
    """Control characters, direction marks and bytes that are no text come as escapes."""
    shown = site.run("show", "2")
    assert shown.exit_code == 0
    assert r"\x1b[2J\u202e\xff\r\nred" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert "pod#message" in shown.stdout


def test_show_raw_is_the_bytes(site: Site) -> None:
    """Alone and whole, for a file."""
    assert site.run("show", "2", "--raw").stdout_bytes == HOSTILE
    assert site.run("show", "3", "--raw").stdout_bytes == b"x" * 40_000


def test_show_is_bounded(site: Site) -> None:
    """A large one is cut, and it is said by how much."""
    shown = site.run("show", "3")
    assert shown.stdout.count("x") < 17_000
    assert "23,616 more bytes" in shown.stderr


def test_show_what_is_not_there(site: Site) -> None:
    """An error of ours, with where to look."""
    error = site.run("show", "99").exception
    assert isinstance(error, CollectorError)
    assert "no dead letter 99" in str(error)


def test_replay_all(site: Site) -> None:
    """Exit 8 while some stay, and the reasons; what reads now waits for the next run."""
    done = site.run("replay", "--all")
    assert done.exit_code == 8
    assert "1 records wait for delivery" in " ".join(done.stderr.split())
    assert "2: still unreadable" in done.stderr
    assert site.ids() == [2, 3]
    with site.open() as store:
        assert store.spool.backlog() == {("archive", "standard"): 1}


def test_replay_one(site: Site) -> None:
    """Exit 0 when none of those named stays."""
    done = site.run("replay", "1", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["records"] == 1
    assert site.ids() == [2, 3]


@pytest.mark.parametrize("command", ["replay", "drop"])
@pytest.mark.parametrize("words", [(), ("1", "--all")])
def test_it_must_be_clear_which(site: Site, command: str, words: tuple[str, ...]) -> None:
    """Neither nothing nor everything by mistake."""
    error = site.run(command, *words).exception
    assert isinstance(error, CollectorError)
    assert error.exit_code == 3
    assert site.ids() == [1, 2, 3]


@pytest.mark.parametrize("command", ["replay", "drop"])
def test_not_beside_a_running_collector(site: Site, command: str) -> None:
    """Refused with what to do; to look is always allowed."""
    with site.open():
        error = site.run(command, "--all").exception
        assert isinstance(error, CollectorError)
        assert error.exit_code == 7
        assert "another collector" in str(error)
        assert site.ids() == [1, 2, 3]


def test_drop_asks_first(site: Site) -> None:
    """Without a yes nothing goes; with one, exactly what was named."""
    refused = site.run("drop", "1", "2", answer="n\n")
    assert refused.exit_code == PARTIAL
    assert "Drop 2 dead letters for good?" in refused.output
    assert site.ids() == [1, 2, 3]
    assert site.run("drop", "1", "2", answer="y\n").exit_code == 0
    assert site.ids() == [3]
    assert site.run("drop", "--all", "--yes").exit_code == 0
    assert site.ids() == []


def test_drop_of_one_that_is_not_there(site: Site) -> None:
    """A typing error is no success, and takes nothing else along."""
    error = site.run("drop", "1", "9", "--yes").exception
    assert isinstance(error, CollectorError)
    assert "there is no dead letter" in str(error)
    assert site.ids() == [1, 2, 3]


def test_drop_by_filter(site: Site) -> None:
    """The options of the list choose."""
    site.run("drop", "--all", "--reason", "was not", "--yes")
    assert site.ids() == [2, 3]


@pytest.mark.parametrize("command", [["list"], ["replay", "--all"], ["drop", "--all", "--yes"]])
@pytest.mark.parametrize(
    ("option", "name", "meant"),
    [("--output", "archvie", "archive"), ("--source", "pod#mesage", "pod#message")],
)
def test_a_name_that_fits_nothing(
    site: Site, command: list[str], option: str, name: str, meant: str
) -> None:
    """A slip does not look like success: exit 3, and the names that there are."""
    error = site.run(*command, option, name).exception
    assert isinstance(error, CollectorError)
    assert error.exit_code == 3
    assert name in error.cause
    assert f"did you mean {meant}?" in error.remedy
    assert site.ids() == [1, 2, 3]


def test_letters_of_an_output_that_is_gone(site: Site) -> None:
    """It is no longer configured, and what it refused can be dropped all the same."""
    letter = msgspec.structs.replace(site.letter(b"x", "too large"), output="gone")
    with site.open() as store:
        store.commit(
            Commit(
                source="pod#message",
                checkpoint=started(START),
                observed=START,
                dead_letters=[letter],
            )
        )
    error = site.run("drop", "--all", "--output", "never").exception
    assert "with dead letters: gone" in str(error)
    done = site.run("drop", "--all", "--output", "gone", "--yes")
    assert done.exit_code == 0
    assert "Dropped 1 dead letters." in done.stderr
    assert site.ids() == [1, 2, 3]


def test_a_configured_output_without_letters(site: Site) -> None:
    """Nothing to drop is no fault."""
    assert site.run("drop", "--all", "--output", "archive", "--yes").exit_code == 0
