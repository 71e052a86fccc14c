"""What a record on its way out says of itself: its id, its time, its names.  Pure functions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Set as AbstractSet

import msgspec

from collector.core import times
from collector.core.batching import METADATA_KEY
from collector.core.model import NO_TIME, Frozen, Micros, SpooledBatch
from collector.core.wirejson import MALFORMED, splice

_KEY: str = msgspec.json.decode(METADATA_KEY)
_NAME = re.compile(r"\{(input|service|SERVICE|tag)\}")
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text = msgspec.json.encode


class _Metadata(msgspec.Struct):
    event_id: str | None = None
    record_index: int = 0
    event_time: str | None = None
    observed_time: str | None = None


_metadata = msgspec.json.Decoder(_Metadata).decode


class Described(Frozen, frozen=True):
    """A record by its own account; what ``metadata: false`` left out is None.

    ``names`` are its top-level keys, None when it is no JSON object.
    """

    names: AbstractSet[str] | None = None
    event_id: str | None = None
    record_index: int = 0
    time: Micros | None = None


def described(line: bytes) -> Described:
    """Read the record's keys, and what the collector wrote under ``@collector``."""
    try:
        fields = _fields(line)
        about = _metadata(fields[_KEY]) if _KEY in fields else _Metadata()
    except MALFORMED:
        return Described()
    return Described(
        names=fields.keys(),
        event_id=about.event_id,
        record_index=about.record_index,
        time=_instant(about.event_time or about.observed_time),
    )


_EVENT_TIME = b'"event_time":"'
_OWN_END = 512
"""Bytes at the end of a record in which our own metadata stands, unless it is very long."""


def event_time(line: bytes) -> Micros | None:
    """The record's event time as the collector wrote it; far cheaper than ``described``."""
    at = line.rfind(_EVENT_TIME, max(len(line) - _OWN_END, 0)) + len(_EVENT_TIME)
    if at < len(_EVENT_TIME):
        return None
    return _instant(line[at : line.find(b'"', at)].decode(errors="replace"))


def time_of(record: Described, batch: SpooledBatch, now: Micros) -> Micros:
    """The record's event time, else when it was read, else its batch's first, else ``now``."""
    if record.time is not None:
        return record.time
    return now if batch.first == NO_TIME else batch.first


def identity(record: Described, batch: SpooledBatch, position: int) -> str:
    """A name for the record that is the same at every try: 64 hexadecimal digits.

    The source's own event id gives the same name even when the record is collected anew.
    Without it the name is the record's place in its batch: a digest of the content would
    make one of two equal records, and lose the other.
    """
    words = ["batch", batch.uid, str(position)]
    if record.event_id is not None:
        words = ["event", batch.source, record.event_id, str(record.record_index)]
    return hashlib.sha256(_text(words)).hexdigest()


def timed(line: bytes, record: Described, name: str | None, time: Micros) -> bytes:
    """The record with one more key that holds a time, unless it has it, or is no object."""
    if name is None or record.names is None or name in record.names:
        return line
    return splice(line, _text(name), _text(times.isoformat(time)))


def named(pattern: str, batch: SpooledBatch) -> str:
    """The pattern with ``{input}``, ``{service}``, ``{SERVICE}`` and ``{tag}`` filled in."""
    source, _, service = batch.source.rpartition("#")
    names = {
        "input": source or service,
        "service": service,
        "SERVICE": service.upper(),
        "tag": batch.tag,
    }
    return _NAME.sub(lambda name: names[name[1]], pattern)


def dated(pattern: str, time: Micros) -> str:
    """The pattern with ``%Y``, ``%m``, ``%d`` and ``%H`` of the time in UTC."""
    return times.to_datetime(time).strftime(pattern)


def _instant(text: str | None) -> Micros | None:
    """The instant that a text spells; None for anything else."""
    try:
        return None if text is None else times.parse(text)
    except ValueError:
        return None
