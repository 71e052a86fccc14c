"""Who tells the health board of a source: its job, and the journal of its puller."""

from __future__ import annotations

from typing import Protocol

from collector.app.health import Board
from collector.core.health import Fault, Kind, Signal
from collector.core.model import Clock
from collector.errors import (
    AuthenticationError,
    CollectorError,
    ConfigError,
    SessionEnded,
    SessionTaken,
    TokenRejected,
    UnreadableAnswer,
    VendorRefused,
    VendorUnavailable,
)
from collector.pullers.journal import Unwatched, Watch

DEFECT = 1
"""The number of the fault that a source met a defect of ours."""
GIVEN_UP = 310
"""The number of the fault that a source is no longer tried."""

_USER = (ConfigError, AuthenticationError, TokenRejected, VendorRefused, SessionTaken)
_VENDOR = (VendorUnavailable, UnreadableAnswer, SessionEnded)
_DEFECT = Fault(
    kind=Kind.FIRST_PARTY_GENERIC,
    number=DEFECT,
    cause="a defect of the collector",
    remedy="please report the log",
)


def fault_of(error: CollectorError | None) -> Fault:
    """An error as a fault, by the tree of ``collector.errors``; None is a defect of ours."""
    if error is None:
        return _DEFECT
    kind = Kind.FIRST_PARTY_GENERIC
    if isinstance(error, _USER):
        kind = Kind.THIRD_PARTY_CONFIG
    elif isinstance(error, _VENDOR):
        kind = Kind.THIRD_PARTY_GENERIC
    return Fault(kind=kind, number=error.number, cause=error.cause, remedy=error.remedy)


class JobWatch(Watch, Protocol):
    """What a job tells of its service, besides what the journal tells of its puller."""

    @property
    def given_up(self) -> bool:
        """Whether the source is no longer to be tried."""
        ...

    def started(self) -> None:
        """The job was made."""
        ...

    def prepared(self) -> None:
        """The job runs."""
        ...

    def granted(self) -> None:
        """The vendor took the credentials."""
        ...

    def failed(self, error: CollectorError | None) -> None:
        """A run met an error; None is a defect of ours."""
        ...

    def give_up(self) -> None:
        """The source is left alone from now on."""
        ...

    def revived(self) -> None:
        """What was given up is tried anew."""
        ...


class Unheard(Unwatched):
    """The watch of a job whose health nobody asks about; it is never given up."""

    given_up = False

    def started(self) -> None:
        """Nobody hears it."""

    def prepared(self) -> None:
        """Nobody hears it."""

    def granted(self) -> None:
        """Nobody hears it."""

    def failed(self, error: CollectorError | None) -> None:
        """Nobody hears it."""

    def give_up(self) -> None:
        """Nobody hears it."""

    def revived(self) -> None:
        """Nobody hears it."""


UNHEARD = Unheard()


class Endurance:
    """How long a source may fail without any progress of any of its parts.

    ``seconds`` None: for ever.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self.failing_since: float | None = None


class SourceWatch:
    """One part of a source, as its job and its journal see it (``JobWatch``)."""

    def __init__(
        self, board: Board, source: str, part: str, clock: Clock, endurance: Endurance
    ) -> None:
        board.begin(source)
        self._board = board
        self._source = source
        self._part = part
        self._clock = clock
        self._endurance = endurance

    @property
    def given_up(self) -> bool:
        """Whether it has failed for longer than the patience lasts."""
        longest, since = self._endurance.seconds, self._endurance.failing_since
        if longest is None or since is None:
            return False
        return self._clock.monotonic() - since >= longest

    def started(self) -> None:
        """The job was made."""
        self._board.signal(self._source, Signal.STARTED)

    def give_up(self) -> None:
        """The source is left alone from now on."""
        minutes = (self._endurance.seconds or 0.0) / 60
        fault = Fault(
            kind=Kind.FIRST_PARTY_GENERIC,
            number=GIVEN_UP,
            cause=f"given up after {minutes:g} minutes without success; it is tried no more",
            remedy="mend what the other events name, then restart the collector or replace the "
            "credentials; globals.give_up_after_in_minutes says how long to try",
        )
        self._board.failed(self._source, self._part, fault)

    def revived(self) -> None:
        """What was given up is tried anew."""
        self._endurance.failing_since = None

    def prepared(self) -> None:
        """The job runs."""
        self._board.signal(self._source, Signal.PREPARED)

    def granted(self) -> None:
        """The vendor took the credentials."""
        self._board.signal(self._source, Signal.GRANTED)

    def progressed(self) -> None:
        """The vendor answers."""
        self._endurance.failing_since = None
        self._board.progressed(self._source, self._part)

    def troubled(self, error: CollectorError) -> None:
        """A call or a span is tried again; raises ``error`` when the source is given up."""
        if self.given_up:
            raise error
        self.failed(error)

    def failed(self, error: CollectorError | None) -> None:
        """The part met an error; None is a defect of ours."""
        if self._endurance.failing_since is None:
            self._endurance.failing_since = self._clock.monotonic()
        self._board.failed(self._source, self._part, fault_of(error))
