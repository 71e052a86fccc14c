"""A state store in memory that keeps the books, and can fail like a real one."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from collector.core.checkpoint import Checkpoint
from collector.core.dedup import TIMELESS_SLOT
from collector.core.digests import pack, unpack
from collector.core.ledger import DONE, UNRECOVERABLE, Account, Entry, added, total
from collector.core.model import NO_TIME, Batch, Counts, Window
from collector.core.policy import Usage
from collector.core.store import Commit, DeadLetter
from collector.core.times import HOUR


class Crash(Exception):
    """The process is gone; what was committed stays."""


class MemoryStore:
    """Implements ``core.store.Store``; after each commit the books must balance.

    ``crash_before`` and ``crash_after`` count down commits: at zero the commit is
    lost, or durable, when ``Crash`` is raised.
    """

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.letters: list[DeadLetter] = []
        self.rows: dict[tuple[str, Window], Account] = {}
        self.commits = 0
        self.loads = 0
        self.crash_before: int | None = None
        self.crash_after: int | None = None
        self._checkpoints: dict[str, Checkpoint] = {}
        self._known: dict[str, dict[int, list[bytes]]] = defaultdict(lambda: defaultdict(list))
        self._usage: dict[str, Usage] = {}
        self._forgot = False

    def checkpoint(self, source: str) -> Checkpoint | None:
        """The last committed checkpoint."""
        return self._checkpoints.get(source)

    def known(self, source: str, slot: int) -> Iterable[bytes]:
        """The digests of a slot, one blob per commit."""
        self.loads += 1
        return list(self._known[source][slot])

    def known_counts(self, source: str, first: int, last: int) -> dict[int, int]:
        """How many digests each slot of a span holds."""
        slots = self._known[source].items()
        counts = {each: sum(map(len, blobs)) // 16 for each, blobs in slots}
        return {each: count for each, count in counts.items() if first <= each <= last and count}

    def account(self, source: str, hour: Window) -> Account:
        """One row of the ledger."""
        return self.rows.get((source, hour), Account(span=hour))

    def usual(self, source: str, hour: Window) -> int | None:
        """The median of the complete hours before one."""
        counts = sorted(
            row.counts.spooled + row.counts.filtered
            for (name, span), row in self.rows.items()
            if name == source and span < hour and row.state in DONE
        )
        return counts[len(counts) // 2] if len(counts) >= 3 else None

    def forget(self, source: str) -> None:
        """Drop every digest, as the housekeeping does long after."""
        self._known[source].clear()
        self._forgot = True

    def commit(self, commit: Commit) -> None:
        """Take it all, or nothing."""
        self.crash_before = self._countdown(self.crash_before)
        self._never_back(commit)
        for entry in commit.entries:
            self._account(commit.source, entry)
        for slot, digests in commit.digests.items():
            self._known[commit.source][slot].append(pack(digests))
        self.batches += commit.batches
        self.letters += commit.dead_letters
        self._checkpoints[commit.source] = commit.checkpoint
        self.commits += 1
        self._balance(commit.source)
        self.crash_after = self._countdown(self.crash_after)

    def usage(self, input_name: str) -> Usage:
        """The calls an input has used."""
        return self._usage.get(input_name, Usage())

    def save_usage(self, input_name: str, usage: Usage) -> None:
        """Keep the calls an input has used."""
        self._usage[input_name] = usage

    def lines(self) -> list[bytes]:
        """Every record spooled, in order, without its line end."""
        return [line for batch in self.batches for line in batch.body[:-1].split(b"\n")]

    def records(self) -> list[dict[str, Any]]:
        """Every record spooled, decoded."""
        return [json.loads(line) for line in self.lines()]

    def totals(self, source: str) -> Counts:
        """The sum of a source's ledger."""
        mine = (row.counts for (name, _), row in self.rows.items() if name == source)
        return sum(mine, start=Counts())

    def states_of(self, state: str) -> set[Window]:
        """The hours that are in this state."""
        return {span for (_, span), row in self.rows.items() if row.state == state}

    def _digest(self, source: str) -> int:
        return sum(row.digest for (name, _), row in self.rows.items() if name == source) % 2**128

    @staticmethod
    def _countdown(left: int | None) -> int | None:
        if left == 0:
            raise Crash
        return None if left is None else left - 1

    def _never_back(self, commit: Commit) -> None:
        before = self._checkpoints.get(commit.source)
        # Only a mark that a clock ran ahead to is ever taken back.
        ahead = before is not None and before.since > commit.observed + HOUR
        assert before is None or ahead or commit.checkpoint.since >= before.since, "since fell"

    def _account(self, source: str, entry: Entry) -> None:
        assert entry.counts.balanced(), entry
        row = self.account(source, entry.span)
        times = [time for time in (row.first, entry.first) if time != NO_TIME]
        settled = entry.state == UNRECOVERABLE and row.state in DONE
        state = row.state if entry.state is None or settled else entry.state
        self.rows[source, entry.span] = Account(
            span=row.span,
            state=state,
            reason=entry.reason if state == entry.state else row.reason,
            counts=row.counts + entry.counts,
            live=row.live + entry.live,
            repaired=row.repaired + entry.repaired,
            attempts=row.attempts + entry.attempts,
            digest=added(row.digest, entry.digest),
            first=min(times, default=NO_TIME),
            last=max(row.last, entry.last),
        )

    def _balance(self, source: str) -> None:
        """What was spooled is what is known, and what was kept aside is there."""
        totals = self.totals(source)
        # Before those of events lie the digests of what could not be read.
        events = [each for each in self._known[source] if each >= TIMELESS_SLOT]
        blobs = [blob for each in events for blob in self._known[source][each]]
        digests = unpack(blobs)
        assert totals.balanced()
        assert len(digests) == sum(map(len, blobs)) // 16, "an event was spooled twice"
        dead = sum(each.source == source and each.event is not None for each in self.letters)
        assert totals.spooled + totals.filtered + dead == len(digests) or self._forgot
        dated = digests - unpack(self._known[source][TIMELESS_SLOT])
        assert total(dated) == self._digest(source) or self._forgot
        assert totals.dead_lettered == Counter(each.source for each in self.letters)[source]
        for batch in self.batches:
            assert batch.body.count(b"\n") == batch.count
