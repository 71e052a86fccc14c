"""A record as a codec gives it: between the bytes of a frame and an event."""

from __future__ import annotations

from typing import Any

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record of a frame.

    ``raw`` is a JSON object, valid UTF-8 on one line; ``fields`` is the same decoded.
    ``flags`` and ``original`` are those of ``core.model.Event``; ``source`` is what the
    codec makes the record of, where that is more than ``raw``.
    """

    raw: bytes
    fields: dict[str, Any]
    flags: tuple[str, ...] = ()
    original: bytes | None = None
    source: bytes | None = None
