"""A record as values and as bytes.

No number changes its value on the way: whole numbers have any size, and a decimal
number whose text is not the shortest one for its float is kept as ``Decimal``.
Keys keep their order; of a key that stands twice the last value counts.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

import msgspec

from collector.core import wirejson

Record: TypeAlias = dict[str, Any]
"""A decoded record.  Steps never change one: they make another that shares its parts."""

MAX_DEPTH = 200
"""Levels of a record, itself included.  The vendor's have ten; thousands could exhaust a stack."""

_BRACKETS = (b"{", b"[")


class Unreadable(Exception):
    """Bytes that cannot be worked on; carries the reason."""


def _number(text: str) -> float | Decimal:
    value = float(text)
    return value if repr(value) == text else Decimal(text)


_record = msgspec.json.Decoder(Record, float_hook=_number).decode
_value = msgspec.json.Decoder(Any, float_hook=_number).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode

_REFUSED = (*wirejson.MALFORMED, InvalidOperation)


def read(raw: bytes) -> tuple[Record, wirejson.Repaired]:
    """A record, and its bytes, repaired where they had to be; raises ``Unreadable``."""
    try:
        return _shallow(_record(raw), raw), wirejson.Repaired(raw)
    except _REFUSED:
        repaired = wirejson.repair(raw)
    try:
        return _shallow(_record(repaired.raw), repaired.raw), repaired
    except _REFUSED as error:
        raise Unreadable(f"not a JSON object: {error}") from None


def parse(text: str, levels: int) -> Any:
    """The JSON value that a text spells, so many levels deep at most; raises ``Unreadable``."""
    try:
        value = _value(text)
    except _REFUSED as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not _within(value, levels):
        raise Unreadable("nested too deeply")
    return value


def write(value: Any) -> bytes:
    """The value as JSON on one line."""
    return _encode(value)


def _shallow(record: Record, raw: bytes) -> Record:
    # No record is deeper than it has brackets, and those are counted faster.
    if sum(map(raw.count, _BRACKETS)) > MAX_DEPTH and not _within(record, MAX_DEPTH):
        raise Unreadable(f"nested more than {MAX_DEPTH} levels deep")
    return record


def _within(value: Any, levels: int) -> bool:
    """Whether a value is so many levels deep at most; a text or number has none."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [child for each in layer for child in _children(each)]
        if not layer:
            return True
    return False


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
