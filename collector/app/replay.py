"""Dead letters once more: refused records to their output, unreadable bytes to their reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import msgspec

from collector.app.inputs import reader
from collector.config.models import Settings
from collector.core import ledger
from collector.core.ledger import Entry
from collector.core.model import NO_TIME, Clock, Counts, Page, Window
from collector.core.times import HOUR
from collector.persistence.letters import Filter, Letter
from collector.persistence.sqlite import SqliteStore
from collector.pullers.base import Source
from collector.pullers.intake import Intake

_AT_ONCE = 200
_TOLD = 20
"""Reasons that are told of letters that stay; the rest is counted."""


class Replayed(msgspec.Struct):
    """What became of the dead letters: records that wait for delivery again, and the rest."""

    letters: int = 0
    records: int = 0
    repeats: int = 0
    left: int = 0
    reasons: list[str] = msgspec.field(default_factory=list)
    full: bool = False

    def leave(self, letter: Letter, reason: str) -> None:
        """This one stays."""
        self.left += 1
        if len(self.reasons) < _TOLD:
            self.reasons.append(f"{letter.id}: {reason}")


class Replay:
    """Replays dead letters of an open store that no collector is using."""

    def __init__(self, settings: Settings, store: SqliteStore, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._limit = settings.globals.spool.max_bytes
        self._sources: dict[str, tuple[Source, Intake] | None] = {}
        self._done = Replayed()

    def run(self, wanted: Filter) -> Replayed:
        """Replay those that fit, oldest first, for as long as the spool has room.

        Each one is spooled in the transaction that takes it out.
        """
        for letters in self._chunks(wanted):
            fitting = self._fitting(letters)
            self._send_again([each for each in fitting if each.output is not None])
            for each in fitting:
                if each.output is None:
                    self._read_again(each)
            if len(fitting) < len(letters):
                self._done.full = True
                break
        return self._done

    def _fitting(self, letters: Sequence[Letter]) -> Sequence[Letter]:
        """The first of them, as many as the spool has room for."""
        sizes = accumulate((each.size for each in letters), initial=self._store.spool.size)
        fitting = sum(size <= self._limit for size in sizes) - 1
        return letters[: max(fitting, 0)]

    def _chunks(self, wanted: Filter) -> Iterator[list[Letter]]:
        # What a pipeline keeps aside once more is a new letter: it is not tried for ever.
        after, newest = 0, self._store.newest_letter()
        while after < newest and (letters := self._store.dead_letters(wanted, after, _AT_ONCE)):
            after = letters[-1].id
            yield [each for each in letters if each.id <= newest]

    def _send_again(self, letters: Sequence[Letter]) -> None:
        ready = []
        for each in letters:
            if each.output in self._settings.outputs:
                ready.append(each)
            else:
                self._done.leave(each, f"no output is called {each.output} any more")
        self._store.send_again(ready)
        self._done.letters += len(ready)
        self._done.records += len(ready)

    def _read_again(self, letter: Letter) -> None:
        found = self._reader(letter.source)
        if found is None:
            self._done.leave(letter, f"no service is called {letter.source} any more")
            return
        source, intake = found
        page = _page(source, letter, self._store.dead_letter(letter.id) or b"")
        if page.rejected or not page.events:
            reason = page.rejected[0].reason if page.rejected else "it holds no record"
            self._done.leave(letter, f"still unreadable: {reason}")
        elif letter.event is not None and len(page.events) > 1:
            self._done.leave(letter, "one event once, which is read as several now")
        else:
            self._take(letter, page, intake)

    def _take(self, letter: Letter, page: Page, intake: Intake) -> None:
        known = letter.event is not None and letter.hour != NO_TIME
        stats = intake.take(
            page,
            mode="replay",
            pulling_id=str(self._clock.now() // 1000),
            counted_in=Window(letter.hour, letter.hour + HOUR) if known else None,
            conclude=lambda _before, _after: self._uncounted(letter, intake),
            replayed=[letter.id],
            again=letter.event if known else None,
        )
        if stats.rejected:
            self._done.leave(letter, "a pipeline keeps it aside again")
            return
        self._done.letters += 1
        self._done.records += stats.generated
        self._done.repeats += stats.duplicates

    def _uncounted(self, letter: Letter, intake: Intake) -> list[Entry]:
        """The row that counted the letter as dead no longer does, if it is still there.

        A known event is counted there once more, now by what becomes of it.  Its digest is
        in the row even where the count went with a letter that was not counted there.
        """
        if letter.hour == NO_TIME:
            return []
        hour = Window(letter.hour, letter.hour + HOUR)
        # The digest of a row is made of dated events alone.
        known = () if letter.event is None or letter.time == NO_TIME else (letter.event,)
        dead = min(intake.account(hour).counts.dead_lettered, 1)
        if not dead and not known:
            return []
        less = Counts(received=-dead, dead_lettered=-dead)
        return [Entry(span=hour, counts=less, digest=-ledger.total(known))]

    def _reader(self, source_id: str) -> tuple[Source, Intake] | None:
        if source_id not in self._sources:
            self._sources[source_id] = self._made(source_id)
        return self._sources[source_id]

    def _made(self, source_id: str) -> tuple[Source, Intake] | None:
        found = reader(self._settings, source_id)
        checkpoint = self._store.checkpoint(source_id)
        if found is None or checkpoint is None:
            return None
        source, to = found
        return source, Intake(self._store, source, to, checkpoint, self._clock)


def _page(source: Source, letter: Letter, raw: bytes) -> Page:
    """What the letter holds: the event that it is, or what can be read of it today.

    A letter of an event may lack the mark that it is one, from an earlier release.  It was
    kept aside for another reason than that for which it cannot be read.
    """
    restore = source.restore or (lambda raw, _time: source.reread(raw))
    if letter.event is not None:
        return restore(raw, letter.time)
    page = source.reread(raw)
    unreadable = page.rejected and not page.events
    if unreadable and page.rejected[0].reason != letter.reason:
        return restore(raw, letter.time)
    return page
