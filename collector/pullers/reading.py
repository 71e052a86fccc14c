"""One reading of a span, from its plan to what it proves.

A first reading of an hour makes it complete, unless it held far fewer records than usual:
then it settles, and is looked at again.  A second look, or a first reading of an
hour that live was heard in, verifies the hour or repairs it.  An hour whose ids
are no longer kept cannot be told apart event by event: it is only compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from collector.core import checkpoint as rules
from collector.core import dedup, ledger, times
from collector.core.checkpoint import Checkpoint
from collector.core.digest_set import DigestSet
from collector.core.digests import pack
from collector.core.ledger import Account, Entry
from collector.core.model import NO_TIME, Event, Micros, Page
from collector.core.stats import PullStats
from collector.pullers.base import Plan, Source


class Comparison:
    """The events of an hour whose ids are gone: counted and summed, never delivered."""

    def __init__(self) -> None:
        self._digests = DigestSet()

    def add(self, events: Sequence[Event]) -> None:
        """Take in one page."""
        digests = list(dict.fromkeys(ledger.summed(events, map(dedup.digest, events))))
        held = self._digests.held(digests)
        self._digests.update(pack(each for each in digests if each not in held))

    def verdict(self, before: Account) -> Entry:
        """Whether these are the events that were taken, whatever became of each of them."""
        if ledger.total(self._digests) == before.digest:
            return Entry(span=before.span, state=ledger.VERIFIED, attempts=1)
        counts = before.counts
        reason = (
            f"the vendor now has {len(self._digests)} events, and not those that were taken: "
            f"{counts.spooled} delivered, {counts.filtered} filtered, "
            f"{counts.dead_lettered} kept aside"
        )
        return Entry(span=before.span, state=ledger.PARTIAL, reason=reason, attempts=1)


class Row:
    """What of the pages of a plan is to be taken, page by page, in order.

    Where the plan is confined to its window, events of other times are left out: they
    belong to other rows.  An event without a time goes with the one before it.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._inside = True

    def part(self, page: Page) -> Page:
        """The page without what belongs to other rows."""
        if not self._plan.confined:
            return page
        return msgspec.structs.replace(page, events=list(filter(self._belongs, page.events)))

    def _belongs(self, event: Event) -> bool:
        window = self._plan.window
        if event.time != NO_TIME:
            self._inside = window.start <= event.time < window.end
        return self._inside


class Reading:
    """A plan under way: the row as it was, and the numbers since."""

    def __init__(self, plan: Plan, before: Account | None, *, forgotten: bool) -> None:
        self.plan = plan
        self.stats = PullStats()
        self.before = before
        self.comparison = Comparison() if forgotten else None
        if before is not None and (plan.look or before.live or before.state in ledger.DONE):
            self.plan = msgspec.structs.replace(plan, mode=ledger.REPAIR)

    @property
    def fresh(self) -> int:
        """Events that were not known before."""
        return self.stats.received - self.stats.duplicates - self.stats.rejected


def conclude(
    source: Source, reading: Reading, usual: int | None, now: Micros
) -> tuple[Callable[[Checkpoint], Checkpoint], list[Entry]]:
    """What a span that was read to its end means for checkpoint and ledger."""
    if reading.before is None:
        return _window_closed(source, reading.plan, now)
    return _hour_closed(source, reading, reading.before, usual, now)


def _window_closed(
    source: Source, plan: Plan, now: Micros
) -> tuple[Callable[[Checkpoint], Checkpoint], list[Entry]]:
    late = source.settling.late
    wanting = [
        hour
        for hour in ledger.hours_in(plan.window)
        # What was read of an hour before this window was read earlier, maybe too early.
        if late and (hour.end + late > now or hour.start < plan.window.start)
    ]

    def move(checkpoint: Checkpoint) -> Checkpoint:
        checkpoint = source.close(checkpoint, plan)
        for hour in wanting:
            checkpoint = rules.look_again(checkpoint, hour, hour.end + late)
        return checkpoint

    return move, ledger.closed(plan.window)


def _hour_closed(
    source: Source, reading: Reading, before: Account, usual: int | None, now: Micros
) -> tuple[Callable[[Checkpoint], Checkpoint], list[Entry]]:
    plan, settling = reading.plan, source.settling
    entry = _proven(reading, before)
    count = reading.stats.received
    few = ledger.strikingly_few(count, usual, settling.few_ratio)
    again = entry.state == ledger.COMPLETE and few and settling.recheck > 0
    if again:
        when = times.isoformat(times.floor_second(now + settling.recheck))
        reason = f"only {count} events; looked at again after {when}"
        entry = msgspec.structs.replace(entry, state=ledger.SETTLING, reason=reason)

    def move(checkpoint: Checkpoint) -> Checkpoint:
        checkpoint = rules.looked(source.close(checkpoint, plan), plan.window)
        if again:
            checkpoint = rules.look_again(checkpoint, plan.window, now + settling.recheck)
        return checkpoint

    return move, [entry]


def _proven(reading: Reading, before: Account) -> Entry:
    if reading.comparison is not None:
        return reading.comparison.verdict(before)
    read_before = before.state in ledger.DONE or before.state == ledger.SETTLING
    if before.live or read_before:
        return ledger.looked_at(before, reading.fresh)
    return Entry(span=before.span, state=ledger.COMPLETE, attempts=1)
