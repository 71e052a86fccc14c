"""Cutting a page of the CASB API into its records, without touching their bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from collector.core import wirejson
from collector.errors import UnreadableAnswer

_Decode: TypeAlias = Callable[[bytes], Any]

_page = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_records = msgspec.json.Decoder(list[msgspec.Raw]).decode


def listed(body: bytes, list_field: str) -> list[bytes]:
    """The raw records under ``list_field``.

    The server has sent raw control characters inside strings (vendor notes on
    CASB, A3 trap 2): the page is then cut by quotes and brackets alone, and each
    record is judged by itself.  Raises ``UnreadableAnswer`` when there is no such
    list, or the page is not whole.
    """
    try:
        return [bytes(record) for record in _decoder(list_field)(body).records]
    except wirejson.MALFORMED:
        return _listed(body, list_field)


@lru_cache
def _decoder(list_field: str) -> _Decode:
    """The fast way: the page is gone through once, and only the list is kept."""
    shape = msgspec.defstruct("Page", [("records", list[msgspec.Raw])], rename=lambda _: list_field)
    return msgspec.json.Decoder(shape).decode


def _listed(body: bytes, list_field: str) -> list[bytes]:
    """The slow way, which says what is wrong, and gets by with what is only odd."""
    value = _fields(body).get(list_field)
    if value is None or not value.startswith(b"["):
        raise UnreadableAnswer(
            304,
            f"the page has no list {list_field}",
            "check the endpoint's URL and the service's list_field",
        )
    try:
        return [bytes(record) for record in _records(value)]
    except wirejson.MALFORMED:
        return _parts(value)


def kept(raw: bytes, list_field: str) -> list[bytes]:
    """The records in bytes that were kept aside: those of a whole answer, or the one they are."""
    try:
        return listed(raw, list_field)
    except UnreadableAnswer:
        return [raw]


def text_field(body: bytes, name: str) -> str | None:
    """A text beside the list, or None where it is absent, null or empty.

    Raises ``UnreadableAnswer`` for anything else: a cursor that cannot be read
    must not look like the end of the data.
    """
    try:
        text: Any = msgspec.json.decode(wirejson.repair(_fields(body).get(name, b"null")).raw)
    except wirejson.MALFORMED:
        text = ...
    if text is None or isinstance(text, str):
        return text or None
    raise UnreadableAnswer(304, f"the page's {name} is no text", "please report this")


def _fields(body: bytes) -> Mapping[str, bytes]:
    try:
        return {name: bytes(value) for name, value in _page(body).items()}
    except wirejson.MALFORMED:
        return _fields_by_brackets(body)


def _fields_by_brackets(body: bytes) -> Mapping[str, bytes]:
    try:
        members = [wirejson.member(part) for part in wirejson.parts(body)]
    except ValueError as error:
        raise _not_json(error) from None
    return {name[1:-1].decode(errors="replace"): value for name, value in members}


def _parts(text: bytes) -> list[bytes]:
    try:
        return wirejson.parts(text)
    except ValueError as error:
        raise _not_json(error) from None


def _not_json(error: ValueError) -> UnreadableAnswer:
    return UnreadableAnswer(
        305, f"the page is not JSON: {error}", "nothing to do: the page is asked for again"
    )
