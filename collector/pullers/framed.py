"""A session whose messages are cut into frames, each with when and where it came.

A frame travels as an *arrival*, in bytes, as the messages of other services do; so
that reading it later needs neither a clock nor a memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from types import TracebackType
from typing import Protocol, Self

import msgspec

from collector.core.model import Clock, Micros, Rejected
from collector.pullers.stream import Session


class Framing(Protocol):
    """Cuts the messages of one session into frames (``codecs.framing``)."""

    def feed(self, message: bytes) -> Iterator[bytes | Rejected]:
        """The frames that are whole now."""
        ...

    def flush(self) -> Iterator[bytes | Rejected]:
        """What is left unfinished when the session has ended."""
        ...


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """A frame, when it came, in which session, and as which of it.

    ``fault``: why it is none; ``frame`` is then what came instead.
    """

    frame: bytes
    observed: Micros
    session: str
    number: int
    fault: str | None = None


_pack = msgspec.msgpack.encode
unpack = msgspec.msgpack.Decoder(Arrival).decode
"""The arrival that a session gave as bytes."""


class FramedSession:
    """An open session whose messages are cut into frames; gives at most ``at_once`` a read.

    A message may hold millions of frames: what has not been given yet keeps the session
    lasting, and counts as not heard.
    """

    def __init__(
        self, inner: Session, framing: Framing, clock: Clock, name: str, at_once: int
    ) -> None:
        self._inner = inner
        self._framing = framing
        self._clock = clock
        self._name = name
        self._at_once = at_once
        self._number = 0
        self._waiting: Iterator[bytes] | None = None
        self._waiting_since = 0.0

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._inner.__exit__(kind, error, traceback)

    @property
    def lasts(self) -> bool:
        """Whether it is still open, or something of it has not been given yet."""
        return self._waiting is not None or self._inner.lasts

    @property
    def clean(self) -> bool:
        """Whether it ended in order."""
        return self._inner.clean

    @property
    def ended(self) -> str:
        """How it ended, for a log line."""
        return self._inner.ended

    @property
    def silent_for(self) -> float:
        """Seconds since anything was heard of which all frames have been given."""
        if self._waiting is None:
            return self._inner.silent_for
        return max(self._inner.silent_for, self._clock.monotonic() - self._waiting_since)

    def read(self) -> Sequence[bytes]:
        """The next frames, as arrivals; may be none."""
        if self._waiting is None:
            self._waiting_since = self._clock.monotonic()
            self._waiting = self._arrivals(self._inner.read())
        given = list(islice(self._waiting, self._at_once))
        if len(given) < self._at_once:
            self._waiting = None
        return given

    def finish(self) -> Sequence[bytes]:
        """Close in order; all that has not been given yet."""
        waiting: Iterable[bytes] = self._waiting or ()
        given = [*waiting, *self._arrivals(self._inner.finish())]
        self._waiting = None
        return given

    def _arrivals(self, messages: Iterable[bytes]) -> Iterator[bytes]:
        pieces = (piece for message in messages for piece in self._framing.feed(message))
        return (self._arrival(piece) for piece in chain(pieces, self._rest()))

    def _rest(self) -> Iterator[bytes | Rejected]:
        """What is left unfinished, once the session has ended."""
        if not self._inner.lasts:
            yield from self._framing.flush()

    def _arrival(self, piece: bytes | Rejected) -> bytes:
        self._number += 1
        now = self._clock.now()
        if isinstance(piece, Rejected):
            return _pack(Arrival(piece.raw, now, self._name, self._number, piece.reason))
        return _pack(Arrival(piece, now, self._name, self._number))
