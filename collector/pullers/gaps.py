"""What a stream that keeps nothing owes its reader after a break: the truth about it.

No session is the next part of the one before.  The time between them is a gap, which
the ledger names, and only hours that lie between two gaps are complete.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from collector.core import ledger
from collector.core.checkpoint import Checkpoint, Live
from collector.core.ledger import Account, Entry
from collector.core.model import Micros, Window
from collector.core.times import HOUR, SECOND, ceil_hour, floor_hour, hour_of, isoformat

_IN_FLIGHT = 60 * SECOND
"""What came in the last minute before an end that was not orderly may not have been stored."""
_LONGEST_REASON = 500


def before(checkpoint: Checkpoint, now: Micros) -> Window | None:
    """The gap before a session that begins now; None when it is the very first."""
    live = checkpoint.live
    if live is None:
        return None
    # A clock that was behind for a while makes no gap of the years before the stream.
    start = min(max(live.heard_until, checkpoint.initial_start_time), now - 1)
    return Window(start if live.clean else start - _IN_FLIGHT, now)


def resumed(checkpoint: Checkpoint, now: Micros) -> Checkpoint:
    """The checkpoint of a session that begins now.

    One that was heard until now and ended in order is what
    ``core.checkpoint.connected`` goes on from without owing anything.  A stream begins
    with its very first session: no hour before it is missing.
    """
    start = now if checkpoint.live is None else checkpoint.initial_start_time
    live = Live(now, clean=True, unbroken_since=now)
    return msgspec.structs.replace(
        checkpoint, initial_start_time=start, owed=(), looks=(), live=live
    )


def began(now: Micros) -> Entry:
    """What the ledger is told of the very first session."""
    reason = f"first heard at {isoformat(now)}"
    return Entry(span=hour_of(now), state=ledger.PARTIAL, reason=reason)


def missed(gap: Window, account: Callable[[Window], Account]) -> list[Entry]:
    """What the ledger is told of a gap: the hours it touches are partial, or lost as a whole."""
    hours = range(floor_hour(gap.start), ceil_hour(gap.end), HOUR)
    return [_missed(gap, account(Window(start, start + HOUR))) for start in hours]


def _missed(gap: Window, row: Account) -> Entry:
    hour, reason = row.span, spelled(gap)
    if gap.start <= hour.start and hour.end <= gap.end and row.state != ledger.PARTIAL:
        return ledger.lost(hour, reason)
    if row.state == ledger.PARTIAL and row.reason:
        joined = f"{row.reason}; {reason}"
        reason = joined if len(joined) <= _LONGEST_REASON else f"many breaks, the last: {reason}"
    return Entry(span=hour, state=ledger.PARTIAL, reason=reason)


def spelled(gap: Window) -> str:
    """The gap, for people."""
    return f"not heard from {isoformat(gap.start)} to {isoformat(gap.end)}"
