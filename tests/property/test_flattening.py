"""Flattening, against a plain implementation that decodes everything."""

from __future__ import annotations

import json
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.flatten import Mode, flattener
from collector.core.wirejson import splice

LIST = "kids"
# Few names, so that parents, children and our own fields meet.
NAMES = st.sampled_from([
    "a", "b", "key", "value", LIST, "kids_index", "kids_count", "kids_a",
    "kids_0", "kids_0_a", "kids_1_key", 'q"\\', "é\n",
])  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
PAIRS = st.fixed_dictionaries({"key": NAMES, "value": VALUES})
PARENTS = st.builds(
    lambda parent, kids: {**parent, LIST: kids},
    st.dictionaries(NAMES, VALUES, max_size=5),
    st.lists(PAIRS | VALUES, max_size=4),
) | st.dictionaries(NAMES, VALUES, max_size=5)


def free(name: str, taken: dict[str, Any]) -> str:
    """The name, or the first with the list's name in front that nobody has."""
    return name if name not in taken else free(f"{LIST}_{name}", taken)


def children(record: dict[str, Any]) -> list[Any]:
    """What is in the list, if it is one."""
    value = record.get(LIST)
    return value if isinstance(value, list) else []


def split(record: dict[str, Any]) -> list[dict[str, Any]]:
    """One record per child."""
    kids = children(record)
    index, count = free("kids_index", record), free("kids_count", record)
    return [{**record, LIST: kid, index: n, count: len(kids)} for n, kid in enumerate(kids)] or [
        record
    ]


def is_pair(kid: Any) -> bool:
    """Whether a child names a field and its value."""
    return isinstance(kid, dict) and set(kid) == {"key", "value"} and isinstance(kid["key"], str)


def pivot(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Each pair becomes a field."""
    pairs = [kid for kid in children(record) if is_pair(kid)]
    if not pairs:
        return [record]
    odd = [kid for kid in children(record) if not is_pair(kid)]
    result = {name: value for name, value in record.items() if name != LIST}
    result |= {LIST: odd} if odd else {}
    for key in dict.fromkeys(pair["key"] for pair in pairs):
        values = [pair["value"] for pair in pairs if pair["key"] == key]
        result[free(key, result)] = values[0] if len(values) == 1 else values
    return [result]


def path(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Each field of a child is named by its path."""
    if not children(record):
        return [record]
    result = {name: value for name, value in record.items() if name != LIST}
    for n, kid in enumerate(children(record)):
        for name, value in kid.items() if isinstance(kid, dict) else [(None, kid)]:
            full = f"{LIST}_{n}" if name is None else f"{LIST}_{n}_{name}"
            result[free(full, result)] = value
    return [result]


def none(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The record as it is."""
    return [record]


PLAIN = {"split": split, "pivot": pivot, "path": path, "none": none}


def unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names must differ."""
    assert len({name for name, _ in pairs}) == len(pairs), "a name occurs twice"
    return dict(pairs)


@settings(max_examples=300)
@given(PARENTS, st.sampled_from(get_args(Mode)), st.booleans())
def test_like_the_plain_implementation(
    record: dict[str, Any],
    mode: Mode,
    ascii_only: bool,  # noqa: FBT001 - drawn
) -> None:
    """The spliced bytes mean what plain dictionaries give, and no name occurs twice."""
    raw = json.dumps(record, ensure_ascii=ascii_only).encode()
    found = flattener(mode, LIST)(raw)
    decoded = [json.loads(each, object_pairs_hook=unique_pairs) for each in found]
    assert decoded == PLAIN[mode](record)
    assert not any(b"\n" in each for each in found)


@settings(max_examples=200)
@given(
    st.dictionaries(NAMES, VALUES, max_size=4),
    VALUES,
    st.sampled_from([None, 1]),
    st.sampled_from([(",", ":"), (" , ", " : ")]),
)
def test_splice(
    record: dict[str, Any], value: Any, indent: int | None, separators: tuple[str, str]
) -> None:
    """A spliced object is the object with one more key, however it was written."""
    raw = json.dumps(record, indent=indent, separators=separators).encode()
    spliced = splice(raw, b'"@new"', json.dumps(value).encode())
    assert json.loads(spliced, object_pairs_hook=unique_pairs) == {**record, "@new": value}
    assert json.loads(splice(b"{ \t}", b'"@new"', b"1")) == {"@new": 1}
