"""The codec of Graylog's Extended Log Format: JSON with fields that must be there.

What is required is that of GELF 1.1 (https://go2docs.graylog.org, "GELF Format").
A payload may be compressed with gzip or zlib.  Chunks are for UDP alone: in a stream
they are rejected.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from collector.codecs.objects import json_object
from collector.core.decoded import Record
from collector.core.model import Rejected

_CHUNK = b"\x1e\x0f"
_GZIP = b"\x1f\x8b"
_ZLIB = 0x78
_EITHER = zlib.MAX_WBITS | 32
"""Tells zlib to find out by the first bytes which of the two it is."""
_VERSIONS = ("1.0", "1.1")
_ADDITIONAL = re.compile(r"_[\w.-]*", re.ASCII)
_TEXTS = ("full_message", "facility", "file")
_NUMBERS = ("timestamp", "line")
_KNOWN = frozenset({"version", "host", "short_message", "level", *_TEXTS, *_NUMBERS})


def gelf(limit: int) -> Callable[[bytes], list[Record | Rejected]]:
    """The codec; a payload that inflates beyond ``limit`` bytes is rejected."""
    return partial(_gelf, limit=limit)


def _gelf(frame: bytes, limit: int) -> list[Record | Rejected]:
    try:
        payload = _plain(frame, limit).strip()
    except (ValueError, zlib.error) as error:
        return [Rejected(frame, f"not GELF: {error}")]
    if not payload:
        return []
    found = json_object(payload)
    if isinstance(found, Rejected):
        return [Rejected(frame, found.reason)]
    wrong = next(_wrong(found.fields), None)
    return [found if wrong is None else Rejected(frame, f"not GELF: {wrong}")]


def _plain(frame: bytes, limit: int) -> bytes:
    """The payload inflated; raises ``ValueError`` or ``zlib.error``."""
    if frame[:2] == _CHUNK:
        raise ValueError("a chunk of a message; chunks are for UDP alone")
    if frame[:2] != _GZIP and frame[:1] != bytes([_ZLIB]):
        return frame
    inflater = zlib.decompressobj(_EITHER)
    payload = inflater.decompress(frame, limit + 1)
    if len(payload) > limit:
        raise ValueError(f"it inflates to more than max_record_bytes ({limit})")
    if not inflater.eof or inflater.unused_data:
        raise ValueError("the compressed payload is cut off, or more follows it")
    return payload


def _wrong(fields: dict[str, Any]) -> Iterator[str]:
    """What the specification does not allow."""
    if fields.get("version") not in _VERSIONS:
        yield 'version is not "1.1"'
    for name in ("host", "short_message"):
        if not isinstance(fields.get(name), str) or not fields[name]:
            yield f"{name} is missing, or no text"
    for name in _TEXTS:
        if name in fields and not isinstance(fields[name], str):
            yield f"{name} is no text"
    for name in _NUMBERS:
        if name in fields and not _is_number(fields[name]):
            yield f"{name} is no number"
    if "level" in fields and fields["level"] not in range(8):
        yield "level is none of 0 to 7"
    yield from _additional(fields)


def _additional(fields: dict[str, Any]) -> Iterator[str]:
    for name in fields.keys() - _KNOWN:
        if name == "_id" or not _ADDITIONAL.fullmatch(name):
            yield "an additional field has no leading _, or is called _id"
        elif not isinstance(fields[name], str) and not _is_number(fields[name]):
            yield "an additional field is neither text nor number"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
