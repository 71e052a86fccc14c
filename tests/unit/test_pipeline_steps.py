"""What each step makes of a record."""

import hashlib
import hmac
from typing import Any

import pytest

from collector.pipeline import choice, disguise, edits, shape
from collector.pipeline.conditions import Condition
from collector.pipeline.paths import parse
from collector.pipeline.patterns import Pattern
from collector.pipeline.step import MAX_RECORDS, Failed, Work

KEY = "an invented key, 32 characters.."


def one(work: Work, record: dict[str, Any]) -> dict[str, Any]:
    """The one record that a step makes of another."""
    made = work(record)
    assert made is not None
    (only,) = made
    return only


def test_parse_json_in_place() -> None:
    """The parsed value stands where the text stood."""
    record = {"a": 1, "message": '{"x": [1.50]}', "b": 2}
    parsed = one(shape.parse_json(parse("message")), record)
    assert list(parsed) == ["a", "message", "b"]
    assert str(parsed["message"]["x"][0]) == "1.50"


def test_parse_json_under_a_new_name() -> None:
    """With a new name the old field goes, or stays on request."""
    record = {"m": {"text": "[1]"}}
    assert one(shape.parse_json(parse("m.text"), "list"), record) == {"m": {"list": [1]}}
    kept = one(shape.parse_json(parse("m.text"), "list", keep_old=True), record)
    assert kept == {"m": {"text": "[1]", "list": [1]}}


@pytest.mark.parametrize("record", [{}, {"m": 5}, {"m": None}, {"m": {"x": 1}}])
def test_parse_json_leaves_what_is_no_text(record: dict[str, Any]) -> None:
    """A field that is missing or parsed already is no failure."""
    assert one(shape.parse_json(parse("m")), record) is record


@pytest.mark.parametrize("text", ["", "{", "nonsense", "1e9999999999999999999", "[" * 300])
def test_parse_json_fails_on_what_is_no_json(text: str) -> None:
    """A text that holds no JSON, or JSON that is nested without end, is a failure."""
    with pytest.raises(Failed, match="m is"):
        shape.parse_json(parse("m"))({"m": text})


def test_parse_json_overwrites_nothing() -> None:
    """A new name that is taken is a failure."""
    with pytest.raises(Failed, match="already"):
        shape.parse_json(parse("m"), "n")({"m": "1", "n": 2})


def test_explode() -> None:
    """Each element takes the list's place, with its position and their number."""
    work = shape.explode(parse("a.l"), "n", "of")
    assert work({"a": {"l": [1, {"x": 2}], "k": 3}}) == [
        {"a": {"l": 1, "k": 3}, "n": 0, "of": 2},
        {"a": {"l": {"x": 2}, "k": 3}, "n": 1, "of": 2},
    ]


def test_explode_without_the_parent() -> None:
    """An element that is an object is the record; another keeps its name."""
    work = shape.explode(parse("a.l"), keep_parent=False)
    assert work({"a": {"l": [{"x": 2}, 7]}, "b": 1}) == [{"x": 2}, {"l": 7}]


@pytest.mark.parametrize("record", [{}, {"l": []}, {"l": {"x": 1}}, {"l": "[1]"}])
def test_explode_leaves_what_is_no_list(record: dict[str, Any]) -> None:
    """A field that is missing, empty or no list is no failure."""
    assert one(shape.explode(parse("l"), "n"), record) is record


def test_explode_fails() -> None:
    """A flood of elements, and a name that is taken, are failures."""
    with pytest.raises(Failed, match="more than"):
        shape.explode(parse("l"))({"l": [0] * (MAX_RECORDS + 1)})
    with pytest.raises(Failed, match="already"):
        shape.explode(parse("l"), "n")({"l": [1], "n": 2})


def test_filter() -> None:
    """Records are kept or dropped where a condition holds."""
    condition = Condition("record.n > 1")
    assert [choice.keep_where(condition)({"n": n}) for n in (1, 2)] == [[], [{"n": 2}]]
    assert [choice.drop_where(condition)({"n": n}) for n in (1, 2)] == [[{"n": 1}], []]


def test_bypass() -> None:
    """Where the condition holds the rest is passed by."""
    work = choice.bypass(Condition("has(record.test)"))
    assert work({"test": 1}) is None
    assert work({"n": 1}) == [{"n": 1}]


def test_add() -> None:
    """Fields are added, with the objects that they need; what is there stays."""
    work = edits.add({parse("a.b.c"): 1, parse("x"): "new"})
    assert one(work, {"x": "old", "a": {"k": 0}}) == {"x": "old", "a": {"k": 0, "b": {"c": 1}}}
    assert one(edits.add({parse("x"): "new"}, overwrite=True), {"x": "old"}) == {"x": "new"}


def test_add_fails_where_there_is_no_object() -> None:
    """A text or list in the way is never replaced."""
    with pytest.raises(Failed, match="no object"):
        edits.add({parse("a.b"): 1})({"a": "text"})


def test_rename() -> None:
    """A field has another name at the same place; a name that is taken is a failure."""
    work = edits.rename({parse("l[*].a"): "b"})
    renamed = one(work, {"l": [{"x": 1, "a": 2, "z": 3}, 4]})
    assert renamed == {"l": [{"x": 1, "b": 2, "z": 3}, 4]}
    assert list(renamed["l"][0]) == ["x", "b", "z"]
    with pytest.raises(Failed, match="already"):
        work({"l": [{"a": 1, "b": 2}]})


def test_drop() -> None:
    """Fields are gone; one that is missing is no matter."""
    work = edits.drop([parse("a"), parse("l[*].x"), parse("no")])
    assert one(work, {"a": 1, "b": 2, "l": [{"x": 1, "y": 2}]}) == {"b": 2, "l": [{"y": 2}]}


def test_mask_whole_fields() -> None:
    """Whatever stands there is replaced; null stays null."""
    work = disguise.mask([parse("a"), parse("l[*]")], "***")
    record = {"a": {"b": 1}, "l": [1, None, "x"], "c": 2}
    assert one(work, record) == {"a": "***", "l": ["***", None, "***"], "c": 2}


def test_mask_parts() -> None:
    """A pattern finds parts in all texts and numbers within a field, with groups."""
    work = disguise.mask([parse("a")], r"\1***", Pattern(r"(\w)[\w.]*@"))
    record = {"a": {"to": ["ann.b@x.example", "none"], "n": 12}, "b": "ann@x.example"}
    assert one(work, record) == {
        "a": {"to": ["a***x.example", "none"], "n": 12},
        "b": "ann@x.example",
    }
    digits = disguise.mask([parse("n")], "#", Pattern("[0-9]"))
    assert one(digits, {"n": 12}) == {"n": "##"}


def test_mask_takes_a_backslash_as_it_is() -> None:
    """Only a backslash before a digit means a group."""
    work = disguise.mask([parse("a")], r"\n\é", Pattern("x"))
    assert one(work, {"a": "-x-"}) == {"a": r"-\n\é-"}


def test_pseudonymise() -> None:
    """The same text has the same token wherever it stands, and another key another one."""
    token = disguise.tokens(KEY, prefix="u-")
    record = {"from": "a@x.example", "to": ["b@x.example", "a@x.example", None, ""], "n": 7}
    made = one(disguise.pseudonymise([parse("from"), parse("to"), parse("n")], token), record)
    assert made["to"][1] == made["from"]
    assert made["to"][0] != made["from"]
    assert made["to"][2:] == [None, ""]
    assert made["n"] == token("7")
    assert disguise.tokens(KEY[::-1])("7") not in made["n"]


def test_pseudonyms_are_the_standard_functions() -> None:
    """Others can compute them: HMAC-SHA-256 and keyed BLAKE2b, cut to a length."""
    mac = hmac.new(KEY.encode(), b"text", hashlib.sha256).hexdigest()
    assert disguise.tokens(KEY, length=64)("text") == mac
    assert disguise.tokens(KEY, length=16)("text") == mac[:16]
    blake = hashlib.blake2b(b"text", key=KEY.encode(), digest_size=32).hexdigest()
    assert disguise.tokens(KEY, algorithm="blake2b", length=64)("text") == blake
    long = disguise.tokens("k" * 200, algorithm="blake2b")
    assert long("text") != disguise.tokens("k" * 201, algorithm="blake2b")("text")


def test_pseudonyms_of_addresses_and_parts() -> None:
    """Case can be ignored, and a part of a header joins with the bare address."""
    token = disguise.tokens(KEY, ignore_case=True)
    assert token("Ann@X.Example") == token("ann@x.example")
    work = disguise.pseudonymise([parse("h")], token, Pattern(r"[\w.]+@[\w.]+"))
    made = one(work, {"h": "Ann <Ann@x.example>"})
    assert made == {"h": f"Ann <{token('ann@x.example')}>"}


@pytest.mark.parametrize("text", ["[", "(?=x)", r"(a)\1", "a{2000}", "a*", "^", "x" * 1025])
def test_patterns_are_refused(text: str) -> None:
    """Nonsense, what takes more than linear time, and what matches nothing at all."""
    with pytest.raises(ValueError, match=r"cannot be read|matches the empty|is longer"):
        Pattern(text)


def test_a_hostile_text_costs_linear_time() -> None:
    """A pattern that makes other engines stand still ends at once."""
    assert Pattern(r"(a+)+$").replace("a" * 100_000 + "b", lambda _: "!") == "a" * 100_000 + "b"
