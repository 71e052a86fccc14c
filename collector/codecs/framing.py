"""Framings: how the records of a stream are told apart.

    none            each message is one frame
    newline         frames end with LF, or CR LF
    character       frames end with a character of your choice
    length          a frame follows its length: 32 bits, the highest byte first
    octet_counting  a frame follows its length: digits and a blank (RFC 6587, 3.4.1)

The lengths tell by themselves where a frame ends, so it may go on in the next message.
A delimiter does so only where frames ``span`` messages; else the end of a message ends
its last frame, too.

No frame is longer than the limit.  After a length that cannot be true nothing more can
be told apart: what is left of the message is rejected, and the next one begins afresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol, TypeAlias

from collector.core.model import Rejected

Piece: TypeAlias = bytes | Rejected

KEPT: Final = 1024 * 1024
"""Bytes of a frame over the limit that are kept aside."""
_CUT = "the session ended within this record"
_PREFIX = 4
_DIGITS = 10


class Framing(Protocol):
    """Cuts the messages of one session."""

    def feed(self, message: bytes) -> Iterator[Piece]:
        """The frames that are whole now; to be taken to the end before the next message."""
        ...

    def flush(self) -> Iterator[Piece]:
        """What is left unfinished when the session has ended."""
        ...


class Whole:
    """Each message is one frame, of ``limit`` bytes at most."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def feed(self, message: bytes) -> Iterator[Piece]:
        """The message."""
        if message:
            yield _bounded(message, self._limit)

    def flush(self) -> Iterator[Piece]:
        """Nothing."""
        return iter(())


class Delimited:
    """Frames of ``limit`` bytes at most, each followed by ``delimiter``, which is one byte.

    With ``spans`` a frame may go on in the next message.
    """

    def __init__(self, limit: int, delimiter: bytes, *, spans: bool) -> None:
        self._limit = limit
        self._delimiter = delimiter
        self._spans = spans
        self._left = bytearray()
        self._skipping = False

    def feed(self, message: bytes) -> Iterator[Piece]:
        """The frames that end in this message."""
        start = 0
        while (end := message.find(self._delimiter, start)) >= 0:
            yield from self._ended(message[start:end])
            start = end + 1
        rest = message[start:]
        yield from self._keep(rest) if self._spans else self._ended(rest)

    def flush(self) -> Iterator[Piece]:
        """The beginning of a frame whose delimiter never came."""
        if self._left:
            yield Rejected(bytes(self._left[:KEPT]), _CUT)
        self._left, self._skipping = bytearray(), False

    def _ended(self, last: bytes) -> Iterator[Piece]:
        frame = bytes(self._left + last) if self._left else last
        self._left.clear()
        if self._delimiter == b"\n":
            frame = frame.removesuffix(b"\r")
        if frame and not self._skipping:
            yield _bounded(frame, self._limit)
        self._skipping = False

    def _keep(self, rest: bytes) -> Iterator[Piece]:
        """Keep the beginning of a frame, until it is sure to be too long."""
        if self._skipping:
            return
        self._left += rest
        if len(self._left) > self._limit + 1:  # the last byte may be the CR of CR LF
            yield _bounded(bytes(self._left), self._limit)
            self._left, self._skipping = bytearray(), True


class Counted:
    """Frames of ``limit`` bytes at most, each after its length, as ``prefix`` reads it."""

    def __init__(self, limit: int, prefix: Prefix) -> None:
        self._limit = limit
        self._prefix = prefix
        self._left = bytearray()

    def feed(self, message: bytes) -> Iterator[Piece]:
        """The frames that end in this message."""
        data, start = self._left, 0
        data += message
        try:
            while (found := self._prefix(data, start, self._limit)) is not None:
                begin, end = found
                if end > len(data):
                    break
                if end > begin:
                    yield bytes(data[begin:end])
                start = end
        except ValueError as error:
            yield Rejected(bytes(data[start : start + KEPT]), str(error))
            start = len(data)
        del data[:start]

    def flush(self) -> Iterator[Piece]:
        """The beginning of a frame that did not come whole."""
        if self._left:
            yield Rejected(bytes(self._left[:KEPT]), _CUT)
        self._left.clear()


Prefix: TypeAlias = Callable[[bytearray, int, int], tuple[int, int] | None]
"""Reads the length at a place: where the frame begins and ends, or None when it is not whole yet.

Raises ``ValueError`` for what is no length, or one over the limit.
"""


def length(data: bytearray, at: int, limit: int) -> tuple[int, int] | None:
    """A length of 32 bits, the highest byte first."""
    if len(data) - at < _PREFIX:
        return None
    size = int.from_bytes(data[at : at + _PREFIX])
    _check(size, limit)
    return at + _PREFIX, at + _PREFIX + size


def octets(data: bytearray, at: int, limit: int) -> tuple[int, int] | None:
    """A length in digits, without a zero in front, and a blank."""
    digits, blank, _ = data[at : at + _DIGITS + 1].partition(b" ")
    if not digits and not blank:
        return None
    if not digits.isdigit() or digits[:1] == b"0" or len(digits) > _DIGITS:
        raise ValueError("no length where octet counting has one")
    _check(int(digits), limit)
    if not blank:
        return None
    begin = at + len(digits) + 1
    return begin, begin + int(digits)


def framing(method: str, limit: int, delimiter: bytes, *, spans: bool) -> Framing:
    """A framing by its name, for one session; the delimiter is that of ``character``."""
    return _METHODS[method](limit, delimiter, spans)


_METHODS: dict[str, Callable[[int, bytes, bool], Framing]] = {
    "none": lambda limit, _delimiter, _spans: Whole(limit),
    "newline": lambda limit, _delimiter, spans: Delimited(limit, b"\n", spans=spans),
    "character": lambda limit, delimiter, spans: Delimited(limit, delimiter, spans=spans),
    "length": lambda limit, _delimiter, _spans: Counted(limit, length),
    "octet_counting": lambda limit, _delimiter, _spans: Counted(limit, octets),
}


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise ValueError(f"a length of {size}, over max_record_bytes ({limit})")


def _bounded(frame: bytes, limit: int) -> Piece:
    if len(frame) <= limit:
        return frame
    reason = f"longer than max_record_bytes ({limit}); only its beginning is kept"
    return Rejected(frame[: min(KEPT, limit)], reason)
