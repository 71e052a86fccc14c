"""Digests of 16 bytes, and how they stand end to end."""

from __future__ import annotations

from collections.abc import Iterable

SIZE = 16
"""Bytes of a digest."""


def pack(found: Iterable[bytes]) -> bytes:
    """Digests as one blob."""
    return b"".join(found)


def unpack(blobs: Iterable[bytes]) -> set[bytes]:
    """The digests of stored blobs."""
    return {each for blob in blobs for each in cut(blob)}


def cut(packed: bytes) -> list[bytes]:
    """The digests that stand end to end."""
    return [packed[at : at + SIZE] for at in range(0, len(packed), SIZE)]
