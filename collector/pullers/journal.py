"""What a puller tells its operator, in the words of Devo's reference page."""

from __future__ import annotations

import logging
from collections.abc import Callable

from collector.core import phrases
from collector.core.model import Clock, Micros, Window
from collector.core.stats import PullStats
from collector.core.times import SECOND
from collector.errors import CollectorError, SessionTaken

Log = logging.LoggerAdapter[logging.Logger]

_PARTIAL_EVERY = 5.0
"""Seconds of the clock between partial statistics: a flood of pages is no flood of lines."""


class Journal:
    """The log of one puller.  ``period`` is the seconds between two pulls, None when one-shot."""

    def __init__(self, log: Log, service: str, clock: Clock, period: float | None) -> None:
        self.log = log
        self._service = service
        self._clock = clock
        self._period = period

    def begin(self, now: Micros) -> Cycle:
        """A pull starts."""
        self.log.info(phrases.pull_started())
        return Cycle(self.log, self._service, self._clock, self._period, now)

    def fell_back(self, refusal: CollectorError) -> None:
        """The vendor refused the cursor."""
        self.log.warning("%s; reading again from the last complete moment", refusal)

    def repeating(self, error: CollectorError, seconds: float) -> None:
        """A span is read once more."""
        self.log.warning("%s; reading the span again in %.1f seconds", error, seconds)

    def waiting(self, error: CollectorError, seconds: float) -> None:
        """A call is made once more."""
        self.log.warning("%s; next try in %.1f seconds", error, seconds)


    def taken_alarm(self, limit: float) -> Callable[[CollectorError, float], None]:
        """Hears of waits for a session: quiet at first, an alarm when it lasts over ``limit`` seconds."""
        began = self._clock.monotonic()

        def heard(error: CollectorError, seconds: float) -> None:
            lasting = isinstance(error, SessionTaken) and self._clock.monotonic() - began > limit
            if lasting:
                self.log.error("%s; it has lasted for longer than %.0f seconds", error, limit)
            else:
                self.waiting(error, seconds)

        return heard


class Cycle:
    """One pull: its id, its numbers, its lines."""

    def __init__(
        self, log: Log, service: str, clock: Clock, period: float | None, began: Micros
    ) -> None:
        self.began = began
        self.pulling_id = began // 1000
        self.stats = PullStats()
        self._log = log
        self._service = service
        self._clock = clock
        self._period = period
        self._started = clock.monotonic()
        self._told = self._started - _PARTIAL_EVERY
        self._received_before = 0

    def retrieving(self, window: Window) -> None:
        """A span is about to be read."""
        self._received_before = self.stats.received
        self._log.info(phrases.retrieving(self._service, window.start, window.end))

    def page(self, stats: PullStats) -> None:
        """A page was committed."""
        self.stats.add(stats)
        if self._clock.monotonic() - self._told >= _PARTIAL_EVERY:
            self._told = self._clock.monotonic()
            self._log.info(self._statistics(partial=True))

    def retrieved(self, window: Window) -> None:
        """A span was read to its end."""
        count = self.stats.received - self._received_before
        self._log.info(phrases.retrieved(count, self._service, window.start, window.end))

    def narrowed(self, window: Window) -> None:
        """A span had too many pages."""
        seconds = (window.end - window.start) / SECOND
        self._log.info("A window of %.3f seconds holds too many pages: reading its halves", seconds)

    def finished(self) -> None:
        """Everything due was read."""
        elapsed = self._clock.monotonic() - self._started
        self._log.info(self._statistics(partial=True))
        self._log.info(self._statistics(partial=False))
        self._log.info(phrases.up_to_date())
        if self._period is not None:
            waiting = max(self._period - elapsed, 0.0)
            self._log.info(phrases.collection_completed(elapsed, waiting))

    def summary(self) -> None:
        """The numbers so far, for a session that lasts."""
        self._log.info(self._statistics(partial=True))

    def _statistics(self, *, partial: bool) -> str:
        return phrases.statistics(
            pulling_id=self.pulling_id,
            requests=self.stats.requests,
            received=self.stats.received,
            duplicates=self.stats.duplicates,
            generated=self.stats.generated,
            elapsed=self._clock.monotonic() - self._started,
            partial=partial,
        )
