"""The codec of bytes that mean nothing to us: each frame is the text of one record."""

from __future__ import annotations

from base64 import b64encode

import msgspec

from collector.core.decoded import Record

BASE64 = "base64"
"""The flag of a record whose bytes are no UTF-8, and stand in base64."""
_ENCODED = "message_base64"


def raw(frame: bytes) -> list[Record]:
    """One record: ``{"message": ...}``, or ``{"message_base64": ...}`` for what is no UTF-8."""
    return [with_message({}, frame)]


def remade(made: Record) -> Record:
    """A record made here before, with the flag that its bytes do not show otherwise."""
    flags = (BASE64,) if _ENCODED in made.fields else ()
    return msgspec.structs.replace(made, flags=flags)


def with_message(fields: dict[str, object], message: bytes) -> Record:
    """The record of these fields and a message."""
    try:
        whole = {**fields, "message": message.decode()}
        flags: tuple[str, ...] = ()
    except UnicodeDecodeError:
        whole = {**fields, _ENCODED: b64encode(message).decode()}
        flags = (BASE64,)
    return Record(msgspec.json.encode(whole), whole, flags)
