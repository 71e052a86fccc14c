"""Vendor JSON, kept as the bytes that came.

A record is decoded only as far as its id and time.  What the fast decode
refuses is repaired as little as possible, flagged, and tried again; what is no
JSON object even then is rejected with a reason and kept aside.  No record ever
raises out of here: none may decide about a session.

The vendor does send such records: raw control characters inside strings, and
bytes that are not UTF-8 (vendor notes: PoD section 4, CASB A3 trap 2).

Flags, as they appear under ``@collector.flags``:

    control_characters   raw control characters were written as escapes
    not_utf8             bytes that are no UTF-8 became U+FFFD; the original is kept
    lone_surrogate       half of a surrogate pair became U+FFFD; the original is kept
    no_id                the vendor sent no id; ours is a hash of the canonical content
    no_time              the vendor sent no time that can be read
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

CONTROL_CHARACTERS = "control_characters"
NOT_UTF8 = "not_utf8"
LONE_SURROGATE = "lone_surrogate"
NO_ID = "no_id"
NO_TIME_FLAG = "no_time"

LOSSY = frozenset({NOT_UTF8, LONE_SURROGATE})

MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decode raises on hostile bytes; deep nesting is no ``ValueError``."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_ESCAPED_SURROGATE = re.compile(
    rb"\\\\|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


class Repaired(msgspec.Struct, frozen=True):
    """Bytes that are valid UTF-8 on one line, and what it took to get there."""

    raw: bytes
    flags: tuple[str, ...] = ()


def is_clean(raw: bytes) -> bool:
    """Whether the bytes are UTF-8 on one line (a decoder skips strings unchecked)."""
    if b"\n" in raw or b"\r" in raw:
        return False
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def repair(raw: bytes) -> Repaired:
    """The smallest change that makes the bytes valid: escapes, and U+FFFD for what is lost."""
    flags: list[str] = []
    text = raw.decode(errors="replace").encode()
    if text != raw:
        flags.append(NOT_UTF8)
    escaped = _STRING.sub(_escape_controls, text)
    if escaped != text:
        flags.append(CONTROL_CHARACTERS)
    joined = _ESCAPED_SURROGATE.sub(_replace_lone, escaped)
    if joined != escaped:
        flags.append(LONE_SURROGATE)
    # Outside strings a line end is insignificant white space.
    return Repaired(joined.translate(_LINE_ENDS_TO_SPACE), tuple(flags))


def _escape_controls(string: re.Match[bytes]) -> bytes:
    return _CONTROL.sub(lambda c: b"\\u%04x" % c[0][0], string[0])


def _replace_lone(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape[2] else escape[0]


_LINE_ENDS_TO_SPACE = bytes.maketrans(b"\r\n", b"  ")
_OUTLINE = bytes(b if 0x20 <= b < 0x80 else (0x20 if b < 0x20 else 0x3F) for b in range(256))


def outline(body: bytes) -> bytes:
    """The same structure at the same offsets, with every odd byte made harmless.

    Lets a page be cut into records when one of its strings is broken: the
    records are then cut from the original bytes at the offsets found here.
    """
    return body.translate(_OUTLINE)


def slices(body: bytes, pieces: list[msgspec.Raw]) -> list[bytes]:
    """The original bytes of pieces that were decoded, in order, from ``outline(body)``."""
    shape = outline(body)
    found: list[bytes] = []
    position = 0
    for piece in pieces:
        text = bytes(piece)
        start = shape.index(text, position)
        position = start + len(text)
        found.append(body[start:position])
    return found


def splice(record: bytes, key: bytes, value: bytes) -> bytes:
    """The JSON object with one more, last, key; both are given as JSON text."""
    separator = b"" if record[1:-1].isspace() or len(record) == 2 else b","
    return b"".join((record[:-1], separator, key, b":", value, b"}"))


def canonical_id(raw: bytes) -> str:
    """A hash of the content that does not depend on key order or white space.

    The vendor's key order is random (vendor notes on PoD, section 4), so a hash
    of the bytes would differ between a record and its own replay.
    """
    content = msgspec.json.encode(msgspec.json.decode(raw), order="sorted")
    return "sha256:" + hashlib.sha256(content).hexdigest()


def decoder(shape: type[T]) -> Callable[[bytes], T]:
    """The fast decode of just the fields that ``shape`` names."""
    return msgspec.json.Decoder(shape).decode


def strict(body: bytes) -> Any:
    """A whole JSON document; raises ``MALFORMED`` on anything else."""
    return msgspec.json.decode(body.decode())
