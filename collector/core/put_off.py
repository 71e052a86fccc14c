"""Hours that could not be read, each with a wait of its own, so that none holds up the others.

An hour that breaks off every session, or that the vendor refuses, stays owed and is
asked for again: soon at first, for most of what is in the way passes, and then ever
more seldom.  What is not put off is read meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from collector.core.model import Micros, Window
from collector.core.times import HOUR, SECOND

_FIRST: Micros = 60 * SECOND
_GROWTH = 4
LONGEST: Micros = 12 * HOUR
"""How long an hour is put off at most; the vendor's archive keeps it for weeks."""


class PutOff(msgspec.Struct, frozen=True, order=True):
    """The hour that begins at ``start`` is not asked for before that moment.

    ``failures``: how many pulls have failed to read it.
    """

    start: Micros
    not_before: Micros
    failures: int

    @property
    def hour(self) -> Window:
        """The hour as a span."""
        return Window(self.start, self.start + HOUR)


def after_failure(put_off: Iterable[PutOff], hour: Window, now: Micros) -> tuple[PutOff, ...]:
    """A pull has failed to read the hour once more: it waits for longer than the last time."""
    found = {each.start: each for each in put_off}
    failures = found[hour.start].failures + 1 if hour.start in found else 1
    wait = min(_FIRST * _GROWTH ** min(failures - 1, 16), LONGEST)
    found[hour.start] = PutOff(hour.start, now + wait, failures)
    return tuple(sorted(found.values()))


def without(put_off: Iterable[PutOff], span: Window) -> tuple[PutOff, ...]:
    """The hours of the span were read, or are asked for anew, or can never be."""
    return tuple(each for each in put_off if not span.start <= each.start < span.end)


def believed(put_off: Iterable[PutOff], now: Micros) -> tuple[PutOff, ...]:
    """Without the moments that only a clock that ran ahead can have set."""
    return tuple(each for each in put_off if each.not_before <= now + LONGEST)


def first_free(spans: Iterable[Window], put_off: Iterable[PutOff], now: Micros) -> Window | None:
    """The first hour of these spans that is not put off."""
    waiting = {each.start for each in put_off if now < each.not_before}
    for span in spans:
        for start in range(span.start, span.end, HOUR):
            if start not in waiting:
                return Window(start, start + HOUR)
    return None
