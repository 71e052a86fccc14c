"""Where a service stands, and the only ways it may move.

A checkpoint answers: from when on has everything been taken?

    since     everything before it is complete, or owed, or was heard live; it
              moves only when that is so, and never back, except by a reset
    owed      whole UTC hours before ``since`` that the archive still has to
              give (PoD); sorted, not overlapping
    cursor    the vendor's position (CASB events), kept page by page
    live      how the last live session stood: until when it was heard, since when
              without a break, and whether it ended in a way that proves nothing
              was in flight
    looks     hours to be read once more, and not before when: what was few, what
              live alone vouches for, what the vendor may have added late

``last_event_time`` and ``last_ids`` keep Devo's meaning: the newest event taken
and the ids at that instant.  They are what an operator reads, and what the
events service falls back to when its cursor is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from collector.core.model import Event, Micros, Window
from collector.core.times import HOUR, SECOND, ceil_hour, floor_hour

PERSISTENCE_VERSION = 1
MAX_LAST_IDS = 10_000

_SKEW = 60 * SECOND
"""How far the vendor's clock may run ahead of ours: a record of "now" may be of the next hour."""


class Live(msgspec.Struct, frozen=True):
    """The last live session: heard until then, closed cleanly or not, and without a break since."""

    heard_until: Micros
    clean: bool
    unbroken_since: Micros


class Look(msgspec.Struct, frozen=True, order=True):
    """Whole hours to be read once more, not before that moment."""

    not_before: Micros
    start: Micros
    end: Micros


class Checkpoint(msgspec.Struct, frozen=True):
    """The position of one service; see the module's text."""

    initial_start_time: Micros
    since: Micros
    last_event_time: Micros
    last_ids: tuple[str, ...] = ()
    cursor: str | None = None
    owed: tuple[Window, ...] = ()
    live: Live | None = None
    looks: tuple[Look, ...] = ()
    version: int = PERSISTENCE_VERSION

    def __post_init__(self) -> None:
        if any(a.end >= b.start for a, b in zip(self.owed, self.owed[1:], strict=False)):
            raise ValueError("owed hours are sorted, apart, and merged")


def started(initial_start_time: Micros) -> Checkpoint:
    """The checkpoint of a service that has taken nothing yet."""
    return Checkpoint(initial_start_time, initial_start_time, initial_start_time)


def taken(checkpoint: Checkpoint, events: Sequence[Event]) -> Checkpoint:
    """After these events were taken: only what the operator reads moves."""
    before = checkpoint.last_event_time
    newest = max((event.time for event in events), default=before)  # NO_TIME is before all
    if newest < before:
        return checkpoint
    ids = dict.fromkeys(checkpoint.last_ids if newest == before else ())
    ids |= dict.fromkeys(event.id for event in events if event.time == newest)
    return msgspec.structs.replace(
        checkpoint, last_event_time=newest, last_ids=tuple(ids)[:MAX_LAST_IDS]
    )


def completed(checkpoint: Checkpoint, until: Micros) -> Checkpoint:
    """A window that ended at ``until`` is complete."""
    return msgspec.structs.replace(checkpoint, since=max(checkpoint.since, until))


def at_cursor(checkpoint: Checkpoint, cursor: str | None) -> Checkpoint:
    """The vendor's position after a page."""
    return msgspec.structs.replace(checkpoint, cursor=cursor)


def owing(checkpoint: Checkpoint, start: Micros, end: Micros) -> Checkpoint:
    """The whole UTC hours touched by ``[start, end)`` are owed."""
    hours = Window(floor_hour(start), ceil_hour(end))
    return msgspec.structs.replace(checkpoint, owed=_merge([*checkpoint.owed, hours]))


def planned(checkpoint: Checkpoint, until: Micros, slack: Micros) -> Checkpoint:
    """The archive is to give all hours up to ``until`` (a whole hour) that nothing else gave.

    After a live session it takes over at the hour last heard, less ``slack``, once
    it can give that hour whole: ``since`` lies at its end.
    """
    start = checkpoint.since
    if checkpoint.live is not None:
        start = min(start, floor_hour(checkpoint.live.heard_until - slack))
    start = max(start, floor_hour(checkpoint.initial_start_time))
    if until <= start or until < checkpoint.since:
        return checkpoint
    owed = owing(checkpoint, start, until)
    return msgspec.structs.replace(owed, since=until, live=None)


def paid(checkpoint: Checkpoint, hour: Window) -> Checkpoint:
    """An owed hour has been given (or can never be)."""
    return msgspec.structs.replace(
        checkpoint, owed=tuple(rest for owed in checkpoint.owed for rest in _without(owed, hour))
    )


def due(checkpoint: Checkpoint, now: Micros, delay: Micros) -> Window | None:
    """The oldest owed hour that the archive can give: ended at least ``delay`` ago."""
    if not checkpoint.owed:
        return None
    start = checkpoint.owed[0].start
    return Window(start, start + HOUR) if start + HOUR + delay <= now else None


def connected(checkpoint: Checkpoint, now: Micros, memory: Micros, slack: Micros) -> Checkpoint:
    """A live session begins.

    The server resumes where the last session dropped if that was less than an
    hour ago, and only an orderly end proves that nothing was in flight (vendor
    notes on PoD, section 2).  Otherwise each hour from the last one heard,
    less ``slack`` for records that arrive late, up to now is owed.  The session
    may have broken off while it was still given what had waited for it, which is
    as old as the server's memory: so ``memory`` is taken off, too.
    """
    live = checkpoint.live
    following = live is not None and live.clean and now - live.heard_until < memory
    if live is not None and following:
        # What waited for us is still to come: the hours up to now are not vouched for yet.
        return heard(checkpoint, live.heard_until, clean=False)
    missed = checkpoint.since if live is None else live.heard_until - slack - memory
    start = max(min(missed, now), checkpoint.initial_start_time)
    owed = owing(checkpoint, start, max(now, start) + _SKEW)
    fresh = msgspec.structs.replace(owed, live=Live(now, clean=False, unbroken_since=now))
    return heard(fresh, now, clean=False)


def begun(checkpoint: Checkpoint, now: Micros) -> Checkpoint:
    """The very first session of what gives nothing of the past: it is a source from now on."""
    live = Live(now, clean=True, unbroken_since=now)
    return msgspec.structs.replace(
        checkpoint, initial_start_time=now, since=now, owed=(), looks=(), live=live
    )


def heard(checkpoint: Checkpoint, now: Micros, *, clean: bool) -> Checkpoint:
    """The live session was heard at ``now``; ``clean`` once it has ended in order.

    A clock that is set back moves no mark back (``state.corrected`` judges that).
    """
    since = checkpoint.live.unbroken_since if checkpoint.live else now
    until = checkpoint.live.heard_until if checkpoint.live else now
    return msgspec.structs.replace(
        checkpoint,
        since=max(checkpoint.since, ceil_hour(now)),
        live=Live(max(now, until), clean=clean, unbroken_since=since),
    )


def heard_whole(before: Checkpoint, after: Checkpoint, slack: Micros) -> list[Window]:
    """The hours that live has been heard through without a break, since ``before``.

    An hour counts ``slack`` after its end, when its late records have come.  The hour
    in which a source began counts, too: nothing was promised of what lies before.
    """
    if before.live is None or after.live is None:
        return []
    unbroken = after.live.unbroken_since
    whole = floor_hour if unbroken == after.initial_start_time else ceil_hour
    first = max(whole(unbroken), floor_hour(before.live.heard_until - slack))
    last = floor_hour(after.live.heard_until - slack)
    hours = [Window(start, start + HOUR) for start in range(first, last, HOUR)]
    return [hour for hour in hours if not any(_touch(owed, hour) for owed in after.owed)]


def look_again(checkpoint: Checkpoint, hour: Window, not_before: Micros) -> Checkpoint:
    """These whole hours are to be read once more; what is to be read earlier still is."""
    parts = [hour]
    for look in checkpoint.looks:
        if look.not_before <= not_before:
            earlier = Window(look.start, look.end)
            parts = [rest for part in parts for rest in _without(part, earlier)]
    for part in parts:
        checkpoint = looked(checkpoint, part)
    looks = [*checkpoint.looks, *(Look(not_before, part.start, part.end) for part in parts)]
    return msgspec.structs.replace(checkpoint, looks=tuple(sorted(looks)))


def look_at(checkpoint: Checkpoint, hour: Window) -> Micros | None:
    """When the hour may be read once more; None when that is not wanted."""
    looks = (each for each in checkpoint.looks if _touch(Window(each.start, each.end), hour))
    return min((each.not_before for each in looks), default=None)


def looked(checkpoint: Checkpoint, hour: Window) -> Checkpoint:
    """The hour has been looked at (or can never be)."""
    looks = [
        Look(look.not_before, rest.start, rest.end)
        for look in checkpoint.looks
        for rest in _without(Window(look.start, look.end), hour)
    ]
    return msgspec.structs.replace(checkpoint, looks=tuple(looks))


def due_look(checkpoint: Checkpoint, now: Micros) -> Window | None:
    """The hour whose second look has waited longest, if one is due."""
    if not checkpoint.looks or checkpoint.looks[0].not_before > now:
        return None
    start = checkpoint.looks[0].start
    return Window(start, start + HOUR)


def complete_until(checkpoint: Checkpoint) -> Micros:
    """Up to when nothing is outstanding."""
    bounds = [checkpoint.since, *(owed.start for owed in checkpoint.owed[:1])]
    if checkpoint.live is not None:
        bounds.append(checkpoint.live.heard_until)
    return min(bounds)


def _merge(windows: list[Window]) -> tuple[Window, ...]:
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.start <= merged[-1].end:
            last = merged.pop()
            merged.append(Window(last.start, max(last.end, window.end)))
        else:
            merged.append(window)
    return tuple(merged)


def _touch(one: Window, other: Window) -> bool:
    return one.start < other.end and other.start < one.end


def _without(window: Window, hole: Window) -> list[Window]:
    if hole.end <= window.start or window.end <= hole.start:
        return [window]
    rest: list[Window] = []
    if window.start < hole.start:
        rest.append(Window(window.start, hole.start))
    if hole.end < window.end:
        rest.append(Window(hole.end, window.end))
    return rest
