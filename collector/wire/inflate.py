"""permessage-deflate (RFC 7692) as a client that sends nothing compressed needs it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

OFFER = "permessage-deflate; client_max_window_bits"
_NAME = OFFER.partition(";")[0]
_PARAMETERS = {
    "server_no_context_takeover",
    "client_no_context_takeover",
    "server_max_window_bits",
    "client_max_window_bits",
}
_TAIL = b"\x00\x00\xff\xff"
"""What the sender cut off each message (RFC 7692, 7.2.1)."""

_STEP = 1024 * 1024
"""Bytes inflated between two looks at the limits."""

_MAX_RATIO = 200
_RATIO_FLOOR = 1024 * 1024
"""A little data may compress as well as it likes."""


class TooLarge(Exception):
    """A message inflates to more than it may."""


def agreed(extensions: Sequence[str], *, offered: bool) -> bool | None:
    """Whether a handshake's ``Sec-WebSocket-Extensions`` agree on compression.

    None: they hold something that was not offered.
    """
    if not extensions:
        return False
    name, *parameters = (part.strip() for part in ",".join(extensions).split(";"))
    names = [parameter.partition("=")[0].strip() for parameter in parameters]
    known = set(names) <= _PARAMETERS and len(set(names)) == len(names)
    return True if offered and name == _NAME and known else None


class Inflater:
    """Inflates the messages of one session, piece by piece, within bounds.

    One window of 32 KiB, the largest there is, serves whatever was agreed on: a
    sender with a smaller window, or one that forgets it after each message, makes
    data that a larger and older window inflates as well.
    """

    def __init__(self, limit: int) -> None:
        """``limit``: the most bytes that a message may become."""
        self._limit = limit
        self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        self._size = 0
        self._taken = self._made = 0

    def renew(self) -> None:
        """Judge the ratio of what comes from now on by itself: all before was taken away."""
        self._taken = self._made = 0

    def piece(self, data: bytes, *, last: bool) -> bytes:
        """What a frame of a message inflates to; ``last``: the message ends with it.

        Raises ``TooLarge``, and ``zlib.error`` for data that is not deflated.
        """
        self._taken += len(data)
        part = self._inflated(data + _TAIL if last else data)
        if rest := self._left():
            parts = [part]
            while rest:
                parts.append(self._inflated(rest))
                rest = self._left()
            part = b"".join(parts)
        if last:
            self._size = 0
        return part

    def _inflated(self, data: bytes) -> bytes:
        part = self._zlib.decompress(data, min(_STEP, self._limit - self._size + 1))
        self._size += len(part)
        self._made += len(part)
        if self._size > self._limit:
            raise TooLarge
        if self._made > _RATIO_FLOOR and self._made > self._taken * _MAX_RATIO:
            raise TooLarge
        return part

    def _left(self) -> bytes:
        """The input that was not used yet; after a final block a stream begins anew."""
        if not self._zlib.eof:
            return self._zlib.unconsumed_tail
        rest = self._zlib.unused_data
        self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        return rest
