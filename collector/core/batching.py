"""From events to batches of lines: metadata spliced on, sizes bounded."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable

import msgspec

from collector.core import times
from collector.core.model import NO_TIME, Batch, Event, Micros, Window
from collector.core.times import HOUR
from collector.core.wirejson import splice

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

    def row(self, time: Micros) -> int:
        """The ledger row of an event, in hours since 1970."""
        if self.counted_in is not None:
            return self.counted_in.start // HOUR
        return (self.observed if time == NO_TIME else time) // HOUR


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How large a batch may grow: records, and bytes (one record always fits)."""

    max_records: int = 1000
    max_bytes: int = 16 * 1024 * 1024


Records = Callable[[Event], list[bytes]]


def batches(
    origin: Origin,
    events: Iterable[Event],
    records: Records,
    limits: Limits,
    *,
    metadata: bool = True,
) -> list[Batch]:
    """The lines of these events, in order, in batches within the limits.

    The records of one event stay in one batch, so that an event is delivered
    whole or not at all.
    """
    done: list[Batch] = []
    lines: list[bytes] = []
    span = Span()
    size = 0
    envelope = _envelope(origin)
    for event in events:
        flat = _described(event, records(event), envelope, metadata=metadata)
        grown = size + sum(map(len, flat)) + len(flat)
        if lines and (len(lines) + len(flat) > limits.max_records or grown > limits.max_bytes):
            done.append(_batch(origin, lines, span))
            lines, span, grown = [], Span(), grown - size
        lines += flat
        size = grown
        span.add(event.time, origin.row(event.time), len(flat))
    if lines:
        done.append(_batch(origin, lines, span))
    return done


class Span:
    """The earliest and latest time of a batch's events, and the ledger rows of its lines."""

    def __init__(self) -> None:
        self.first: Micros = NO_TIME
        self.last: Micros = NO_TIME
        self.hours: list[tuple[int, int]] = []

    def add(self, time: Micros, row: int, lines: int) -> None:
        """Take in one event, which became so many lines."""
        if self.hours and self.hours[-1][0] == row:
            lines += self.hours.pop()[1]
        self.hours.append((row, lines))
        if time != NO_TIME:
            self.first = time if self.first == NO_TIME else min(self.first, time)
            self.last = max(self.last, time)


def _batch(origin: Origin, lines: list[bytes], span: Span) -> Batch:
    return Batch(
        source=origin.source,
        tag=origin.tag,
        lane="standard",
        mode=origin.mode,
        count=len(lines),
        body=b"\n".join(lines) + b"\n",
        first=span.first,
        last=span.last,
        outputs=origin.outputs,
        hours=tuple(span.hours),
    )


def _envelope(origin: Origin) -> bytes:
    """The metadata that all records of a commit share, as JSON text without its last brace."""
    shared = {
        "input": origin.input,
        "service": origin.service,
        "tag": origin.tag,
        "mode": origin.mode,
        "pulling_id": origin.pulling_id,
        "observed_time": times.isoformat(origin.observed),
    }
    return _text(shared)[:-1]


def _described(event: Event, flat: list[bytes], envelope: bytes, *, metadata: bool) -> list[bytes]:
    # A record repaired with loss always says so: its original travels nowhere else.
    if not metadata and event.original is None:
        return flat
    about = envelope + b',"event_id":' + _text(event.id)
    if event.time != NO_TIME:
        about += b',"event_time":"' + times.isoformat(event.time).encode() + b'"'
    if event.flags:
        about += b',"flags":' + _text(event.flags)
    if event.original is not None:
        about += b',"original_base64":"' + b64encode(event.original) + b'"'
    if len(flat) == 1:
        return [splice(flat[0], METADATA_KEY, about + b"}")]
    return [
        splice(record, METADATA_KEY, b'%b,"record_index":%d}' % (about, n))
        for n, record in enumerate(flat)
    ]
