"""Which record lies in which object, and what the object is called.  Pure functions.

An object holds the records of one tag and one hour (or day) of event time that came
with one flush.  It is named after the first batch that has a record in it, so that a
resend, however it groups the batches, overwrites what an earlier try left behind:
``docs/decisions/0015-objects-in-s3.md`` has the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from collector.core.model import NO_TIME, Frozen, Micros, SpooledBatch
from collector.core.times import HOUR
from collector.senders.compression import SUFFIXES, Compression, compressed
from collector.senders.records import dated, described, identity, time_of

Partition: TypeAlias = Literal["hour", "day"]

_PATTERNS: dict[Partition, str] = {"hour": "dt=%Y-%m-%d/hour=%H", "day": "dt=%Y-%m-%d"}
# The name that Hive, Athena and Spark give to "no value".
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_NDJSON_TYPES: dict[Compression, str] = {
    "none": "application/x-ndjson",
    "gzip": "application/gzip",
    "zstd": "application/zstd",
}


class Row(NamedTuple):
    """One record and what is known of it; ``time`` is None where neither it nor its batch says.

    ``id`` is the same at every try; ``position`` counts from 0 within the batch.
    """

    line: bytes
    id: str
    event_id: str | None
    time: Micros | None
    tag: str
    source: str
    mode: str
    batch: str
    position: int


class Form(Frozen, frozen=True):
    """A format of objects: how they are named, and how rows become bytes.

    ``encode`` gives the same bytes for the same rows; ``refuses`` is the reason why a
    record has no place in this format, or None.
    """

    suffix: str
    content_type: str
    encode: Callable[[Sequence[Row]], bytes]
    refuses: Callable[[bytes], str | None] = lambda _: None


def ndjson(compression: Compression) -> Form:
    """The records as they came, one a line."""
    return Form(
        suffix=f".ndjson{SUFFIXES[compression]}",
        content_type=_NDJSON_TYPES[compression],
        encode=lambda rows: compressed(b"".join(row.line + b"\n" for row in rows), compression),
    )


def rows(batch: SpooledBatch) -> Iterator[Row]:
    """The records of a batch, in order."""
    for position, line in enumerate(batch.lines()):
        record = described(line)
        time = time_of(record, batch, NO_TIME)
        yield Row(
            line=line,
            id=identity(record, batch, position),
            event_id=record.event_id,
            time=None if time == NO_TIME else time,
            tag=batch.tag,
            source=batch.source,
            mode=batch.mode,
            batch=batch.uid,
            position=position,
        )


class Objects:
    """The objects of the next flush, as they grow.

    ``prefix`` is what all names begin with, without a slash at its end; may be empty.
    """

    def __init__(self, prefix: str, partition: Partition, suffix: str) -> None:
        self._prefix = f"{prefix}/" if prefix else ""
        self._partition = partition
        self._suffix = suffix
        self._rows: dict[tuple[str, int | None], list[Row]] = {}

    def add(self, row: Row) -> None:
        """Put a record where it belongs."""
        hour = None if row.time is None else row.time // HOUR
        if hour is not None and self._partition == "day":
            hour -= hour % 24
        self._rows.setdefault((row.tag, hour), []).append(row)

    def clear(self) -> None:
        """Begin anew."""
        self._rows.clear()

    def __iter__(self) -> Iterator[tuple[str, Sequence[Row]]]:
        """Each object's name and rows, in the order of their first records."""
        for (tag, hour), held in self._rows.items():
            folder = f"{self._prefix}{tag}/{self._folder(hour)}"
            yield f"{folder}/{held[0].batch}{self._suffix}", held

    def _folder(self, hour: int | None) -> str:
        """The part of the name that says when; ``hour`` counts from 1970."""
        if hour is not None:
            return dated(_PATTERNS[self._partition], hour * HOUR)
        names = [part.partition("=")[0] for part in _PATTERNS[self._partition].split("/")]
        return "/".join(f"{name}={_NO_VALUE}" for name in names)
