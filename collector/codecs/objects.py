"""The codec of JSON: an object is a record, an array is one for each of its elements.

The bytes that came are kept.  What is odd about them is repaired and flagged as in
every other source (``core.wirejson``).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from collector.core import wirejson
from collector.core.decoded import Record
from collector.core.model import Rejected
from collector.core.wirejson import LOSSY, MALFORMED, Repaired

_decode = msgspec.json.Decoder().decode


def json_objects(frame: bytes) -> list[Record | Rejected]:
    """The records of a JSON document; blanks alone are none.

    An element of an array that cannot be read is rejected by itself.
    """
    text = frame.strip()
    if not text:
        return []
    if text[:1] != b"[":
        return [json_object(text)]
    try:
        return [json_object(part) for part in wirejson.parts(text)]
    except ValueError as error:
        return [Rejected(frame, f"not JSON: {error}")]


def json_object(raw: bytes) -> Record | Rejected:
    """One value: an object as it is, any other as ``{"message": value}``."""
    if wirejson.is_clean(raw):
        with suppress(*MALFORMED):
            return _record(raw, Repaired(raw))
    try:
        return _record(raw, wirejson.repair(raw))
    except MALFORMED as error:
        return Rejected(raw, f"not JSON: {error}")


def _record(came: bytes, repaired: Repaired) -> Record:
    value: Any = _decode(repaired.raw)
    lossy = not LOSSY.isdisjoint(repaired.flags)
    raw, fields = repaired.raw, value
    if not isinstance(value, dict):
        raw, fields = b'{"message":%b}' % raw, {"message": value}
    return Record(raw, fields, repaired.flags, came if lossy else None)
