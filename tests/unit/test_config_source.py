"""Strict YAML: what is written is what is read, or it is refused with its place."""

import pytest

from collector.config.problems import InvalidConfig
from collector.config.source import MAX_BYTES, MAX_VALUES, Document, parse


def read(text: str) -> Document:
    """What this text holds."""
    return parse(text.encode())


def refused(raw: bytes) -> InvalidConfig:
    """What reading these bytes raises."""
    with pytest.raises(InvalidConfig) as caught:
        parse(raw)
    return caught.value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("08", "08"),
        ("010", "010"),
        ("0o10", "0o10"),
        ("0x1F", "0x1F"),
        ("1e3", "1e3"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("9" * 5000, "9" * 5000),
        ("true", True),
        ("FALSE", False),
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        ("~", None),
        ("", None),
        ('"12"', "12"),
        ("'true'", "true"),
        ('""', ""),
        ("[1, a, {b: no}]", [1, "a", {"b": "no"}]),
    ],
)
def test_scalar(written: str, meant: object) -> None:
    """Only true, false, null, whole and decimal numbers are more than text."""
    value = read(f"a: {written}\n").data["a"]
    assert (value, type(value)) == (meant, type(meant))


def test_yaml_1_1_directive_changes_nothing() -> None:
    """A document that declares YAML 1.1 gets no 1.1 truth values."""
    assert read("%YAML 1.1\n---\na: no\n").data == {"a": "no"}


def test_keys_are_text() -> None:
    """A number or truth value as a key stays what was written."""
    assert read("409: a\ntrue: b\n<<: c\n").data == {"409": "a", "true": "b", "<<": "c"}


def test_bom_and_crlf() -> None:
    """A file saved on Windows reads like any other."""
    document = parse(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: 2\r\n")
    assert (document.data, document.lines["b", "c"]) == ({"a": 1, "b": {"c": 2}}, 3)


def test_block_text() -> None:
    """A block scalar is text even when it looks like a number."""
    assert read("a: |\n  12\n").data == {"a": "12\n"}


def test_duplicate_keys_are_all_told() -> None:
    """Each repeated key is a problem with its line and column, and shows no value."""
    first, second = read("a: s3cret\na: s3cret2\nb:\n  c: 1\n  c: 2\n").problems
    assert (first.path, first.line, first.column) == ("", 2, 1)
    assert (second.path, second.line, second.column) == ("b", 5, 3)
    assert "'a' stands here twice (first on line 1)" in first.reason
    assert "s3cret" not in str(first)


def test_alias_bomb() -> None:
    """Anchors and aliases are refused without being followed."""
    bomb = "a0: &a0 [x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    document = read(bomb)
    assert document.data["a29"] == [None] * 9
    assert all("anchors" in problem.reason for problem in document.problems)


def test_anchor_on_key() -> None:
    """An anchor on a key is refused too."""
    assert len(read("&k a: 1\n").problems) == 1


@pytest.mark.parametrize("value", ["!!python/name:os.system x", "!foo x", "!!str 1", "!foo [1]"])
def test_tags(value: str) -> None:
    """No tag is obeyed."""
    (problem,) = read(f"a: {value}\n").problems
    assert (problem.path, problem.line) == ("a", 1)
    assert "tags" in problem.reason


def test_second_document() -> None:
    """A second document is refused at the line where it starts."""
    (problem,) = read("a: 1\n---\nb: 2\n").problems
    assert (problem.line, "second document" in problem.reason) == (2, True)


def test_list_items_have_lines() -> None:
    """Lines are known for settings inside lists."""
    assert read("a:\n  - 1\n  - 2\n").lines["a", 1] == 3


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"# nothing\n"])
def test_empty(raw: bytes) -> None:
    """A file without settings says so."""
    assert "it is empty" in str(refused(raw))


@pytest.mark.parametrize("raw", [b"a:\n\tb: 1\n", b"\ta: 1\n", b"a: 1\n\tb: 2\n"])
def test_tab(raw: bytes) -> None:
    """A tab as indentation is named as what it is, with line and column."""
    (problem,) = refused(raw).problems
    assert "tab" in problem.reason
    assert "blanks" in problem.fix
    assert problem.line
    assert problem.column


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"a: [1, 2\nb: 3\n", 2),
        (b"a: 1\nb: 'open\n", 3),
        (b"a: 1\n b: 2\n", 2),
        (b"a: b: c\n", 1),
        (b"a: *gone\nb: @x\n", 2),
        (b"{a: 1\n", 2),
        (b"? [1]\n: 2\n", 1),
    ],
)
def test_syntax(raw: bytes, line: int) -> None:
    """A file that is no YAML is refused with one place to look at."""
    error = refused(raw)
    (problem,) = error.problems
    assert (error.number, problem.line) == (2, line)
    assert problem.column


def test_syntax_error_repeats_no_value() -> None:
    """What the parser quotes from the file may be a secret."""
    assert "pass" not in str(refused(b"a: !pass!word\n"))


def test_not_utf8() -> None:
    """Bytes that are not UTF-8 are refused with their line."""
    (problem,) = refused("a: 1\nb: é\n".encode("latin-1")).problems
    assert (problem.line, "UTF-8" in problem.reason) == (2, True)


def test_utf16() -> None:
    """UTF-16 is not guessed."""
    assert refused("a: 1".encode("utf-16")).number == 2


def test_control_character() -> None:
    """A control character is refused with line and column."""
    (problem,) = refused(b"a: 1\nb: \x01\n").problems
    assert (problem.line, problem.column) == (2, 4)


def test_two_megabytes() -> None:
    """A file above 1 MiB is refused unread."""
    assert "1 MiB" in str(refused(b"# " + b"x" * 2 * MAX_BYTES))


def test_too_many_values() -> None:
    """The number of values is bounded."""
    assert str(MAX_VALUES) in str(refused(b"a:\n" + b"- 1\n" * (MAX_VALUES + 1)))


@pytest.mark.parametrize("raw", [b"[" * 100_000, b"{a: " * 100_000, b"- " * 100_000])
def test_too_deep(raw: bytes) -> None:
    """Nesting is bounded, long before Python's own limit."""
    assert "levels deep" in str(refused(raw))


@pytest.mark.parametrize(
    ("raw", "opened", "closing"),
    [
        (b"a: {b: 1\nc: 2\n", "the { of line 1, column 4", "close it with }"),
        (b"a:\n  - [1, 2\nb: 3\n", "the [ of line 2, column 5", "close it with ]"),
        (b"a: {b: 1", "the { of line 1, column 4", "close it with }"),
    ],
)
def test_an_unclosed_bracket(raw: bytes, opened: str, closing: str) -> None:
    """Told in plain words, with where it was opened."""
    (problem,) = refused(raw).problems
    assert f"{opened} is not closed" in problem.reason
    assert closing in problem.fix
    assert "expected" not in problem.reason
