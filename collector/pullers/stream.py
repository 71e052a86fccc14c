"""The live side of a PoD service: one session after the other, and the hours between.

Live cannot choose its start and proves nothing about what was in flight when a
session ends badly; so whatever a session may have missed is owed by the archive
(``core.checkpoint.connected``).  With one token the two sides take turns: the
session is closed in order when an owed hour can be fetched, for at most one
session per token and type may exist.

While the spool is full the stream is not read, so that the vendor is held up.  A
session that would have to be held longer than the vendor bears is closed in order
first, and what comes after it is asked for again like after any other break.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

import msgspec

from collector.core import checkpoint as rules
from collector.core import fault, ledger, state
from collector.core.checkpoint import Checkpoint
from collector.core.ledger import Entry
from collector.core.model import Clock, Event, Micros, Request, Response
from collector.core.policy import backoff
from collector.core.times import SECOND
from collector.errors import SessionEnded, UnreadableAnswer, VendorRefused, VendorUnavailable
from collector.pullers import gaps
from collector.pullers.base import Source
from collector.pullers.intake import Intake
from collector.pullers.journal import Cycle, Journal
from collector.pullers.pull import Puller

_SHORT = 60.0
"""A session shorter than this, in seconds, makes the next one wait longer."""
_HEARD_EVERY = 60.0
"""Seconds between notes in the checkpoint that a silent session is alive."""
_SUMMARY_EVERY = 300.0
_QUIET = 300.0
"""Seconds without a record after which nothing can wait for us at the server any more."""
_LONGEST_PAUSE = 60.0
"""Seconds for which a session is held open, not read, and sends nothing.

The server ends it 300 s after a ping that may be old (docs/vendor-notes.md, PoD 3).
"""
_LOOK_AT_CLOCK = 60.0
"""Seconds after which a clock that was wrong is looked at again."""
_REPLAYED = 20_000
"""Records, all of them known, after which a session that brings nothing new is an alarm."""


class Session(Protocol):
    """An open stream (``wire.stream.Stream``)."""

    def __enter__(self) -> Self:
        """The session itself."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what is still open."""
        ...

    @property
    def lasts(self) -> bool:
        """Whether it is still open."""
        ...

    @property
    def clean(self) -> bool:
        """Whether it ended in order: nothing was in flight."""
        ...

    @property
    def ended(self) -> str:
        """How it ended, for a log line."""
        ...

    @property
    def silent_for(self) -> float:
        """Seconds since anything was heard."""
        ...

    def read(self) -> Sequence[bytes]:
        """The next messages; may be none."""
        ...

    def finish(self) -> Sequence[bytes]:
        """Close in order; the messages that were in flight."""
        ...


class Turns(msgspec.Struct, frozen=True, kw_only=True):
    """How the live side and the archive take turns (docs/vendor-notes.md, PoD 2 and 8).

    ``memory``: how long the server remembers where a session dropped; ``resumes``: whether
    it goes on there; ``slack``: how late a record may arrive; ``delay``: how long after its
    end an hour can be fetched; ``archive_retry``: how long after a failed fetch the next;
    ``verify``: whether hours heard live are compared with the archive; ``begins``: whether
    the source begins with its very first session: nobody was promised what was before.
    """

    memory: Micros = 3000 * SECOND
    resumes: bool = True
    slack: Micros = 900 * SECOND
    delay: Micros = 3600 * SECOND
    archive_retry: Micros = 600 * SECOND
    verify: bool = False
    begins: bool = False


class Streamer:
    """Keeps a live session of one source; ``run`` lasts until the program stops."""

    def __init__(
        self,
        source: Source,
        request: Request,
        connect: Callable[[Request], Session],
        archive: Puller | None,
        intake: Intake,
        turns: Turns,
        journal: Journal,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._source = source
        self._request = request
        self._connect = connect
        self._archive = archive
        self._intake = intake
        self._turns = turns
        self._journal = journal
        self._clock = clock
        self._rng = rng
        self._archive_not_before = 0.0
        self._origin: Micros = 0
        self._came_at = 0.0

    def run(self) -> None:
        """Fetch what is owed, then listen; again and again.

        Raises ``AuthenticationError``, ``VendorRefused`` and ``StateError``; whatever
        else ends a session only leads to the next one.
        """
        short = 0
        while not self._clock.stopping():
            if self._archive_is_due():
                self._fetch_owed()
            if not self._intake.wait_for_room():
                return
            if self._clock_is_behind():
                self._journal.clock_is_behind()
                self._clock.sleep(_LOOK_AT_CLOCK)
                continue
            started = self._clock.monotonic()
            self._listen()
            short = short + 1 if self._clock.monotonic() - started < _SHORT else 0
            if short and self._clock.sleep(backoff(short - 1, 1.0, 60.0, self._rng)):
                return

    def _clock_is_behind(self) -> bool:
        """Whether the clock is wrong; nothing can tell where the only times are its own."""
        dated = self._source.dated
        return dated and state.clock_is_behind(self._intake.checkpoint, self._clock.now())

    def _archive_is_due(self) -> bool:
        if self._archive is None or self._clock.monotonic() < self._archive_not_before:
            return False
        now = self._clock.now()
        checkpoint = self._intake.checkpoint
        return (
            checkpoint.live is None
            or rules.due(checkpoint, now, self._turns.delay) is not None
            or rules.due_look(checkpoint, now) is not None
        )

    def _fetch_owed(self) -> None:
        assert self._archive is not None  # noqa: S101 - asked for just before
        try:
            self._archive.pull()
        except (VendorUnavailable, UnreadableAnswer, SessionEnded, VendorRefused) as error:
            # The owed hours stay owed; live must not wait for them.
            self._archive_not_before = self._clock.monotonic() + self._turns.archive_retry / SECOND
            self._journal.log.error("%s; the owed hours are tried again later", error)

    def _listen(self) -> None:
        if self._source.dated:  # else ``pullers/gaps.py`` takes marks back, and tells the ledger
            self._intake.prepare(self._clock.now())
        with self._connect(self._request) as session:
            cycle = self._journal.listen(self._clock.now())
            cycle.stats.requests += 1
            self._origin = self._clock.now() - self._passed()
            self._came_at = self._clock.monotonic()
            self._intake.advance(self._connected, conclude=self._began)
            self._receive(session, cycle)
            heard = self._heard_until(session)
            clean = session.clean
        self._intake.advance(
            lambda checkpoint: self._heard(checkpoint, heard, None, clean=clean),
            conclude=self._vouched,
        )
        cycle.summary()
        cycle.log.info("Live session %s", session.ended)

    def _receive(self, session: Session, cycle: Cycle) -> None:
        noted = told = self._clock.monotonic()
        while session.lasts:
            if not self._intake.wait_for_room(_LONGEST_PAUSE):
                self._take(session.finish(), session, cycle)
                return
            messages = session.read()
            now = self._clock.monotonic()
            if messages or now - noted > _HEARD_EVERY:
                self._take(messages, session, cycle)
                noted = now
            if now - told > _SUMMARY_EVERY:
                cycle.summary()
                told = now
            # With one token, live must make way for the archive.
            if self._archive_is_due() or self._clock.stopping():
                self._take(session.finish(), session, cycle)
                return

    def _take(self, messages: Sequence[bytes], session: Session, cycle: Cycle) -> None:
        heard = self._heard_until(session)
        fault.point("page.parse")
        page = self._source.read(Response(request=self._request, status=101, messages=messages))
        came = page.events if page.events or session.lasts else None
        if came:
            self._came_at = self._clock.monotonic()
        stats = self._intake.take(
            page,
            mode=ledger.LIVE,
            pulling_id=str(cycle.pulling_id),
            move=lambda checkpoint: self._heard(checkpoint, heard, came, clean=False),
            conclude=self._vouched,
        )
        cycle.stats.add(stats)
        if cycle.stats.generated == 0 and cycle.stats.received > _REPLAYED:
            cycle.replays_only(cycle.stats.received)

    def _heard_until(self, session: Session) -> Micros:
        """Until when live was heard: a machine that sleeps hears nothing, though its clock goes on.

        Nor does a clock that is set forward make us have heard what is still to come.
        """
        now = min(self._clock.now(), self._origin + self._passed())
        return now - int(session.silent_for * SECOND)

    def _passed(self) -> Micros:
        return int(self._clock.monotonic() * SECOND)

    def _heard(
        self, before: Checkpoint, now: Micros, came: Sequence[Event] | None, *, clean: bool
    ) -> Checkpoint:
        """``came``: what was given just now; None: the session ended, which says nothing."""
        sound = before
        if not self._source.dated:
            sound = state.set_right(before, self._clock.now(), now)
        after = rules.heard(sound, now, clean=clean)
        if came is not None:
            quiet = self._clock.monotonic() - self._came_at > _QUIET
            after = rules.caught_up(after, came, now, quiet=quiet)
        if not self._turns.verify:
            return after
        for hour in rules.heard_whole(before, after, self._turns.slack):
            after = rules.look_again(after, hour, hour.end + self._turns.delay)
        return after

    def _vouched(self, before: Checkpoint, after: Checkpoint) -> list[Entry]:
        """Hours heard without a break are complete, or settle until the archive agrees."""
        kind = ledger.SETTLING if self._turns.verify else ledger.COMPLETE
        entries = [
            Entry(span=hour, state=kind, reason=gaps.how_heard(hour, after))
            for hour in rules.heard_whole(before, after, self._turns.slack)
        ]
        if not self._source.dated:
            entries += gaps.reopened(before, self._clock.now(), self._intake.account)
        return entries

    def _began(self, before: Checkpoint, after: Checkpoint) -> list[Entry]:
        first = self._turns.begins and before.live is None
        return [gaps.began(after.initial_start_time)] if first else []

    def _connected(self, checkpoint: Checkpoint) -> Checkpoint:
        now = self._clock.now()
        sound = state.corrected(checkpoint, now)
        if self._turns.begins and sound.live is None:
            sound = rules.begun(sound, now)
        return rules.connected(
            sound, now, self._turns.memory, self._turns.slack, resumes=self._turns.resumes
        )
