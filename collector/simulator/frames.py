"""WebSocket frames as bytes (RFC 6455, RFC 7692); no I/O.

Written here and not taken from a library, because the vendor does what servers'
libraries refuse: text frames that are not UTF-8, empty and fragmented ones, and
a handshake with a key of any length (docs/vendor-notes.md, PoD 1 and 4).
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from typing import Final

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NORMAL: Final = 1000
"""The close code of an orderly end."""

FINAL: Final = 0x80
COMPRESSED: Final = 0x40

DEFLATE: Final = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

MAX_CLIENT_FRAME: Final = 1024 * 1024
"""A client of this endpoint sends control frames only; a larger frame ends the session."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: str) -> str:
    """The ``Sec-WebSocket-Accept`` for a client's key, whatever its length."""
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def offers_deflate(extensions: str) -> bool:
    """Whether the client offers permessage-deflate in a form we take."""
    offers = [offer.strip() for offer in extensions.split(",")]
    return any(
        offer.partition(";")[0].strip() == "permessage-deflate"
        # We keep our window at its full size; an offer that asks for less is declined.
        and "server_max_window_bits" not in offer
        for offer in offers
    )


def frame(payload: bytes, opcode: int, flags: int = FINAL) -> bytes:
    """One unmasked frame, as a server sends it."""
    size = len(payload)
    first = flags | opcode
    if size < 126:
        return struct.pack("!BB", first, size) + payload
    if size < 0x10000:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def message(payload: bytes, opcode: int, *, deflate: bool, pieces: int = 1) -> bytes:
    """One message in one or several frames."""
    flags = 0
    if deflate:
        payload, flags = _deflated(payload), COMPRESSED
    if pieces == 1:
        return frame(payload, opcode, FINAL | flags)
    size = len(payload) // pieces + 1
    cuts = [payload[start : start + size] for start in range(0, len(payload), size)]
    cuts = cuts if len(cuts) > 1 else [*cuts, b""]
    middle = [frame(cut, CONTINUATION, 0) for cut in cuts[1:-1]]
    return b"".join((frame(cuts[0], opcode, flags), *middle, frame(cuts[-1], CONTINUATION, FINAL)))


def close_frame(code: int) -> bytes:
    """A close frame with a code and no reason."""
    return frame(struct.pack("!H", code), CLOSE)


def close_code(payload: bytes) -> int:
    """The code of a close frame; 1005 stands for none (RFC 6455, 7.1.5)."""
    return int.from_bytes(payload[:2], "big") if len(payload) > 1 else 1005


def _deflated(payload: bytes) -> bytes:
    compressor = zlib.compressobj(zlib.Z_BEST_SPEED, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(b"\x00\x00\xff\xff")


class FrameReader:
    """Cuts what a client sends into frames."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self._received = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take bytes; the whole frames in them as (opcode, unmasked payload).

        Raises ``ValueError`` for a frame that is too large.
        """
        self._received += data
        frames: list[tuple[int, bytes]] = []
        while (found := self._next()) is not None:
            frames.append(found)
        return frames

    def _next(self) -> tuple[int, bytes] | None:
        head = self._received
        if len(head) < 2:
            return None
        size, start = head[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(head[2:start], "big") if len(head) >= start else 0
        mask = start
        start += 4 if head[1] & FINAL else 0
        if size > MAX_CLIENT_FRAME:
            raise ValueError("the client sent a frame that is too large")
        if len(head) < start + size:
            return None
        payload = _unmasked(bytes(head[start : start + size]), bytes(head[mask:start]))
        opcode = head[0] & 0x0F
        del head[: start + size]
        return opcode, payload


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    if not mask:
        return payload
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
