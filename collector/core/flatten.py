"""One record per child, by splicing the vendor's bytes.

Devo's reference page: alerts are flattened on ``related_events`` and events on
``additionalProperties``; each record has all the parent's fields, the child and
the child's index.  The exact names are not public (docs/vendor-notes.md, CASB A6),
so they are settings.

    split   one record per child: the child stands in place of the list
    pivot   one record: each {key, value} child becomes a top-level field
    path    one record: each child's fields become <list>_<n>_<field>
    none    the record as it came

No field is ever overwritten: one whose name is taken gets the list's name in front.
A record that is nested too deeply to be taken apart, or whose split would be a
flood, is delivered whole.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from itertools import takewhile
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Raw

from collector.core.wirejson import MALFORMED

Mode: TypeAlias = Literal["split", "pivot", "path", "none"]
Flatten: TypeAlias = Callable[[bytes], list[bytes]]
"""A record to its flat records; at least one."""

_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_list = msgspec.json.Decoder(list[Raw]).decode
_text = msgspec.json.encode

_MAX_SPLIT_BYTES = 64 * 1024 * 1024
"""Each child repeats its parent: a hostile megabyte could become a terabyte."""


def flattener(
    mode: Mode, list_field: str, index_field: str | None = None, count_field: str | None = None
) -> Flatten:
    """The function for a mode; index and count fields default to ``<list>_index``, ``_count``.

    It takes any JSON object and never raises.
    """
    if mode == "none":
        return as_it_came
    take_apart = _taking_apart(mode, list_field, index_field, count_field)

    def flatten(raw: bytes) -> list[bytes]:
        try:
            return take_apart(raw)
        except MALFORMED:
            return [raw]

    return flatten


def as_it_came(raw: bytes) -> list[bytes]:
    """The record itself."""
    return [raw]


def _taking_apart(
    mode: Mode, list_field: str, index_field: str | None, count_field: str | None
) -> Flatten:
    if mode == "pivot":
        return lambda raw: [_pivot(raw, list_field)]
    if mode == "path":
        return lambda raw: [_path(raw, list_field)]
    index = index_field or f"{list_field}_index"
    count = count_field or f"{list_field}_count"
    return _splitter(list_field, index, count)


def _children(fields: dict[str, Raw], list_field: str) -> list[Raw]:
    """The list's elements; none when it is absent, empty, or no list at all."""
    value = fields.get(list_field)
    if value is None or not bytes(value).startswith(b"["):
        return []
    return _list(value)


def _splitter(list_field: str, index: str, count: str) -> Flatten:
    """Splits without taking the parent apart, where none of the names can occur in the rest of it.

    That is sure where neither their common beginning nor any escape does.
    """
    key, index_key, count_key = _text(list_field), _text(index), _text(count)
    opening = key + b":["
    beginning = _common_beginning(key, index_key, count_key)
    ends = b",%b:%%d,%b:%%d}" % (index_key.replace(b"%", b"%%"), count_key.replace(b"%", b"%%"))
    children_in = _decoder(list_field)

    def split(raw: bytes) -> list[bytes]:
        start = raw.find(opening) + len(key) + 1
        children = children_in(raw) if start > len(key) else []
        end = _end_of_list(raw, start, children)
        head, tail = raw[:start], raw[end:-1]
        rest = head[: -len(key) - 1] + tail
        if (
            end is None
            or beginning in rest
            or b"\\" in rest
            or len(rest) * len(children) > _MAX_SPLIT_BYTES
        ):
            return _split(raw, list_field, index, count)
        return [
            b"".join((head, child, tail, ends % (n, len(children))))
            for n, child in enumerate(children)
        ]

    return split


def _common_beginning(*names: bytes) -> bytes:
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return bytes(letters[0] for letters in same)


def _decoder(list_field: str) -> Callable[[bytes], list[bytes]]:
    """The elements of the list of that name; none when there is none, or something else."""
    shape = msgspec.defstruct("Parent", [("children", list[Raw], [])], rename=lambda _: list_field)
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(shape).decode

    def children(raw: bytes) -> list[bytes]:
        try:
            return [bytes(child) for child in decode(raw).children]
        except MALFORMED:
            return []

    return children


def _end_of_list(raw: bytes, start: int, children: Iterable[bytes]) -> int | None:
    """Just past the list that starts there; None when it has no child, or blanks between them."""
    end = start
    for child in children:
        if not raw.startswith(child, end + 1):
            return None
        end += 1 + len(child)
    return end + 1 if end > start and raw.startswith(b"]", end) else None


def _split(raw: bytes, list_field: str, index: str, count: str) -> list[bytes]:
    fields = _fields(raw)
    children = _children(fields, list_field)
    parent = len(raw) - len(bytes(fields[list_field])) if children else 0
    if not children or parent * len(children) > _MAX_SPLIT_BYTES:
        return [raw]
    names = list(fields)
    at = names.index(list_field)
    before = [_pair(name, fields[name]) for name in names[:at]]
    after = [_pair(name, fields[name]) for name in names[at + 1 :]]
    head = b"{" + b",".join([*before, _text(list_field) + b":"])
    index_key = _text(_free(index, fields, list_field))
    total = b"%b:%d" % (_text(_free(count, fields, list_field)), len(children))
    return [
        head + b",".join([bytes(child), *after, b"%b:%d" % (index_key, n), total]) + b"}"
        for n, child in enumerate(children)
    ]


def _pivot(raw: bytes, list_field: str) -> bytes:
    """Repeated keys become a list."""
    fields = _fields(raw)
    values: dict[str, list[Raw]] = {}
    odd: list[Raw] = []
    for child in _children(fields, list_field):
        pair = _fields(child) if bytes(child).startswith(b"{") else {}
        if set(pair) == {"key", "value"} and bytes(pair["key"]).startswith(b'"'):
            values.setdefault(msgspec.json.decode(pair["key"]), []).append(pair["value"])
        else:
            odd.append(child)
    if not values:
        return raw
    kept = {name: value for name, value in fields.items() if name != list_field}
    if odd:  # what is no {key, value} stays in the list: nothing is dropped
        kept[list_field] = Raw(_array(odd))
    for name, found in values.items():
        kept[_free(name, kept, list_field)] = found[0] if len(found) == 1 else Raw(_array(found))
    return _object(kept.items())


def _path(raw: bytes, list_field: str) -> bytes:
    fields = _fields(raw)
    children = _children(fields, list_field)
    if not children:
        return raw
    kept = {name: value for name, value in fields.items() if name != list_field}
    for n, child in enumerate(children):
        if bytes(child).startswith(b"{"):
            for name, value in _fields(child).items():
                kept[_free(f"{list_field}_{n}_{name}", kept, list_field)] = value
        else:
            kept[_free(f"{list_field}_{n}", kept, list_field)] = child
    return _object(kept.items())


def _free(name: str, taken: Container[str], list_field: str) -> str:
    while name in taken:
        name = f"{list_field}_{name}"
    return name


def _pair(name: str, value: Raw) -> bytes:
    return _text(name) + b":" + bytes(value)


def _array(values: Iterable[Raw]) -> bytes:
    return b"[" + b",".join(bytes(value) for value in values) + b"]"


def _object(pairs: Iterable[tuple[str, Raw]]) -> bytes:
    return b"{" + b",".join(_pair(name, value) for name, value in pairs) + b"}"
