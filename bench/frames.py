"""WebSocket frames (RFC 6455), built once and sent again and again with new ids."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator, Sequence

CLOSE_1000 = b"\x88\x02\x03\xe8"
"""A close frame of an orderly end."""

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_GUID = b'"guid":"'
_TS = b'"ts":"'
_LAP = 8
_HOUR = len("1970-01-01T00")
_PIECE = 1 << 20


def accepted(key: str) -> str:
    """The ``Sec-WebSocket-Accept`` that answers a client's key."""
    return base64.b64encode(hashlib.sha1(key.encode() + _MAGIC).digest()).decode()  # noqa: S324


def text_frame(payload: bytes) -> bytes:
    """One unmasked text message of at most 65,535 bytes."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + payload
    return struct.pack("!BBH", 0x81, 126, size) + payload


class Ring:
    """Frames of PoD messages, one after the other in one buffer."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self._ends: list[int] = []
        self._guids: list[int] = []
        self._times: list[int] = []
        frames = [text_frame(message) for message in messages]
        end = 0
        for frame in frames:
            self._guids.append(end + frame.index(_GUID) + len(_GUID))
            self._times.append(end + frame.index(_TS) + len(_TS))
            end += len(frame)
            self._ends.append(end)
        self._frames = b"".join(frames)

    def pieces(self, records: int, hour: str) -> Iterator[memoryview]:
        """The frames of so many records with distinct ids, in pieces ready to send.

        ``hour`` is the UTC hour in which their times lie, ``YYYY-MM-DDTHH``.  A piece
        is only good until the next one is asked for.
        """
        if not records:
            return  # quiet sessions are many, and the frames large
        buffer = bytearray(self._frames)
        for at in self._times:
            buffer[at : at + _HOUR] = hour.encode()
        for lap, start in enumerate(range(0, records, len(self._ends))):
            name = b"%08x" % lap
            for at in self._guids:
                buffer[at : at + _LAP] = name
            end = self._ends[min(records - start, len(self._ends)) - 1]
            for at in range(0, end, _PIECE):
                yield memoryview(buffer)[at : min(at + _PIECE, end)]
