"""What a pull does about an hour that cannot be read: put it off, and go on without it.

An hour that breaks off every session, or that the vendor refuses, must not cost the
hours after it: those may be gone before it can ever be read.  What concerns the whole
service ends the pull at once.
"""

from __future__ import annotations

import msgspec

from collector.core import ledger, times
from collector.core.checkpoint import Checkpoint
from collector.core.model import Clock, Window
from collector.core.put_off import after_failure
from collector.errors import (
    CollectorError,
    HoursPutOff,
    SessionEnded,
    UnreadableAnswer,
    VendorRefused,
)
from collector.pullers.intake import Intake

Unread = VendorRefused | UnreadableAnswer | SessionEnded
"""What may be wrong with one hour alone."""

_ADDRESS = frozenset({404, 405})
"""Refusals of the URL, whatever hour is asked for."""
_BROKEN_IN_A_ROW = 3
"""Hours that break off one after the other, after which it is the vendor that is broken."""
_REFUSED_IN_A_ROW = 48
"""The same of refusals, which cost one handshake each: a vendor that keeps less than we
believe refuses every old hour, and those that it still has come after them."""


class Detour:
    """One pull's way around the hours that it cannot read."""

    def __init__(self, intake: Intake, clock: Clock) -> None:
        self._intake = intake
        self._clock = clock
        self._in_a_row = 0

    def around(self, hour: Window, error: Unread) -> None:
        """Put the hour off; raises ``error`` when it is not the hour alone that fails."""
        refused = isinstance(error, VendorRefused)
        if refused and error.number in _ADDRESS:
            raise error
        self._put_off(hour, error)
        self._in_a_row += 1
        if self._in_a_row >= (_REFUSED_IN_A_ROW if refused else _BROKEN_IN_A_ROW):
            raise error

    def passed(self) -> None:
        """A span was read: the vendor is well."""
        self._in_a_row = 0

    def _put_off(self, hour: Window, error: CollectorError) -> None:
        now = self._clock.now()
        known = self._intake.account(hour).state in ledger.DONE  # and is only looked at again

        def move(checkpoint: Checkpoint) -> Checkpoint:
            later = after_failure(checkpoint.put_off, hour, now)
            return msgspec.structs.replace(checkpoint, put_off=later)

        self._intake.advance(move, [] if known else [ledger.broken_off(hour, error.cause)])


def left_over(hour: Window, intake: Intake) -> HoursPutOff:
    """The error that tells of what is put off, of which ``hour`` is the first."""
    reason = intake.account(hour).reason
    more = len(intake.checkpoint.put_off) - 1
    return HoursPutOff(
        313,
        f"the hour from {times.isoformat(hour.start)} cannot be read for now"
        + (f": {reason}" if reason else "")
        + (f"; {more} more are put off" if more else ""),
        "nothing, unless it lasts: all others are read, and it is asked for again by itself. "
        "For code 1009 raise max_message_bytes; for HTTP 400, which is told of hours that are "
        "too old, lower retention_in_hours",
    )
