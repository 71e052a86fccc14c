"""Vendor JSON, kept as the bytes that came.

A record is decoded only as far as its id and time.  What the fast decode
refuses is repaired as little as possible, flagged, and tried again; what is no
JSON object even then is rejected with a reason and kept aside.  No record ever
raises out of here: none may decide about a session.

The vendor does send such records: raw control characters inside strings, and
bytes that are not UTF-8 (docs/vendor-notes.md, PoD 4, CASB A3, trap 2).

Flags, as they appear under ``@collector.flags``:

    control_characters   raw control characters were written as escapes
    not_utf8             bytes that are no UTF-8 became U+FFFD; the original is kept
    lone_surrogate       half of a surrogate pair became U+FFFD; the original is kept
    no_id                the vendor sent no id that can be used; ours is a hash of the content
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
LOST = "\ufffd"
"""What stands for bytes that were lost: two ids that hold it need not be the same."""

MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decode raises on hostile bytes; deep nesting is no ``ValueError``."""

# The closing quote is optional: at a string without end, a search that fails would begin again
# at each of its escaped quotes.
STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"?'
"""The pattern of a JSON string in its quotes, for ``re.DOTALL``."""
_STRING = re.compile(STRING, re.DOTALL)
_TOKEN = re.compile(STRING + rb"|[\[\]{},]", re.DOTALL)
_CLOSING = {b"[": b"]", b"{": b"}"}
_CONTROL = re.compile(rb"[\x00-\x1f]")
_LF, _CR = b"\n\r"
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
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError:
            return False
    return _LF not in raw and _CR not in raw


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


def parts(text: bytes) -> list[bytes]:
    """What stands between the commas of one array or object, with the bytes that came.

    It is cut by quotes and brackets alone, so that one odd record does not cost
    its neighbours.  Raises ``ValueError`` when the brackets do not match.
    """
    text = text.strip()
    if text[:1] not in _CLOSING:
        raise ValueError("not an array or object")
    closing = [_CLOSING[text[:1]]]
    found: list[bytes] = []
    begin = end = 1
    for token in _TOKEN.finditer(text, 1):
        mark, end = token[0], token.end()
        if mark == b"," and len(closing) == 1:
            found.append(text[begin : token.start()].strip())
            begin = end
        elif mark in _CLOSING:
            closing.append(_CLOSING[mark])
        elif mark in (b"]", b"}") and closing.pop() != mark:
            raise ValueError(f"unexpected {mark.decode()} (byte {token.start()})")
        if not closing:
            break
    if closing or end < len(text):
        raise ValueError("not one whole array or object")
    last = text[begin:-1].strip()
    return [*found, last] if found or last else []


def member(part: bytes) -> tuple[bytes, bytes]:
    """The name, in its quotes, and the value of one of an object's ``parts``."""
    name = _STRING.match(part)
    _, colon, value = part[name.end() :].partition(b":") if name else (b"", b"", b"")
    if name is None or not colon:
        raise ValueError("a field has no name or no value")
    return name[0], value.strip()


_QUOTE = ord('"')


def with_key(record: bytes, text: bytes) -> tuple[memoryview, bytes]:
    """The JSON object with one more, last, key, in two pieces.

    ``text`` begins with a comma and ends with the brace that closes the object.
    """
    empty = record[1] != _QUOTE and not record[1:-1].strip()
    return memoryview(record)[:-1], text[1:] if empty else text


def splice(record: bytes, key: bytes, value: bytes) -> bytes:
    """The JSON object with one more, last, key; both are given as JSON text."""
    return b"".join(with_key(record, b",%b:%b}" % (key, value)))


def canonical_id(raw: bytes) -> str:
    """A hash of the content that does not depend on key order or white space.

    The vendor's key order is random (docs/vendor-notes.md, PoD 4), so a hash
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
