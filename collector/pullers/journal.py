"""What a puller tells its operator, in the words of Devo's reference page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from collector.core import phrases
from collector.core.log import Log
from collector.core.model import Clock, Micros, Window
from collector.core.stats import PullStats
from collector.core.times import SECOND
from collector.errors import CollectorError, SessionTaken


class Watch(Protocol):
    """Hears how a puller fares, for the health of its source (``app.health``)."""

    def progressed(self) -> None:
        """The vendor answers."""
        ...

    def troubled(self, error: CollectorError) -> None:
        """A call or a span is tried again because of this.

        Raises ``error`` itself when the source is to be given up.
        """
        ...


class Unwatched:
    """The watch of a puller whose health nobody asks about."""

    def progressed(self) -> None:
        """Nobody hears it."""

    def troubled(self, error: CollectorError) -> None:
        """Nobody hears it."""


UNWATCHED = Unwatched()
_PARTIAL_EVERY = 5.0
"""Seconds of the clock between partial statistics: a flood of pages is no flood of lines."""


class Journal:
    """The log of one puller.  ``period``: seconds between two pulls, 0 if nobody waits.

    ``hours`` hears of those that are put off: they are in the way while all else goes well.
    """

    def __init__(
        self,
        log: Log,
        service: str,
        clock: Clock,
        period: float = 0.0,
        watch: Watch = UNWATCHED,
        hours: Watch = UNWATCHED,
    ) -> None:
        self.log = log
        self._service = service
        self._clock = clock
        self._period = period
        self._watch = watch
        self._hours = hours
        self._are_put_off = False

    def begin(self, now: Micros) -> Cycle:
        """A pull starts."""
        cycle = self._cycle(now)
        cycle.log.info(phrases.pull_started())
        return cycle

    def listen(self, now: Micros) -> Cycle:
        """A live session was opened; it is one long pull."""
        self._watch.progressed()
        cycle = self._cycle(now)
        cycle.log.info("Live session is open; records are taken as they come")
        return cycle

    def fell_back(self, refusal: CollectorError) -> None:
        """The vendor refused the cursor."""
        self.log.warning("%s; reading again from before the last complete moment", refusal)

    def repeating(self, error: CollectorError, seconds: float) -> None:
        """A span is read once more."""
        self.log.warning("%s; reading the span again in %.1f seconds", error, seconds)
        self._watch.troubled(error)

    def waiting(self, error: CollectorError, seconds: float) -> None:
        """A call is made once more; raises ``error`` when the source is given up.

        A session that is still taken is no trouble: the vendor releases it late.
        """
        self.log.warning("%s; next try in %.1f seconds", error, seconds)
        if not isinstance(error, SessionTaken):
            self._watch.troubled(error)

    def missed(self, error: CollectorError) -> None:
        """A session stands again, and what was sent before it is lost; ``error`` says what."""
        self._watch.progressed()
        self.log.warning("%s", error)
        self._watch.troubled(error)

    def put_off(self, error: CollectorError) -> None:
        """Single hours cannot be read for now."""
        self._are_put_off = True
        self._hours.troubled(error)

    def none_is_put_off(self) -> None:
        """No hour is in the way, or none any more."""
        if self._are_put_off:
            self._are_put_off = False
            self._hours.progressed()

    def clock_is_behind(self) -> None:
        """The clock contradicts all that is known."""
        self.log.error(
            "PullError 308: the clock is behind both the checkpoint and the newest event -> set "
            "the clock of this machine; until then little is taken, and nothing is lost"
        )

    def taken_alarm(self, limit: float) -> Callable[[CollectorError, float], None]:
        """Hears of waits for a session; one that lasts over ``limit`` seconds is an alarm."""
        began = self._clock.monotonic()

        def heard(error: CollectorError, seconds: float) -> None:
            lasting = isinstance(error, SessionTaken) and self._clock.monotonic() - began > limit
            if lasting:
                self.log.error("%s; it has lasted for longer than %.0f seconds", error, limit)
                self._watch.troubled(error)
            else:
                self.waiting(error, seconds)

        return heard

    def _cycle(self, now: Micros) -> Cycle:
        log = self.log.during(now // 1000)
        return Cycle(log, self._service, self._clock, self._period, now, self._watch)


class Cycle:
    """One pull: its id, its numbers, its lines."""

    def __init__(
        self,
        log: Log,
        service: str,
        clock: Clock,
        period: float,
        began: Micros,
        watch: Watch,
    ) -> None:
        self.began = began
        self.pulling_id = began // 1000
        self.stats = PullStats()
        self.log = log
        self._service = service
        self._clock = clock
        self._period = period
        self._watch = watch
        self._started = clock.monotonic()
        self._told = self._started - _PARTIAL_EVERY
        self._received_before = 0
        self._told_of_replay = False

    def clock_was_ahead(self) -> None:
        """Marks ahead of the clock were taken back."""
        self.log.warning(
            "The checkpoint lies ahead of the clock, which must have run ahead: reading again from "
            "before the newest event taken -> let a time service keep this machine's clock"
        )

    def retrieving(self, window: Window) -> None:
        """A span is about to be read."""
        self._received_before = self.stats.received
        self.log.info(phrases.retrieving(self._service, window.start, window.end))

    def page(self, stats: PullStats) -> None:
        """A page was committed."""
        self._watch.progressed()
        self.stats.add(stats)
        if self._clock.monotonic() - self._told >= _PARTIAL_EVERY:
            self._told = self._clock.monotonic()
            self.log.info(self._statistics(partial=True))

    def retrieved(self, window: Window) -> None:
        """A span was read to its end."""
        self._watch.progressed()
        count = self.stats.received - self._received_before
        self.log.info(phrases.retrieved(count, self._service, window.start, window.end))

    def narrowed(self, window: Window) -> None:
        """A span had too many pages."""
        seconds = (window.end - window.start) / SECOND
        self.log.info("A window of %.3f seconds holds too many pages: reading its halves", seconds)

    def replays_only(self, received: int) -> None:
        """A live session has brought nothing new so far: told once."""
        if not self._told_of_replay:
            self._told_of_replay = True
            self.log.error(
                "PullError 307: the live session replays known records (%d so far) and brings"
                " nothing new -> if it lasts, ask Proofpoint to reset the stream of this token",
                received,
            )

    def finished(self) -> None:
        """Everything due was read."""
        elapsed = self._clock.monotonic() - self._started
        self.log.info(self._statistics(partial=True))
        self.log.info(self._statistics(partial=False))
        self.log.info(phrases.up_to_date())
        waiting = max(self._period - elapsed, 0.0)
        self.log.info(phrases.collection_completed(elapsed, waiting))

    def summary(self) -> None:
        """The numbers so far, for a session that lasts."""
        self.log.info(self._statistics(partial=True))

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
