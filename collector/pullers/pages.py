"""Cutting a page of the CASB API into its records, without touching their bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from collector.core import wirejson
from collector.core.events import Reader
from collector.core.model import Micros, Page
from collector.errors import UnreadableAnswer

_Decode: TypeAlias = Callable[[bytes], Any]

CHECK_URL = "check the endpoint's URL"
"""The remedy for an answer without the list: it came from another place, or another version."""

_page = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_records = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Pages(msgspec.Struct, frozen=True, kw_only=True):
    """The answers of one call: the list that holds their records, and how these are read."""

    list_field: str
    take_apart: Reader
    remedy: str = CHECK_URL

    def listed(self, body: bytes) -> list[bytes]:
        """The raw records of an answer; raises ``UnreadableAnswer``."""
        return listed(body, self.list_field, self.remedy)

    def reread(self, raw: bytes) -> Page:
        """What is in bytes that were kept aside: a whole answer, or one record."""
        return self._page(kept(raw, self.list_field))

    def restore(self, raw: bytes, _time: Micros) -> Page:
        """One record, whatever its members are called; ``reread`` takes it for a page by a name."""
        return self._page([raw])

    def _page(self, raws: list[bytes]) -> Page:
        events, rejected = self.take_apart(raws)
        return Page(events=events, rejected=rejected)


def listed(body: bytes, list_field: str, remedy: str = CHECK_URL) -> list[bytes]:
    """The raw records under ``list_field``.

    The server has sent raw control characters inside strings
    (docs/vendor-notes.md, CASB A3, trap 2): the page is then cut by quotes and
    brackets alone, and each record is judged by itself.  Raises ``UnreadableAnswer``
    when there is no such list, with this remedy, or the page is not whole.
    """
    try:
        return [bytes(record) for record in _decoder(list_field)(body).records]
    except wirejson.MALFORMED:
        return _listed(body, list_field, remedy)


@lru_cache
def _decoder(list_field: str) -> _Decode:
    """The fast way: the page is gone through once, and only the list is kept."""
    shape = msgspec.defstruct("Page", [("records", list[msgspec.Raw])], rename=lambda _: list_field)
    return msgspec.json.Decoder(shape).decode


def _listed(body: bytes, list_field: str, remedy: str) -> list[bytes]:
    """The slow way, which says what is wrong, and gets by with what is only odd."""
    value = _fields(body).get(list_field)
    if value is None or not value.startswith(b"["):
        raise UnreadableAnswer(
            304,
            f"the page has no list {list_field}",
            remedy,
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
