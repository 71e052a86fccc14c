"""References to environment variables and files."""

from pathlib import Path

import pytest

from collector.config.problems import Problem
from collector.config.secrets import MAX_FILE_BYTES, Resolver

ENVIRON = {"A": "one", "B": "two", "EMPTY": "", "TRAP": "${A} file:/etc/hostname $${A}"}


def resolve(text: object, base: Path = Path()) -> object:
    """The value once its references are replaced."""
    resolver = Resolver(base, ENVIRON)
    found = resolver.resolve({"key": text})
    assert resolver.problems == []
    return found["key"]


def unresolved(text: str, base: Path = Path()) -> Problem:
    """The one problem with this text's references."""
    resolver = Resolver(base, ENVIRON)
    resolver.resolve({"credentials": [text]})
    (problem,) = resolver.problems
    assert problem.path == "credentials[0]"
    assert problem.fix
    return problem


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("${A}", "one"),
        ("x${A}y${B}z", "xoneytwoz"),
        ("${NONE:-fall back}", "fall back"),
        ("${NONE:-}", ""),
        ("${EMPTY:-default}", "default"),
        ("${A:-default}", "one"),
        ("${EMPTY}", ""),
        ("$${A}", "${A}"),
        ("$A", "$A"),
        ("pa$$word", "pa$$word"),
        ("{A}", "{A}"),
        ("${TRAP}", ENVIRON["TRAP"]),
        ("${NONE:-file:/x}", "file:/x"),
        (12, 12),
        (True, True),
    ],
)
def test_environment(text: object, meant: object) -> None:
    """References are replaced wherever they stand, once, never recursively."""
    assert resolve(text) == meant


def test_in_lists_and_blocks() -> None:
    """References are found at any depth, and their places noted."""
    resolver = Resolver(Path(), ENVIRON)
    assert resolver.resolve({"a": [{"b": "${A}"}, "c"]}) == {"a": [{"b": "one"}, "c"]}
    assert resolver.places == {("a", 0, "b")}


def test_unset_variable() -> None:
    """A variable that is not set is a problem that names it."""
    assert "NONE is not set" in unresolved("x${NONE}").reason


@pytest.mark.parametrize("text", ["${", "${}", "${A", "${1A}", "${A-B}", "${A ${B}}", "pa${ss"])
def test_malformed(text: str) -> None:
    """Half a reference is a problem, and the fix tells how to write it literally."""
    assert "$${" in unresolved(text).fix


def test_missing_value() -> None:
    """A setting without a value is a problem: its block was probably not indented."""
    resolver = Resolver(Path(), ENVIRON)
    resolver.resolve({"services": {"alerts": None}})
    (problem,) = resolver.problems
    assert (problem.path, problem.reason) == ("services.alerts", "has no value")


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"two\nlines\n\n", "two\nlines\n"),
        (b"${A}", "${A}"),
        (b"file:other", "file:other"),
        (b"x" * MAX_FILE_BYTES, "x" * MAX_FILE_BYTES),
    ],
)
def test_file(tmp_path: Path, content: bytes, meant: str) -> None:
    """A file's text is taken as it is, less one line end."""
    (tmp_path / "token").write_bytes(content)
    assert resolve("file:token", tmp_path) == meant
    assert resolve(f"file:{tmp_path}/token") == meant
    assert resolve(f"file://{tmp_path}/token") == meant


def test_file_named_by_variable(tmp_path: Path) -> None:
    """The path of a file may hold variables."""
    (tmp_path / "one").write_text("s3cret")
    assert resolve("file:${A}", tmp_path) == "s3cret"


def test_file_only_as_whole_value() -> None:
    """``file:`` inside a text is text."""
    assert resolve("see file:token") == "see file:token"


def test_file_missing_or_folder(tmp_path: Path) -> None:
    """A path that leads to no file is a problem that names it."""
    assert "no file" in unresolved("file:gone", tmp_path).reason
    assert "no file" in unresolved("file:.", tmp_path).reason
    assert "no file" in unresolved("file:", tmp_path).reason


def test_file_of_wrong_kind(tmp_path: Path) -> None:
    """A file that is too large or not text is refused without showing it."""
    (tmp_path / "large").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    (tmp_path / "binary").write_bytes(b"s3cret\xff")
    assert "64 KiB" in unresolved("file:large", tmp_path).reason
    assert "s3cret" not in unresolved("file:binary", tmp_path).reason


def test_nul_in_path() -> None:
    """A path that no system takes is a problem, not a crash."""
    assert unresolved("file:a\x00b").reason
