"""From events to batches of lines: metadata spliced on, sizes bounded."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

from collector.core.model import NO_TIME, Batch, Event, Micros, Window
from collector.core.times import HOUR, isobytes, isoformat
from collector.core.wirejson import with_key

_text = msgspec.json.encode
METADATA_KEY = b'"@collector"'


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What the records of one commit have in common."""

    input: str
    service: str
    source: str
    tag: str
    mode: str
    pulling_id: str
    observed: Micros
    outputs: tuple[str, ...]
    counted_in: Window | None = None
    about: Mapping[str, Any] = {}

    def row(self, time: Micros) -> int:
        """The ledger row of an event, in hours since 1970."""
        if self.counted_in is not None:
            return self.counted_in.start // HOUR
        return (self.observed if time == NO_TIME else time) // HOUR


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How large a batch may grow: records, and bytes (one record always fits)."""

    max_records: int = 1000
    max_bytes: int = 16 * 1024 * 1024


Piece: TypeAlias = bytes | memoryview


def batches(
    origin: Origin,
    events: Iterable[tuple[Event, list[bytes]]],
    limits: Limits,
    *,
    metadata: bool = True,
) -> list[Batch]:
    """The lines of these events, each with its records, in order, in batches within the limits.

    The records of one event stay in one batch, so that an event is delivered
    whole or not at all.
    """
    done: list[Batch] = []
    part = _Part()
    write = _writer(origin, metadata=metadata)
    max_records, max_bytes = limits.max_records, limits.max_bytes
    for event, flat in events:
        pieces = write(event, flat)
        count, size = len(flat), sum(map(len, pieces))
        if part.lines and (part.lines + count > max_records or part.size + size > max_bytes):
            done.append(_batch(origin, part))
            part = _Part()
        part.pieces += pieces
        part.size += size
        part.lines += count
        part.times.append(event.time)
        part.counts.append(count)
    if part.lines:
        done.append(_batch(origin, part))
    return done


class _Part:
    """A batch while it grows: its text in pieces, and of each event its time and lines.

    A line is never put together by itself: that would copy each record once more,
    into memory that is fetched from the system and given back for every batch.
    """

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.size = 0
        self.lines = 0
        self.times: list[Micros] = []
        self.counts: list[int] = []

    def hours(self, row: Callable[[Micros], int]) -> tuple[tuple[int, int], ...]:
        """The ledger rows of the lines: runs of (row, lines)."""
        if row(min(self.times)) == row(max(self.times)) and NO_TIME not in self.times:
            return ((row(self.times[0]), self.lines),)
        rows = zip(map(row, self.times), self.counts, strict=True)
        runs = groupby(rows, key=itemgetter(0))
        return tuple((hour, sum(lines for _row, lines in run)) for hour, run in runs)


def _batch(origin: Origin, part: _Part) -> Batch:
    times = [time for time in part.times if time != NO_TIME]
    return Batch(
        source=origin.source,
        tag=origin.tag,
        lane="standard",
        mode=origin.mode,
        count=part.lines,
        body=b"".join(part.pieces),
        first=min(times, default=NO_TIME),
        last=max(times, default=NO_TIME),
        outputs=origin.outputs,
        hours=part.hours(origin.row),
    )


def _envelope(origin: Origin) -> bytes:
    """The metadata that all records of a commit share, as JSON text without its last brace."""
    shared = {
        "input": origin.input,
        "service": origin.service,
        "tag": origin.tag,
        "mode": origin.mode,
        "pulling_id": origin.pulling_id,
        "observed_time": isoformat(origin.observed),
        **origin.about,
    }
    return _text(shared)[:-1]


def _writer(origin: Origin, *, metadata: bool) -> Callable[[Event, list[bytes]], Sequence[Piece]]:
    """What writes an event's records as lines, each with what is known about it as its last key."""
    shared = b"," + METADATA_KEY + b":" + _envelope(origin) + b',"event_id":'

    def written(event: Event, flat: list[bytes]) -> Sequence[Piece]:
        # A record repaired with loss always says so: its original travels nowhere else.  And
        # where senders believe what stands under our key, it must be ours that stands there.
        if not metadata and event.original is None and not any(METADATA_KEY in raw for raw in flat):
            return [piece for record in flat for piece in (record, b"\n")]
        if event.time == NO_TIME:
            about = shared + _text(event.id)
        else:
            about = b'%b%b,"event_time":"%b"' % (shared, _text(event.id), isobytes(event.time))
        if event.flags or event.original is not None:
            about += _oddities(event)
        if len(flat) == 1:
            return with_key(flat[0], about + b"}}\n")
        return [
            piece
            for n, record in enumerate(flat)
            for piece in with_key(record, about + b',"record_index":%d}}\n' % n)
        ]

    return written


def _oddities(event: Event) -> bytes:
    """What was repaired, as further members of a JSON object."""
    told = b',"flags":' + _text(event.flags) if event.flags else b""
    if event.original is not None:
        told += b',"original_base64":"' + b64encode(event.original) + b'"'
    return told
