"""What a Devo relay reads: lines, counted lines and gzip members, and nothing half-right.

Pure functions over all the bytes of one connection.  The forms are devo-sdk's
(docs/vendor-notes.md, Devo 5); whatever deviates raises ``ValueError``.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_LINE = re.compile(
    rb"<(?P<priority>\d{1,3})>"
    rb"(?P<time>(?:" + _MONTHS.encode() + rb") (?: [1-9]|[12]\d|3[01]) [012]\d:[0-5]\d:[0-5]\d) "
    rb"(?P<host>[A-Za-z0-9._-]{1,255}) "
    rb"(?P<tag>[a-z0-9_-]+(?:\.[a-z0-9_-]+)+): "
    rb"(?P<message>[^\n]*)\n"
)
_COUNT = re.compile(rb"([1-9]\d{0,8}) ")


class Line(NamedTuple):
    """One event as the relay understands it."""

    priority: int
    time: bytes
    host: bytes
    tag: bytes
    message: bytes


def lines(stream: bytes) -> list[Line]:
    """Events told apart by their line ends."""
    found = []
    at = 0
    while at < len(stream):
        found.append(_line(stream, at))
        at = stream.index(b"\n", at) + 1
    return found


def counted_lines(stream: bytes) -> list[Line]:
    """Events with their length and a space in front; the length includes the line end."""
    found = []
    at = 0
    while at < len(stream):
        count = _COUNT.match(stream, at)
        if count is None:
            raise ValueError(f"no length at {at}")
        at = count.end() + int(count[1])
        frame = stream[count.end() : at]
        if len(frame) != int(count[1]) or not frame.endswith(b"\n"):
            raise ValueError(f"a length that does not end a line, before {at}")
        found.append(_line(frame, 0))
    return found


def zipped_lines(stream: bytes) -> list[list[Line]]:
    """The events of each gzip member; a member holds whole lines."""
    found = []
    while stream:
        member = zlib.decompressobj(wbits=31)
        try:
            text = member.decompress(stream)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        if not member.eof:
            raise ValueError("the last member is torn")
        found.append(lines(text))
        stream = member.unused_data
    return found


def _line(stream: bytes, at: int) -> Line:
    match = _LINE.match(stream, at)
    if match is None:
        raise ValueError(f"no event at {at}: {stream[at : at + 80]!r}")
    return Line(
        int(match["priority"]), match["time"], match["host"], match["tag"], match["message"]
    )
