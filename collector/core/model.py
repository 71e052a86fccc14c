"""The values that travel through the collector.

A *request* is answered by a *response*, which a source reads into a *page* of
*events*; events become records, records a *batch*, and a *commit* makes batches,
known ids, checkpoint and ledger durable together.  A *spooled batch* is what a
sender takes from the spool.

All values are frozen.  Instants are whole microseconds since 1970-01-01 UTC
(``Micros``); ``NO_TIME`` stands for an event whose time could not be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

Micros: TypeAlias = int
NO_TIME: Micros = -1

LANES = ("standard", "internal")


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the values here: keyword-only and immutable."""


class Window(msgspec.Struct, frozen=True, order=True):
    """A half-open span of event time: ``start <= time < end``."""

    start: Micros
    end: Micros

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a window ends after it starts: {self.start} {self.end}")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask of the vendor.

    ``url`` has no query; ``params`` are encoded by the wire.  ``json`` is sent as a
    JSON body, ``body`` as it is.
    """

    method: str
    url: str
    params: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    json: Any = None
    body: bytes | None = None


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, with the request it answers, so that paging needs no other memory.

    A stream's answer comes in several, each with the ``messages`` received since.
    """

    request: Request
    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    messages: Sequence[bytes] = ()


class Event(msgspec.Struct, frozen=True, gc=False):
    """One vendor record: its key, its time and the bytes that came.

    ``flags`` names what was odd about it (see ``core.wirejson``); ``original``
    holds the untouched bytes when ``raw`` had to be repaired with loss.
    """

    id: str
    time: Micros
    raw: bytes
    flags: tuple[str, ...] = ()
    original: bytes | None = None


class Rejected(msgspec.Struct, frozen=True):
    """Bytes that hold no record, and why; they are kept aside, never dropped."""

    raw: bytes
    reason: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer held.

    ``next`` is the request for the following page, or None on the last one;
    ``cursor`` is a position that may be kept and asked from later.
    """

    events: list[Event]
    rejected: list[Rejected] = []
    next: Request | None = None
    cursor: str | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Records to deliver, one JSON object a line (each line ends with LF).

    ``first`` and ``last`` are the earliest and latest event time in it; ``hours``
    says in which ledger row its lines count: runs of (hours since 1970, lines).
    """

    source: str
    tag: str
    lane: str
    mode: str
    count: int
    body: bytes
    first: Micros
    last: Micros
    outputs: tuple[str, ...]
    hours: tuple[tuple[int, int], ...] = ()


class SpooledBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as a sender sees it.

    ``id`` grows in commit order; ``uid`` is the same at every try and unique
    across restarts and stores: a destination may use it to drop repeats.
    """

    id: int
    uid: str
    source: str
    tag: str
    lane: str
    mode: str
    count: int
    body: bytes
    first: Micros
    last: Micros

    def lines(self) -> list[bytes]:
        """The records, without their line ends."""
        return self.body[:-1].split(b"\n")

    def spans(self) -> Iterator[tuple[int, int]]:
        """Where in ``body`` each record begins and ends, without its line end.

        For those who need no copy of each record: it costs 0.6 us less than ``lines``.
        """
        find, start = self.body.find, 0
        for _ in range(self.count):
            end = find(b"\n", start)
            yield start, end
            start = end + 1


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A record that a destination will never take, and why."""

    batch: int
    index: int
    raw: bytes
    reason: str


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the events of one ledger row; see ``core.ledger``."""

    received: int = 0
    spooled: int = 0
    duplicate: int = 0
    filtered: int = 0
    dead_lettered: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            received=self.received + other.received,
            spooled=self.spooled + other.spooled,
            duplicate=self.duplicate + other.duplicate,
            filtered=self.filtered + other.filtered,
            dead_lettered=self.dead_lettered + other.dead_lettered,
        )

    def balanced(self) -> bool:
        """Whether every received event is accounted for, exactly."""
        return self.received == (self.spooled + self.duplicate + self.filtered + self.dead_lettered)


class Clock(Protocol):
    """The time, as an argument.

    A test clock moves by hand; the demo's clock runs faster than the wall.
    """

    def now(self) -> Micros:
        """The wall time, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards, for durations."""
        ...

    def sleep(self, seconds: float) -> bool:
        """Wait, or less when the program stops; True when it is stopping."""
        ...

    def stopping(self) -> bool:
        """Whether the program was asked to stop."""
        ...

    def real(self, seconds: float) -> float:
        """How many real seconds these clock seconds last (socket time-outs need real ones)."""
        ...
