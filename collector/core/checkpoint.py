"""Where a service stands, and the only ways it may move.

A checkpoint answers: from when on has everything been taken?

    since     everything before it is complete, or owed, or was heard live; it
              moves only when that is so, and never back, except by a reset
    owed      whole UTC hours before ``since`` that the archive still has to
              give (PoD); sorted, not overlapping
    cursor    the vendor's position (CASB events), kept page by page
    live      how the last live session stood: until when it was heard, since when
              without a break, whether it ended in a way that proves nothing was in
              flight, and what the server still gives of the time before it
    looks     hours to be read once more, and not before when: what was few, what
              live alone vouches for, what the vendor may have added late
    put_off   hours of these that could not be read, and not before when each is tried again

``last_event_time`` and ``last_ids`` keep Devo's meaning: the newest event taken
and the ids at that instant.  They are what an operator reads.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from collector.core.model import Event, Micros, Window
from collector.core.put_off import PutOff, first_free, without
from collector.core.spans import cut, merged, touch
from collector.core.times import HOUR, SECOND, ceil_hour, floor_hour

PERSISTENCE_VERSION = 1
MAX_LAST_IDS = 10_000

_SKEW = 60 * SECOND
"""How far the vendor's clock may run ahead of ours: a record of "now" may be of the next hour."""


class Live(msgspec.Struct, frozen=True):
    """The last live session: heard until then, closed cleanly or not, and without a break since.

    ``backlog`` is the time of which the server still gives what had waited for us, None
    once it has: nothing of it is vouched for, though the session is heard.
    """

    heard_until: Micros
    clean: bool
    unbroken_since: Micros
    backlog: Window | None = None

    @property
    def given_until(self) -> Micros:
        """Until when everything has been given."""
        return self.heard_until if self.backlog is None else self.backlog.start


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
    put_off: tuple[PutOff, ...] = ()
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
    return msgspec.structs.replace(checkpoint, owed=merged([*checkpoint.owed, hours]))


def planned(checkpoint: Checkpoint, until: Micros, slack: Micros) -> Checkpoint:
    """The archive is to give all hours up to ``until`` (a whole hour) that nothing else gave.

    After a live session it takes over at the hour last heard, less ``slack``, once
    it can give that hour whole: ``since`` lies at its end.
    """
    start = checkpoint.since
    if checkpoint.live is not None:
        start = min(start, floor_hour(checkpoint.live.given_until - slack))
    start = max(start, floor_hour(checkpoint.initial_start_time))
    if until <= start or until < checkpoint.since:
        return checkpoint
    owed = owing(checkpoint, start, until)
    return msgspec.structs.replace(owed, since=until, live=None)


def paid(checkpoint: Checkpoint, hour: Window) -> Checkpoint:
    """An owed hour has been given (or can never be)."""
    return msgspec.structs.replace(
        checkpoint, owed=tuple(rest for owed in checkpoint.owed for rest in cut(owed, hour))
    )


def due(checkpoint: Checkpoint, now: Micros, delay: Micros) -> Window | None:
    """The oldest owed hour that is not put off, if the archive can give it by now."""
    hour = first_free(checkpoint.owed, checkpoint.put_off, now)
    return hour if hour is not None and hour.end + delay <= now else None


def connected(
    checkpoint: Checkpoint, now: Micros, memory: Micros, slack: Micros, *, resumes: bool = True
) -> Checkpoint:
    """A live session begins; ``resumes``: the server may first give what waited for it.

    The server resumes where the last session dropped if that was less than an
    hour ago, and only an orderly end proves that nothing was in flight
    (docs/vendor-notes.md, PoD 2).  Otherwise each hour from the last one heard,
    less ``slack`` for records that arrive late, up to now is owed.  The session
    may have broken off while it was still given what had waited for it, which is
    as old as the server's memory: so ``memory`` is taken off, too.
    """
    live = checkpoint.live
    if live is not None and live.clean and now - live.given_until < memory:
        until = live.heard_until
        live = msgspec.structs.replace(
            live, backlog=_waiting(live.given_until, now) if resumes else None
        )
        return heard(msgspec.structs.replace(checkpoint, live=live), until, clean=False)
    missed = checkpoint.since if live is None else live.given_until - slack - memory
    start = max(min(missed, now), checkpoint.initial_start_time)
    owed = owing(checkpoint, start, max(now, start) + _SKEW)
    backlog = _waiting(now, now) if resumes else None
    live = Live(now, clean=False, unbroken_since=now, backlog=backlog)
    return heard(msgspec.structs.replace(owed, live=live), now, clean=False)


def _waiting(given_until: Micros, began: Micros) -> Window:
    """What the server may still give before it gives what is younger than the session."""
    return Window(min(given_until, began), began + 1)


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
    live = checkpoint.live or Live(now, clean=clean, unbroken_since=now)
    until = max(now, live.heard_until)
    return msgspec.structs.replace(
        checkpoint,
        since=max(checkpoint.since, ceil_hour(now)),
        live=msgspec.structs.replace(live, heard_until=until, clean=clean),
    )


def caught_up(
    checkpoint: Checkpoint, events: Sequence[Event], now: Micros, *, quiet: bool
) -> Checkpoint:
    """After these events came live: whether the server has given what had waited for us.

    It is taken to give records in the order in which they were made (nothing is public).
    So it has once an event comes that is younger than the session; ``quiet``: or nothing
    has come for long.
    """
    live = checkpoint.live
    if live is None or live.backlog is None:
        return checkpoint
    began = live.backlog.end
    if not quiet and not any(began <= event.time <= now + _SKEW for event in events):
        return checkpoint
    return msgspec.structs.replace(checkpoint, live=msgspec.structs.replace(live, backlog=None))


def heard_whole(before: Checkpoint, after: Checkpoint, slack: Micros) -> list[Window]:
    """The hours that live has been heard through without a break, since ``before``.

    An hour counts ``slack`` after its end, when its late records have come.  The hour
    in which a source began counts, too: nothing was promised of what lies before.
    """
    if before.live is None or after.live is None:
        return []
    unbroken = after.live.unbroken_since
    whole = floor_hour if unbroken == after.initial_start_time else ceil_hour
    first = max(whole(unbroken), floor_hour(before.live.given_until - slack))
    last = floor_hour(after.live.given_until - slack)
    hours = [Window(start, start + HOUR) for start in range(first, last, HOUR)]
    return [hour for hour in hours if not any(touch(owed, hour) for owed in after.owed)]


def look_again(checkpoint: Checkpoint, hour: Window, not_before: Micros) -> Checkpoint:
    """These whole hours are to be read once more; what is to be read earlier still is."""
    parts = [hour]
    for look in checkpoint.looks:
        if look.not_before <= not_before:
            earlier = Window(look.start, look.end)
            parts = [rest for part in parts for rest in cut(part, earlier)]
    for part in parts:
        checkpoint = looked(checkpoint, part)
    looks = [*checkpoint.looks, *(Look(not_before, part.start, part.end) for part in parts)]
    return msgspec.structs.replace(checkpoint, looks=tuple(sorted(looks)))


def look_at(checkpoint: Checkpoint, hour: Window) -> Micros | None:
    """When the hour may be read once more; None when that is not wanted."""
    looks = (each for each in checkpoint.looks if touch(Window(each.start, each.end), hour))
    return min((each.not_before for each in looks), default=None)


def looked(checkpoint: Checkpoint, hour: Window) -> Checkpoint:
    """The hour has been looked at (or can never be)."""
    looks = [
        Look(look.not_before, rest.start, rest.end)
        for look in checkpoint.looks
        for rest in cut(Window(look.start, look.end), hour)
    ]
    put_off = without(checkpoint.put_off, hour)
    return msgspec.structs.replace(checkpoint, looks=tuple(looks), put_off=put_off)


def due_look(checkpoint: Checkpoint, now: Micros) -> Window | None:
    """The hour whose second look has waited longest, if one is due."""
    due = (Window(look.start, look.end) for look in checkpoint.looks if look.not_before <= now)
    return first_free(due, checkpoint.put_off, now)


def complete_until(checkpoint: Checkpoint) -> Micros:
    """Up to when nothing is outstanding."""
    bounds = [checkpoint.since, *(owed.start for owed in checkpoint.owed[:1])]
    if checkpoint.live is not None:
        bounds.append(checkpoint.live.given_until)
    return min(bounds)
