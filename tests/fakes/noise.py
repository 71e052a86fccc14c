"""Bytes and text that no compression shrinks much, for tests in which size on the disk counts."""

from __future__ import annotations

import random
import string

_SEED = 20260101
_LETTERS = string.ascii_letters + string.digits


def noise(size: int) -> bytes:
    """So many bytes, which do not shrink at all; the same ones each time."""
    return random.Random(_SEED).randbytes(size)


def noisy_text(size: int) -> str:
    """So many letters, which shrink to three quarters; the same ones each time."""
    return "".join(random.Random(_SEED).choices(_LETTERS, k=size))
