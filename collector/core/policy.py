"""When to ask again: windows, the daily quota, waits.

All functions are pure; the caller brings the time.
"""

from __future__ import annotations

import random
from email.utils import parsedate_to_datetime

import msgspec

from collector.core import times
from collector.core.model import Micros, Window
from collector.core.times import SECOND, next_midnight


def next_window(since: Micros, now: Micros, settle: Micros, longest: Micros) -> Window | None:
    """The next span of event time to ask for, or None when all is taken.

    It ends ``settle`` before now, for the newest events may still be arriving,
    and is no longer than ``longest``.
    """
    end = min(now - settle, since + longest)
    return Window(since, end) if end > since else None


def halves(window: Window, step: Micros) -> tuple[Window, Window] | None:
    """The window cut in two at a multiple of ``step``; None when it is too short to cut."""
    middle = window.start + (window.end - window.start) // 2
    middle -= middle % step
    if not window.start < middle < window.end:
        return None
    return Window(window.start, middle), Window(middle, window.end)


class Quota(msgspec.Struct, frozen=True):
    """The calls an input may make: so many a UTC day, and so far apart.

    ``per_day`` 0 means no limit.  One client tells of 1,000 a day for v1 of the
    CASB API, and nobody of spacing (docs/vendor-notes.md, CASB A4).  ``longest_pause``: what
    lies further ahead is no pause of ours, but the mark of a clock that ran ahead.
    """

    per_day: int = 1000
    min_interval: Micros = 3 * SECOND
    longest_pause: Micros = times.DAY


class Usage(msgspec.Struct, frozen=True):
    """What has been used: calls on ``day`` (its first instant), and not before when."""

    day: Micros = 0
    calls: int = 0
    not_before: Micros = 0


class Admission(msgspec.Struct, frozen=True):
    """A call may go out after ``wait`` seconds; None: not before ``again``."""

    usage: Usage
    wait: float | None
    again: Micros = 0


def admit(quota: Quota, usage: Usage, now: Micros) -> Admission:
    """Count one more call, or say when the next one may be asked for."""
    if usage.day > now + times.DAY:  # a clock that ran ahead must not block for long
        usage = Usage()
    at = max(now, usage.not_before) if usage.not_before <= now + quota.longest_pause else now
    day = at - at % times.DAY
    calls = usage.calls if day <= usage.day else 0
    if quota.per_day and calls >= quota.per_day:
        return Admission(usage, None, next_midnight(max(at, usage.day)))
    used = Usage(max(day, usage.day), calls + 1, at + quota.min_interval)
    return Admission(used, (at - now) / SECOND)


def hold_off(usage: Usage, now: Micros, seconds: float) -> Usage:
    """The vendor asked for a pause (429): no call before it is over."""
    return msgspec.structs.replace(
        usage, not_before=max(usage.not_before, now + int(seconds * SECOND))
    )


def sooner(usage: Usage, by: Micros) -> Usage:
    """The same pause by a clock that was set back."""
    return msgspec.structs.replace(usage, not_before=usage.not_before - by)


def retry_after(value: str | None, now: Micros, cap: float) -> float | None:
    """The seconds a ``Retry-After`` header asks for, at most ``cap``; None if it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), cap)
    try:
        moment = times.from_datetime(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None
    return min(max((moment - now) / SECOND, 0.0), cap)


def backoff(attempt: int, base: float, cap: float, rng: random.Random) -> float:
    """Seconds before try ``attempt + 1``: exponential from ``base``, half of it by chance.

    The jitter keeps a fleet from coming back in step; the fixed half keeps a
    single collector from hammering.
    """
    ceiling = min(cap, base * 2.0 ** min(attempt, 32))
    return float(ceiling * (0.5 + 0.5 * rng.random()))
