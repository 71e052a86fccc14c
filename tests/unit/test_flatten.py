"""One record per child."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from collector.core.flatten import Mode, flattener
from tests.fakes.pulls import as_json


def flat(mode: Mode, record: dict[str, Any]) -> list[dict[str, Any]]:
    """The flat records, decoded."""
    return [json.loads(raw) for raw in flattener(mode, "kids")(as_json(record))]


def test_split() -> None:
    """Each child stands in place of the list, beside all of its parent's fields."""
    raw = b'{"a": 1.0, "kids":[ {"x":1}, 2 ], "b":"\xc3\xa9"}'
    assert flattener("split", "kids")(raw) == [
        b'{"a":1.0,"kids":{"x":1},"b":"\xc3\xa9","kids_index":0,"kids_count":2}',
        b'{"a":1.0,"kids":2,"b":"\xc3\xa9","kids_index":1,"kids_count":2}',
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":["kids",[1,2]],"kids":[1,2]}',
        b'{"a":{"kids":[1,2]},"kids":[1,2]}',
        b'{"kids":[1,2],"a":{"kids":[1,2]}}',
        b'{ "kids" : [ 1 , 2 ] , "a" : "kids" }',
        b'{"a":"\\"kids\\":[1,2]","kids":[1,2]}',
        b'{"kids":[1,{"%d %_index":2}],"%d_index":0}',
        rb'{"a":["kids",[1,2],2],"k\u0069ds":[1,2]}',
        rb'{"a":{"kids":[1,2]},"k\u0069ds":[1,2]}',
        b'{"kids":null,"kids":[1,2]}',
    ],
)
def test_split_finds_the_list(raw: bytes) -> None:
    """Wherever else the list's name or its content stands, only the list is taken apart."""
    record = json.loads(raw)
    split = [json.loads(each) for each in flattener("split", "kids", "%d", "of %s")(raw)]
    numbered = enumerate(record["kids"])
    assert split == [{**record, "kids": kid, "%d": n, "of %s": 2} for n, kid in numbered]


def test_split_knows_a_name_by_any_spelling() -> None:
    """A field whose name is spelled with escapes is not overwritten either."""
    (record,) = flattener("split", "kids")(rb'{"kids":[1],"kids\u005findex":5}')
    assert json.loads(record) == {"kids": 1, "kids_index": 5, "kids_kids_index": 0, "kids_count": 1}


def test_split_never_overwrites() -> None:
    """A parent that uses the names of index or count already keeps its own fields."""
    record = {"kids_index": "i", "kids": [1], "kids_count": "c"}
    assert flat("split", record) == [
        {**record, "kids": 1, "kids_kids_index": 0, "kids_kids_count": 1}
    ]


def test_split_fields_can_be_named() -> None:
    """Index and count go under the names of the configuration."""
    flatten = flattener("split", "kids", "n", "of")
    assert json.loads(flatten(b'{"kids":[5]}')[0]) == {"kids": 5, "n": 0, "of": 1}


@pytest.mark.parametrize("mode", get_args(Mode))
@pytest.mark.parametrize(
    "raw", [b"{}", b'{ "a": 1 }', b'{"kids":[]}', b'{"kids":null}', b'{"kids":{"x":[1]}}']
)
def test_no_children(mode: Mode, raw: bytes) -> None:
    """A parent without children is one record, untouched."""
    assert flattener(mode, "kids")(raw) == [raw]


def test_none() -> None:
    """Without flattening a record travels as it came."""
    assert flattener("none", "kids")(b'{ "kids": [1, 2] }') == [b'{ "kids": [1, 2] }']


def test_pivot() -> None:
    """Keys become fields; a repeated key becomes a list, in order."""
    kids = [{"key": "x", "value": 1}, {"key": "y", "value": None}, {"value": 2, "key": "x"}]
    assert flat("pivot", {"a": 0, "kids": kids}) == [{"a": 0, "x": [1, 2], "y": None}]


def test_pivot_keeps_what_is_no_pair() -> None:
    """A child that is no {key, value} stays in the list."""
    odd = [5, {"key": "x"}, {"key": 1, "value": 1}, {"key": "x", "value": 1, "more": 1}]
    assert flat("pivot", {"kids": [{"key": "y", "value": 1}, *odd]}) == [{"kids": odd, "y": 1}]
    assert flat("pivot", {"kids": odd}) == [{"kids": odd}]


def test_pivot_never_overwrites() -> None:
    """A key that the parent has already gets the list's name in front, as often as it takes."""
    record = {"x": 0, "kids_x": 1, "kids": [{"key": "x", "value": 2}]}
    assert flat("pivot", record) == [{"x": 0, "kids_x": 1, "kids_kids_x": 2}]


def test_path() -> None:
    """The fields of each child are named by their path."""
    record = {"a": 0, "kids": [{"x": 1, "y": [2]}, 3]}
    assert flat("path", record) == [{"a": 0, "kids_0_x": 1, "kids_0_y": [2], "kids_1": 3}]


def test_path_never_overwrites() -> None:
    """A path that the parent uses already gets the list's name in front."""
    record = {"kids_0_x": 0, "kids": [{"x": 1}]}
    assert flat("path", record) == [{"kids_0_x": 0, "kids_kids_0_x": 1}]


@pytest.mark.parametrize("mode", get_args(Mode))
def test_too_deep_to_take_apart(mode: Mode) -> None:
    """A record that is nested too deeply for us is delivered whole."""
    raw = b'{"kids":[1,2],"x":%b%b}' % (b"[" * 100_000, b"]" * 100_000)
    assert flattener(mode, "kids")(raw) == [raw]


def test_too_large_to_multiply() -> None:
    """A record whose parts would be a flood is delivered whole: memory stays bounded."""
    raw = as_json({"text": "x" * 1_000_000, "kids": list(range(100_000))})
    assert flattener("split", "kids")(raw) == [raw]


def test_large_but_not_a_flood() -> None:
    """Children are what makes a record large most often, and multiply nothing."""
    raw = as_json({"kids": [{"text": "x" * 1_000_000} for _ in range(20)]})
    assert len(flattener("split", "kids")(raw)) == 20
