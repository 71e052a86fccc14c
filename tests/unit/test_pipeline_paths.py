"""Paths lead to fields, and a change copies nothing but the way to them."""

import pytest

from collector.pipeline.paths import EVERY, GONE, find, named, parse, single, update


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("guid", ("guid",)),
        ("msg.header.from", ("msg", "header", "from")),
        ("msg.header.from[0]", ("msg", "header", "from", 0)),
        ("rcpts[*]", ("rcpts", EVERY)),
        ("a[*][2].b", ("a", EVERY, 2, "b")),
        (r"a\.b.c\[0\]", ("a.b", "c[0]")),
        (r"back\\slash", ("back\\slash",)),
        ("ключ.-x", ("ключ", "-x")),
        ("*", ("*",)),
    ],
)
def test_paths_are_read(text: str, path: tuple[object, ...]) -> None:
    """Names, indexes and escapes mean what the page says."""
    assert parse(text) == path


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", "a]", "[0]", "a[0]b", "a\\", "a" * 513],
)
def test_nonsense_is_refused(text: str) -> None:
    """What is no path is refused with what is wrong with it."""
    with pytest.raises(ValueError, match=r"has|is"):
        parse(text)


def test_paths_are_short() -> None:
    """A path has sixteen parts at most."""
    assert len(parse(".".join("a" * 16))) == 16
    with pytest.raises(ValueError, match="16 parts"):
        parse(".".join("a" * 17))


def test_kinds_of_paths() -> None:
    """Some settings need a name at the end, some nothing but names."""
    assert [named(parse(text)) for text in ("a", "a[*].b", "a[*]")] == [True, True, False]
    assert [single(parse(text)) for text in ("a.b", "a[*].b")] == [True, False]


def test_find() -> None:
    """A path of names leads to a value, or to nothing; null is a value."""
    record = {"a": {"b": None, "c": [1]}}
    assert find(record, ("a", "b")) is None
    assert find(record, ("a", "x")) is GONE
    assert find(record, ("a", "c", "d")) is GONE


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("a", {"a": "!", "l": [{"x": 1}, {"x": 2}, 3]}),
        ("l[1]", {"a": {"b": 1}, "l": [{"x": 1}, "!", 3]}),
        ("l[*].x", {"a": {"b": 1}, "l": [{"x": "!"}, {"x": "!"}, 3]}),
        ("l[*]", {"a": {"b": 1}, "l": ["!", "!", "!"]}),
    ],
)
def test_update(path: str, changed: dict[str, object]) -> None:
    """A change is made wherever the path leads; the value before is as it was."""
    record = {"a": {"b": 1}, "l": [{"x": 1}, {"x": 2}, 3]}
    assert update(record, parse(path), lambda _: "!") == changed
    assert record == {"a": {"b": 1}, "l": [{"x": 1}, {"x": 2}, 3]}


@pytest.mark.parametrize("path", ["x", "a.x", "a[0]", "l.x", "l[9]", "l[*].y", "a.b.c"])
def test_a_path_to_nowhere_copies_nothing(path: str) -> None:
    """Where a path leads nowhere the very same value comes back."""
    record = {"a": {"b": 1}, "l": [{"x": 1}, 3]}
    assert update(record, parse(path), lambda _: GONE) is record


def test_values_are_taken_out() -> None:
    """Fields and elements can be removed; what is around them stays, in order."""
    record = {"z": 1, "a": {"b": 1, "c": 2}, "l": [1, 2, 3]}
    assert update(record, parse("a.b"), lambda _: GONE) == {"z": 1, "a": {"c": 2}, "l": [1, 2, 3]}
    assert update(record, parse("l[1]"), lambda _: GONE)["l"] == [1, 3]
    assert update(record, parse("l[*]"), lambda _: GONE)["l"] == []
    assert list(update(record, parse("z"), lambda _: 2)) == ["z", "a", "l"]
