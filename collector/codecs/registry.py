"""The codecs by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import TypeAlias

from collector.codecs.gelf import gelf
from collector.codecs.native import native_json
from collector.codecs.objects import json_object, json_objects
from collector.codecs.raw import raw, remade
from collector.codecs.syslog import syslog
from collector.core.decoded import Record
from collector.core.model import Rejected

Codec: TypeAlias = Callable[[bytes], Sequence[Record | Rejected]]

CODECS: MappingProxyType[str, Callable[[int], Codec]] = MappingProxyType(
    {
        "raw": lambda _limit: raw,
        "json": lambda _limit: json_objects,
        "native_json": lambda _limit: native_json,
        "gelf": gelf,
        "syslog": lambda _limit: syslog,
    }
)
"""By name, what makes a codec that inflates no frame beyond so many bytes."""

_OF_ANY_TEXT = frozenset({"raw", "syslog"})
"""Codecs that take any text for a message, and never keep a whole JSON object aside."""


def again(name: str, limit: int) -> Codec:
    """The codec for what was kept aside unread: a frame, or what the codec refused of one."""
    return made(name, limit) if name in _OF_ANY_TEXT else CODECS[name](limit)


def made(name: str, limit: int) -> Codec:
    """The codec for the bytes of a record that the codec had made.

    They are that record, but for one that was repaired with loss: of that the bytes
    were kept from which the codec makes it.
    """
    if name == "json":
        return lambda kept: [json_object(kept)]  # an array may be an element of another
    codec = CODECS[name](limit)

    def read(kept: bytes) -> Sequence[Record | Rejected]:
        whole = json_object(kept) if kept.startswith(b"{") else None
        if not isinstance(whole, Record) or whole.flags:
            return codec(kept)
        return [remade(whole) if name in _OF_ANY_TEXT else whole]

    return read
