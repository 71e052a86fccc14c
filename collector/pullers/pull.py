"""The pull loop: one blocking loop that drives any source.

    plan a span -> fetch its pages -> commit each page -> close the span

Every page is committed as it comes, but the checkpoint's ``since`` moves only when
the span is done: services that answer newest first, oldest first or in no order
share this one path, and a crash reads the span again while known ids drop what is
already there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from collector.core import checkpoint as rules
from collector.core import fault, state
from collector.core.checkpoint import Checkpoint
from collector.core.model import Clock, Page, Request, Response
from collector.core.policy import backoff
from collector.core.stats import PullStats
from collector.errors import (
    SessionEnded,
    SessionSilent,
    Stopped,
    UnreadableAnswer,
    VendorRefused,
)
from collector.pullers.base import Fetch, Plan, Source
from collector.pullers.detour import Detour, left_over
from collector.pullers.intake import Intake, Move, stay
from collector.pullers.journal import Cycle, Journal
from collector.pullers.reading import Reading, Row, conclude

_TRIES = 3
"""How often a span is read when an answer is broken, before it is left to the next pull."""


class Puller:
    """Pulls one source; ``pull`` is what the scheduler calls."""

    def __init__(
        self,
        source: Source,
        fetch: Fetch,
        intake: Intake,
        journal: Journal,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._source = source
        self._fetch = fetch
        self._intake = intake
        self._journal = journal
        self._clock = clock
        self._rng = rng

    def pull(self) -> PullStats:
        """Take everything that is due now.

        Raises what the wire raises (``collector.errors``); all that was
        committed until then stays, and the next pull goes on from there.  An hour
        that alone cannot be read is put off: ``HoursPutOff`` tells of it in the end.
        """
        cycle = self._journal.begin(self._clock.now())
        self._prepare(cycle)
        fell_back = False  # once a pull: a vendor that refuses every cursor would be asked for ever
        detour = Detour(self._intake, self._clock)
        while (plan := self._source.plan(self._intake.checkpoint, cycle.began)) is not None:
            if self._clock.stopping():
                raise Stopped
            cycle.retrieving(plan.window)
            try:
                if not self._read_span(plan, cycle):
                    break
                detour.passed()
            except (VendorRefused, UnreadableAnswer, SessionEnded) as error:
                if plan.counted_in is not None:
                    detour.around(plan.counted_in, error)
                elif isinstance(error, VendorRefused) and not fell_back:
                    self._fall_back(error)
                    fell_back = True
                else:
                    raise
        self._tell_of_put_off(cycle)
        cycle.finished()
        return cycle.stats

    def _tell_of_put_off(self, cycle: Cycle) -> None:
        """Raise ``HoursPutOff`` when there are hours that would have been due."""
        at = self._intake.checkpoint
        everything = msgspec.structs.replace(at, put_off=())
        plan = self._source.plan(everything, cycle.began) if at.put_off else None
        if plan is None:
            self._journal.none_is_put_off()
        elif plan.counted_in is not None:  # else this pull has left a window to the next
            error = left_over(plan.counted_in, self._intake)
            self._journal.put_off(error)
            raise error

    def _prepare(self, cycle: Cycle) -> None:
        if self._intake.prepare(cycle.began):
            cycle.clock_was_ahead()
        if state.clock_is_behind(self._intake.checkpoint, cycle.began):
            self._journal.clock_is_behind()

    def _read_span(self, plan: Plan, cycle: Cycle) -> bool:
        """Read a span to its end, cutting it as often as it needs; False: stop for this time."""
        work = [plan]
        while work:
            part = work.pop()
            reading = self._begin(part)
            if self._read_patiently(reading, cycle):
                self._close(reading, cycle)
            elif (halves := self._source.narrow(part.window)) is not None:
                cycle.narrowed(part.window)
                work += reversed(halves)
            else:
                return False
        return True

    def _begin(self, plan: Plan) -> Reading:
        if plan.counted_in is None:
            return Reading(plan, None, forgotten=False)
        before = self._intake.account(plan.counted_in)
        return Reading(plan, before, forgotten=self._intake.has_forgotten(before))

    def _fall_back(self, refusal: VendorRefused) -> None:
        other = self._source.refused(self._intake.checkpoint, refusal.number)
        if other is None:
            raise refusal
        self._journal.fell_back(refusal)
        self._intake.advance(lambda _checkpoint: other)

    def _read_patiently(self, reading: Reading, cycle: Cycle) -> bool:
        for attempt in range(_TRIES):
            try:
                return self._read(reading, cycle, last_try=attempt == _TRIES - 1)
            except (UnreadableAnswer, SessionEnded) as error:
                if attempt == _TRIES - 1 or isinstance(error, SessionSilent):
                    raise
                seconds = backoff(attempt, 1.0, 30.0, self._rng)
                self._journal.repeating(error, seconds)
                if self._clock.sleep(seconds):
                    raise Stopped from None
        raise AssertionError("unreachable")  # pragma: no cover

    def _read(self, reading: Reading, cycle: Cycle, *, last_try: bool) -> bool:
        """Commit the pages of a span; False when it has more than ``max_pages``."""
        plan, row = reading.plan, Row(reading.plan)
        for number, page in enumerate(self._pages(plan.request, cycle, last_try=last_try), 1):
            self._take(row.part(page), reading, cycle)
            if self._clock.stopping():
                raise Stopped
            if self._source.enough(plan, page):
                return True
            if (
                not plan.look
                and self._too_many(number, page)
                and (plan.keeps_cursor or self._can_narrow(plan))
            ):
                return False
        return True

    def _take(self, page: Page, reading: Reading, cycle: Cycle) -> None:
        if reading.comparison is not None:
            reading.comparison.add(page.events)
            return
        plan = reading.plan
        stats = self._intake.take(
            page,
            mode=plan.mode,
            pulling_id=str(cycle.pulling_id),
            counted_in=plan.counted_in,
            move=_move(plan, page),
        )
        reading.stats.add(stats)
        cycle.page(stats)

    def _too_many(self, number: int, page: Page) -> bool:
        return page.next is not None and 0 < self._source.max_pages <= number

    def _can_narrow(self, plan: Plan) -> bool:
        return self._source.narrow(plan.window) is not None

    def _pages(self, request: Request | None, cycle: Cycle, *, last_try: bool) -> Iterator[Page]:
        trail = _Trail()
        while request is not None:
            following: Request | None = None
            self._wait_for_room()
            cycle.stats.requests += 1
            for response in self._fetch(request):
                page = self._read_page(response, last_try=last_try)
                following = page.next
                yield page
                self._wait_for_room()
                if trail.circles(request, page):
                    raise UnreadableAnswer(
                        306,
                        "the vendor's next page is one that was read already",
                        "nothing to do: the span is asked for again",
                    )
            request = following

    def _wait_for_room(self) -> None:
        if not self._intake.wait_for_room():
            raise Stopped

    def _read_page(self, response: Response, *, last_try: bool) -> Page:
        try:
            fault.point("page.parse")
            return self._source.read(response)
        except UnreadableAnswer as error:
            if last_try:
                self._intake.keep_aside(response.body, str(error))
            raise

    def _close(self, reading: Reading, cycle: Cycle) -> None:
        hour = reading.plan.counted_in
        usual = None if hour is None else self._intake.usual(hour)
        move, entries = conclude(self._source, reading, usual, self._clock.now())
        self._intake.advance(move, entries)
        cycle.retrieved(reading.plan.window)


class _Trail:
    """The pages of one span so far, to notice when the vendor leads in circles."""

    def __init__(self) -> None:
        self._cursors: set[str] = set()
        self._records: list[str | bytes] = []

    def circles(self, request: Request, page: Page) -> bool:
        """Whether the page leads on to where we have been, or is the one before it."""
        records: list[str | bytes] = [event.id for event in page.events]
        records += [each.raw for each in page.rejected]
        again = page.next == request or page.cursor in self._cursors or records == self._records
        self._records = records
        if page.cursor is not None:
            self._cursors.add(page.cursor)
        return again and page.next is not None


def _move(plan: Plan, page: Page) -> Move:
    if not plan.keeps_cursor:
        return stay

    def to_cursor(checkpoint: Checkpoint) -> Checkpoint:
        return rules.at_cursor(checkpoint, page.cursor)

    return to_cursor
