"""Cutting a page of the CASB API into its records, without touching their bytes."""

from __future__ import annotations

from typing import Any

import msgspec

from collector.core import wirejson
from collector.errors import UnreadableAnswer

_page = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_records = msgspec.json.Decoder(list[msgspec.Raw]).decode


def listed(body: bytes, list_field: str) -> list[bytes]:
    """The raw records under ``list_field``.

    The server has sent raw control characters inside strings (vendor notes on
    CASB, A3 trap 2): the page is then cut by its outline, and each record is
    judged by itself.  Raises ``UnreadableAnswer`` when there is no such list.
    """
    try:
        return [bytes(record) for record in _records(_field(body, list_field))]
    except wirejson.MALFORMED:
        return _listed_by_outline(body, list_field)


def text_field(body: bytes, name: str) -> str | None:
    """A text beside the list, or None."""
    try:
        value: Any = msgspec.json.decode(_page(wirejson.outline(body)).get(name, b"null"))
    except wirejson.MALFORMED:
        return None
    return value if isinstance(value, str) and value else None


def _field(body: bytes, list_field: str) -> msgspec.Raw:
    page = _page(body)
    if list_field not in page:
        raise UnreadableAnswer(
            304,
            f"the page has no {list_field}",
            "check the endpoint's URL and the service's list_field",
        )
    return page[list_field]


def _listed_by_outline(body: bytes, list_field: str) -> list[bytes]:
    try:
        return wirejson.slices(body, _records(_field(wirejson.outline(body), list_field)))
    except wirejson.MALFORMED as error:
        raise UnreadableAnswer(
            305, f"the page is not JSON: {error}", "nothing to do: the page is asked for again"
        ) from None
