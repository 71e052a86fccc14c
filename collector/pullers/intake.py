"""Where every page of every source goes through: drop what is known, commit the rest.

One transaction per page carries the records, their ids, what was kept aside, the
ledger and the checkpoint; there is no other way to move a checkpoint.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from collector.core import batching, dedup, fault, ledger, state, work
from collector.core import checkpoint as rules
from collector.core.batching import Limits, Origin
from collector.core.checkpoint import Checkpoint
from collector.core.dedup import TIMELESS_SLOT, Fresh
from collector.core.gate import OPEN, Gate
from collector.core.known import Known
from collector.core.ledger import Account, Entry
from collector.core.model import NO_TIME, Clock, Micros, Page, Rejected, Window
from collector.core.rejects import KnownRejects
from collector.core.stats import PullStats
from collector.core.store import Commit, DeadLetter, Store
from collector.core.times import HOUR
from collector.core.work import Pipeline, Worked
from collector.errors import StateError, Stopped
from collector.pullers.base import Source, whole

Move = Callable[[Checkpoint], Checkpoint]
Conclude = Callable[[Checkpoint, Checkpoint], Sequence[Entry]]
"""What the ledger is told of a move: from the checkpoint before it and after it."""


def nothing(_before: Checkpoint, _after: Checkpoint) -> Sequence[Entry]:
    """Conclude nothing."""
    return ()


def stay(checkpoint: Checkpoint) -> Checkpoint:
    """Leave the checkpoint as it is."""
    return checkpoint


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of every record of a source, what goes with it, and where it goes.

    ``about`` is what its operator says of it; a record without a ``pipeline`` is
    delivered as it came.
    """

    input: str
    source_id: str
    outputs: tuple[str, ...]
    limits: Limits = Limits()
    metadata: bool = True
    about: Mapping[str, Any] = {}
    pipeline: Pipeline | None = None


class Intake:
    """The committed side of one source; safe for the two lanes of a hybrid service."""

    def __init__(
        self,
        store: Store,
        source: Source,
        destination: Destination,
        checkpoint: Checkpoint,
        clock: Clock,
        gate: Gate = OPEN,
    ) -> None:
        self._store = store
        self._source = source
        self._to = destination
        self._clock = clock
        self._gate = gate
        self._checkpoint = checkpoint
        self._records = whole(source.records)
        load = partial(store.known, destination.source_id)
        self._known = Known(load)
        self._rejects = KnownRejects(load, repeated=source.repeats)
        self._lock = threading.RLock()
        self._totals = PullStats()

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint as it is stored."""
        return self._checkpoint

    def wait_for_room(self, longest: float | None = None) -> bool:
        """Return when more may be asked for; see ``core.gate.Gate``."""
        return self._gate.wait(longest)

    def take(
        self,
        page: Page,
        *,
        mode: str,
        pulling_id: str,
        counted_in: Window | None = None,
        move: Move = stay,
        conclude: Conclude = nothing,
        replayed: Sequence[int] = (),
        again: bytes | None = None,
    ) -> PullStats:
        """Commit one page; on return its new records will be delivered, whatever happens.

        ``move`` is applied to the checkpoint in the same transaction, ``conclude`` tells the
        ledger what the move means, and the dead letters with the ids ``replayed`` are taken
        out.  ``again``: the page is one event, known by this digest, and taken all the same.

        A page waits for room, and ``Stopped`` is raised when the program stops
        meanwhile: it is asked for again.  What live gave is given once, so it is
        never held back.
        """
        while True:
            with self._lock:
                fault.point("dedup.check")
                fresh = self._known.fresh(page.events, again)
                worked, commit = self._prepared(
                    page, fresh, mode, pulling_id, counted_in, move, conclude
                )
                commit = msgspec.structs.replace(commit, replayed=replayed)
                with self._gate.admitted(_size(commit)) as fits:
                    if fits or mode == ledger.LIVE:
                        self._commit(commit)
                        self._known.remember(worked.fresh.slots)
                        self._rejects.remember(worked.aside.slots)
                        return self._counted(page, worked, commit)
            if not self._gate.wait():
                raise Stopped

    def _prepared(
        self,
        page: Page,
        fresh: Fresh,
        mode: str,
        pulling_id: str,
        counted_in: Window | None,
        move: Move,
        conclude: Conclude,
    ) -> tuple[Worked, Commit]:
        now = self._clock.now()
        fault.point("event.flatten")
        worked = self._worked(fresh)._replace(aside=self._rejects.fresh(page.rejected, now))
        origin = self._origin(mode, pulling_id, now, counted_in)
        after = move(rules.taken(self._checkpoint, fresh.events))
        entries = ledger.entries(work.received(page, worked, now, mode), counted_in)
        letters = [self._letter(each.raw, each.reason, origin) for each in worked.aside.rejected]
        letters += [
            self._letter(each.original or each.raw, reason, origin, each.time, digest)
            for each, reason, digest in worked.dead
        ]
        return worked, Commit(
            source=self._to.source_id,
            checkpoint=after,
            observed=now,
            batches=batching.batches(
                origin, worked.lines, self._to.limits, metadata=self._to.metadata
            ),
            digests=worked.fresh.slots | worked.aside.slots,
            entries=[*entries, *conclude(self._checkpoint, after)],
            dead_letters=letters,
        )

    def _worked(self, fresh: Fresh) -> Worked:
        if self._to.pipeline is None:
            return work.flattened(fresh, self._records)
        return work.piped(fresh, self._records, self._to.pipeline)

    def _counted(self, page: Page, worked: Worked, commit: Commit) -> PullStats:
        stats = PullStats(
            received=len(page.events) + len(page.rejected),
            duplicates=worked.fresh.duplicates + worked.aside.repeats,
            generated=sum(batch.count for batch in commit.batches),
            filtered=len(worked.filtered),
            rejected=len(commit.dead_letters),
        )
        self._totals.add(stats)
        return stats

    def advance(
        self, move: Move, entries: Sequence[Entry] = (), conclude: Conclude = nothing
    ) -> None:
        """Move the checkpoint alone; nothing is written when it stays where it is."""
        with self._lock:
            moved = move(self._checkpoint)
            entries = [*entries, *conclude(self._checkpoint, moved)]
            if moved == self._checkpoint and not entries:
                return
            self._commit(
                Commit(
                    source=self._to.source_id,
                    checkpoint=moved,
                    observed=self._clock.now(),
                    entries=entries,
                )
            )

    def totals(self) -> PullStats:
        """What was taken since the start."""
        with self._lock:
            return msgspec.structs.replace(self._totals)

    def needed_from(self) -> Micros:
        """No event before this can come again by itself: its id need not be known for ever."""
        looks = [look.start for look in self._checkpoint.looks]
        # A clock that ran ahead makes the next reading begin before the newest event.
        sure = min(rules.complete_until(self._checkpoint), self._checkpoint.last_event_time)
        return min([sure - max(HOUR, self._source.lookback), *looks])

    def account(self, hour: Window) -> Account:
        """The ledger's row of one of this source's hours."""
        return self._store.account(self._to.source_id, hour)

    def has_forgotten(self, row: Account) -> bool:
        """Whether ids of what a row took are no longer kept; see ``core.dedup.forgotten``."""
        count = partial(self._store.known_counts, self._to.source_id)
        kept = count(row.first // HOUR, row.last // HOUR) | count(TIMELESS_SLOT, TIMELESS_SLOT)
        return dedup.forgotten(row, kept)

    def usual(self, hour: Window) -> int | None:
        """How many events such an hour usually has."""
        return self._store.usual(self._to.source_id, hour)

    def prepare(self, now: Micros) -> bool:
        """Let the source put its checkpoint in order before a pull plans from it.

        True when marks of a clock that ran ahead had to be taken back first.
        """
        with self._lock:
            sound = state.corrected(self._checkpoint, now)
            corrected = sound != self._checkpoint
            prepared = self._source.prepare(sound, now)
            self.advance(lambda _checkpoint: prepared.checkpoint, prepared.entries)
            return corrected

    def keep_aside(self, raw: bytes, reason: str) -> None:
        """Keep bytes that are no page at all, so that nobody need wonder what came."""
        self.take(Page(events=[], rejected=[Rejected(raw, reason)]), mode="", pulling_id="")

    def _origin(self, mode: str, pulling_id: str, now: Micros, counted_in: Window | None) -> Origin:
        return Origin(
            input=self._to.input,
            service=self._source.service,
            source=self._to.source_id,
            tag=self._source.tag,
            mode=mode,
            pulling_id=pulling_id,
            observed=now,
            outputs=self._to.outputs,
            counted_in=counted_in,
            about=self._to.about,
        )

    def _commit(self, commit: Commit) -> None:
        try:
            self._store.commit(commit)
        except StateError:
            self._known.forget()  # it may be stored all the same: what is stored decides
            self._rejects.forget()
            raise
        self._checkpoint = commit.checkpoint

    def _letter(
        self,
        raw: bytes,
        reason: str,
        origin: Origin,
        time: Micros = NO_TIME,
        event: bytes | None = None,
    ) -> DeadLetter:
        return DeadLetter(
            source=self._to.source_id,
            tag=self._source.tag,
            reason=reason,
            raw=raw,
            observed=origin.observed,
            hour=origin.row(time) * HOUR,
            time=time,
            event=event,
        )


def _size(commit: Commit) -> int:
    """The bytes that a commit adds to the spool."""
    return sum(len(batch.body) for batch in commit.batches)
