"""How a batch is cut into posts, and what became of them.  Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from collector.core.model import SpooledBatch

Body: TypeAlias = Literal["ndjson", "json_array"]


class Part(NamedTuple):
    """Records ``start`` to ``end`` (exclusive) of a batch, in the form in which they are posted."""

    batch: SpooledBatch
    start: int
    lines: Sequence[bytes]

    @property
    def end(self) -> int:
        """The index after the last record."""
        return self.start + len(self.lines)

    @property
    def id(self) -> str:
        """The same for the same records at every try, after a restart too."""
        if len(self.lines) == self.batch.count:
            return self.batch.uid
        return f"{self.batch.uid}-{self.start}-{self.end}"

    def cut(self, length: int) -> list[Part]:
        """The first ``length`` records and the others; what would be empty is left out."""
        first = Part(self.batch, self.start, self.lines[:length])
        others = Part(self.batch, self.start + length, self.lines[length:])
        return [part for part in (first, others) if part.lines]

    def halves(self) -> list[Part]:
        """The first and the second half of two or more records."""
        return self.cut(len(self.lines) // 2)


class Refused(NamedTuple):
    """A record, by its position in the batch, that is refused for good: the status, and why."""

    position: int
    status: int
    reason: str


class Settled(NamedTuple):
    """A part of which everything was taken, but for the records that were ``refused``."""

    part: Part
    refused: Sequence[Refused] = ()


Outcome: TypeAlias = Settled | Sequence[Part]
"""What became of a part; or the smaller parts that can tell it."""


def parts(batch: SpooledBatch, lines: Sequence[bytes], max_bytes: int) -> Iterator[Part]:
    """The batch in parts of at most ``max_bytes``; a larger record goes alone.

    ``lines`` are its records in the form in which they are posted.
    """
    start = size = 0
    for index, line in enumerate(lines):
        if index > start and size + len(line) + 1 > max_bytes:
            yield Part(batch, start, lines[start:index])
            start, size = index, 0
        size += len(line) + 1
    yield Part(batch, start, lines[start:])


def joined(lines: Sequence[bytes], body: Body) -> bytes:
    """The records as one request body; an array is one byte longer than its lines."""
    if body == "json_array":
        return b"[" + b",".join(lines) + b"]"
    return b"\n".join(lines) + b"\n"
