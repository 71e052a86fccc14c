"""Vendor JSON, kept as the bytes that came."""

from __future__ import annotations

import json

import pytest

from collector.core import wirejson


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (b'{"a":1}', True),
        ('{"a":"é"}'.encode(), True),
        (b'{"a":"\xff"}', False),
        (b'{"a":\n1}', False),
        (b'{"a":1\r}', False),
    ],
)
def test_is_clean(raw: bytes, clean: bool) -> None:  # noqa: FBT001 - a table of cases
    """Only UTF-8 on one line may travel as it came."""
    assert wirejson.is_clean(raw) is clean


@pytest.mark.parametrize(
    ("raw", "repaired", "flags"),
    [
        (b'{"a": 1}', b'{"a": 1}', ()),
        (b'{"a":\r\n1}', b'{"a":  1}', ()),
        (b'{"a":"x\ty"}', rb'{"a":"x\u0009y"}', ("control_characters",)),
        (b'{"a":"x\x00\ny"}', rb'{"a":"x\u0000\u000ay"}', ("control_characters",)),
        (b'{"a":"\\"\t\\""}', rb'{"a":"\"\u0009\""}', ("control_characters",)),
        (b'{"a":"\xff"}', '{"a":"\ufffd"}'.encode(), ("not_utf8",)),
        (rb'{"a":"\ud800x"}', rb'{"a":"\ufffdx"}', ("lone_surrogate",)),
        (rb'{"a":"\uDC00\uD83D"}', rb'{"a":"\ufffd\ufffd"}', ("lone_surrogate",)),
        (rb'{"a":"\ud83d\ude00"}', rb'{"a":"\ud83d\ude00"}', ()),
        (rb'{"a":"\\ud800"}', rb'{"a":"\\ud800"}', ()),
        (rb'{"a":"\ud83d\ud83d\ude00"}', rb'{"a":"\ufffd\ud83d\ude00"}', ("lone_surrogate",)),
    ],
)
def test_repair(raw: bytes, repaired: bytes, flags: tuple[str, ...]) -> None:
    """The smallest change that makes the bytes valid, and what it was."""
    assert wirejson.repair(raw) == wirejson.Repaired(repaired, flags)
    json.loads(repaired)


def test_several_repairs() -> None:
    """A record that is odd in every way says so."""
    repaired = wirejson.repair(b'{"a":"\xff\t\\ud800"}')
    assert repaired.flags == ("not_utf8", "control_characters", "lone_surrogate")


@pytest.mark.parametrize(
    ("record", "spliced"),
    [
        (b"{}", {"k": 1}),
        (b"{  }", {"k": 1}),
        (b'{"a":{}}', {"a": {}, "k": 1}),
        (b'{"a":1 }', {"a": 1, "k": 1}),
    ],
)
def test_splice(record: bytes, spliced: object) -> None:
    """One more key, at the end, whether there was one before or not."""
    assert json.loads(wirejson.splice(record, b'"k"', b"1")) == spliced


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"[]", []),
        (b" { } ", []),
        (b'[ 1 , "," , [2,3] , {"a":[4,5]} ]', [b"1", b'","', b"[2,3]", b'{"a":[4,5]}']),
        (b'["\\"]","\\\\"]', [b'"\\"]"', b'"\\\\"']),
        (b'{"a":{"b":1},"c":"\t\xff"}', [b'"a":{"b":1}', b'"c":"\t\xff"']),
        (b"[nonsense,,NaN]", [b"nonsense", b"", b"NaN"]),
    ],
)
def test_parts(text: bytes, parts: list[bytes]) -> None:
    """An array or object is cut at its own commas, whatever stands between them."""
    assert wirejson.parts(text) == parts


@pytest.mark.parametrize(
    "text", [b"", b"1", b"[", b"[}", b"[1", b"[]]", b"[1][2]", b"[[1]", b"[{]}", b'["]']
)
def test_no_parts(text: bytes) -> None:
    """What is not one whole array or object cannot be cut."""
    with pytest.raises(ValueError, match=r".+"):
        wirejson.parts(text)


def test_member() -> None:
    """A field is a name and a value."""
    assert wirejson.member(b'"a:b" : {"c":1}') == (b'"a:b"', b'{"c":1}')
    for part in (b"", b'"a"', b"a:1", b'"a" 1'):
        with pytest.raises(ValueError, match="no name or no value"):
            wirejson.member(part)


def test_string_without_end() -> None:
    """A cut record full of escaped quotes is looked through once, not once for each quote."""
    cut = b'{"a":"' + b'\\"' * 2_000_000
    assert wirejson.repair(cut).raw == cut
    with pytest.raises(ValueError, match="not one whole"):
        wirejson.parts(b"[" + cut + b"]")


def test_canonical_id() -> None:
    """A hash of the content: the same for another key order and other white space."""
    one = wirejson.canonical_id(b'{"a":1,"b":{"c":2,"d":3}}')
    assert one == wirejson.canonical_id(b'{ "b": {"d":3,"c":2}, "a":1 }')
    assert one != wirejson.canonical_id(b'{"a":1,"b":{"c":3,"d":2}}')
    assert one.startswith("sha256:")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"<html>", b'{"a":"\xff"}', b"{}x", b"[" * 100_000, b"\xff\xfe{\x00}\x00"]
)
def test_strict(body: bytes) -> None:
    """A document that is not JSON in UTF-8 raises what ``MALFORMED`` names."""
    with pytest.raises(wirejson.MALFORMED):
        wirejson.strict(body)
    assert wirejson.strict(b' {"a": [1]} ') == {"a": [1]}
