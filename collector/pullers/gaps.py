"""What a stream that keeps nothing owes its reader after a break: the truth about it.

No session is the next part of the one before.  The time between them is a gap, which
the ledger names, and only hours that lie between two gaps are complete.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from collector.core import checkpoint as rules
from collector.core import ledger, state
from collector.core.checkpoint import Checkpoint, Live
from collector.core.ledger import Account, Entry
from collector.core.model import Micros, Window
from collector.core.times import HOUR, SECOND, ceil_hour, floor_hour, hour_of, isoformat

_IN_FLIGHT = 60 * SECOND
"""What came in the last minute before an end that was not orderly may not have been stored."""
_LONGEST_REASON = 500


def before(checkpoint: Checkpoint, now: Micros, *, dated: bool = True) -> Window | None:
    """The gap before a session that begins now; None when it is the very first.

    Without times (``dated`` False) marks ahead of the clock are those of one that ran
    ahead: when the last session ended nobody knows, only when it began.
    """
    live, first = checkpoint.live, checkpoint.initial_start_time
    if live is None:
        return None
    if not dated and state.undated_is_ahead(checkpoint, now):
        known = live.unbroken_since if live.unbroken_since < now else now - HOUR
        return Window(min(max(known, first), now - 1), now)
    # A clock that was behind for a while makes no gap of the years before the stream.
    start = live.heard_until if live.clean else live.heard_until - _IN_FLIGHT
    return Window(min(max(start, first), now - 1), now)


def resumed(checkpoint: Checkpoint, now: Micros, *, dated: bool = True) -> Checkpoint:
    """The checkpoint of a session that begins now.

    One that was heard until now and ended in order is what
    ``core.checkpoint.connected`` goes on from without owing anything.  A stream begins
    with its very first session: no hour before it is missing.
    """
    if checkpoint.live is None:
        return rules.begun(checkpoint, now)
    sound = checkpoint if dated else state.set_right(checkpoint, now, now)
    live = Live(now, clean=True, unbroken_since=now)
    return msgspec.structs.replace(sound, owed=(), looks=(), live=live)


def session_entries(
    checkpoint: Checkpoint, now: Micros, account: Callable[[Window], Account], *, dated: bool = True
) -> list[Entry]:
    """What the ledger is told of a session that begins now."""
    gap = before(checkpoint, now, dated=dated)
    if gap is None:
        return [began(now)]
    again = [] if dated else reopened(checkpoint, now, account, since=gap.start)
    opened = {each.span for each in again}

    def row(hour: Window) -> Account:
        found = account(hour)
        return msgspec.structs.replace(found, state=ledger.OPEN) if hour in opened else found

    return [*again, *missed(gap, row)]


def began(now: Micros) -> Entry:
    """What the ledger is told of the very first session."""
    return Entry(span=hour_of(now), state=ledger.OPEN, reason=first_heard(now))


def first_heard(start: Micros) -> str:
    """Why the hour of the very first session holds only a part, for people."""
    return f"heard from {isoformat(start)} on, when it began"


def reopened(
    checkpoint: Checkpoint,
    now: Micros,
    account: Callable[[Window], Account],
    *,
    since: Micros | None = None,
) -> list[Entry]:
    """The hours of which a clock that ran ahead has told what nobody can know: they are open.

    From the one that holds ``since`` (default ``now``) on.  A break in an hour that has
    begun stays one.
    """
    live = checkpoint.live
    if live is None or not state.undated_is_ahead(checkpoint, now):
        return []
    reason = f"the clock was set back from {isoformat(live.heard_until)} to {isoformat(now)}"
    begin = floor_hour(now if since is None else since)
    rows = [
        account(Window(start, start + HOUR))
        for start in range(begin, ceil_hour(live.heard_until), HOUR)
    ]
    return [
        Entry(span=row.span, state=ledger.OPEN, reason=reason)
        for row in rows
        if row.state in ledger.DONE or row.span.start > now
    ]


def missed(gap: Window, account: Callable[[Window], Account]) -> list[Entry]:
    """What the ledger is told of a gap: the hours it touches are partial, or lost as a whole."""
    hours = range(floor_hour(gap.start), ceil_hour(gap.end), HOUR)
    return [_missed(gap, account(Window(start, start + HOUR))) for start in hours]


def _missed(gap: Window, row: Account) -> Entry:
    hour, reason = row.span, spelled(gap)
    partly = row.state == ledger.PARTIAL or (row.state == ledger.OPEN and row.counts.received)
    if gap.start <= hour.start and hour.end <= gap.end and not partly:
        return ledger.lost(hour, reason)
    if row.state == ledger.PARTIAL and row.reason:
        joined = f"{row.reason}; {reason}"
        reason = joined if len(joined) <= _LONGEST_REASON else f"many breaks, the last: {reason}"
    return Entry(span=hour, state=ledger.PARTIAL, reason=reason)


def spelled(gap: Window) -> str:
    """The gap, for people."""
    return f"not heard from {isoformat(gap.start)} to {isoformat(gap.end)}"


def how_heard(hour: Window, after: Checkpoint) -> str:
    """What the ledger says of an hour that live was heard through."""
    if hour.start < after.initial_start_time:
        return first_heard(after.initial_start_time)
    return "heard live without a break"
