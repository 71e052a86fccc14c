"""The health of all sources, outputs and the collector: kept, told, and asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

import msgspec

from collector import logs
from collector.core import health as rules
from collector.core.health import Change, Fault, Health, Notice, Signal
from collector.core.model import Clock, Micros
from collector.errors import StateError

_AFTER_SECONDS = 120.0
"""How old what is stored may become while nothing changes."""
_MOST_NEWS = 1000
"""Changes that wait to be told; the oldest makes way."""


class HealthRecords(Protocol):
    """Where health is kept (``persistence.health.HealthStore``); all raise ``StateError``."""

    def load(self) -> dict[str, Health]:
        """What the last run left, by subject."""
        ...

    def save(self, rows: Mapping[str, Health], now: Micros) -> None:
        """Store these rows as of now."""
        ...

    def keep_only(self, subjects: Collection[str]) -> None:
        """Forget all other subjects."""
        ...


class Board:
    """How every subject fares; safe to use from many threads.

    A subject is a source (``input#service``), an output (``output NAME``) or the
    ``collector``.  Only sources have a state that is told.
    """

    def __init__(self, records: HealthRecords, clock: Clock) -> None:
        """Begin from what the last run left; raises ``StateError``."""
        self._records = records
        self._clock = clock
        self._lock = threading.RLock()
        self._last_run = records.load()
        self._now: dict[str, Health] = {}
        self._saved: dict[str, Health] = {}
        self._save_at = 0.0
        self._saves_data = True
        self._news: deque[Change | Notice] = deque(maxlen=_MOST_NEWS)

    def begin(self, subject: str) -> None:
        """A subject of this run; asked for once more, it stays as it is."""
        with self._lock:
            if subject not in self._now:
                before = self._last_run.get(subject)
                self._now[subject] = rules.begun(before, self._clock.now())

    def health(self, subject: str) -> Health:
        """How a subject fares; it must have been begun."""
        with self._lock:
            return self._now[subject]

    def signal(self, subject: str, signal: Signal) -> None:
        """Something happened to a subject."""
        with self._lock:
            self._put(subject, rules.signalled(self._now[subject], signal, self._clock.now()))

    def failed(self, subject: str, part: str, fault: Fault, times: int = 1) -> None:
        """A part of a subject met a fault, so many times."""
        fault = msgspec.structs.replace(fault, cause=logs.redacted(fault.cause))
        with self._lock:
            now = self._clock.now()
            self._put(subject, rules.failed(self._now[subject], part, fault, now, times))

    def progressed(self, subject: str, part: str) -> None:
        """A part of a subject works."""
        with self._lock:
            self._put(subject, rules.progressed(self._now[subject], part, self._clock.now()))

    def data(self, subject: str) -> None:
        """New records came."""
        with self._lock:
            now = self._clock.now()
            self._put(subject, msgspec.structs.replace(self._now[subject], last_data=now))

    def end(self, signal: Signal) -> None:
        """The collector stops, or has stopped."""
        with self._lock:
            for subject in self._now:
                self.signal(subject, signal)

    def news(self) -> list[Change | Notice]:
        """What happened since it was last asked for."""
        with self._lock:
            told = list(self._news)
            self._news.clear()
            return told

    def standing(self) -> list[Notice]:
        """The health events that stand now."""
        with self._lock:
            now = self._clock.now()
            return [
                Notice(subject=subject, time=now, status="open", event=event)
                for subject, health in self._now.items()
                for event in health.events
            ]

    def save(self) -> None:
        """Store the rows that changed, and every two minutes all; raises ``StateError``.

        After a failure only another state or event is worth a try in that time: the disk
        may be full.
        """
        with self._lock:
            rows = self._worth_saving()
            self._saved = self._saved | rows
        if not rows:
            return
        try:
            self._records.save(rows, self._clock.now())
        except StateError:
            self._saves_data = False
            raise

    def _worth_saving(self) -> dict[str, Health]:
        """All rows when they are due, else those that say something new."""
        if self._clock.monotonic() >= self._save_at:
            self._save_at = self._clock.monotonic() + _AFTER_SECONDS
            self._saves_data = True
            return dict(self._now)
        return {
            subject: health
            for subject, health in self._now.items()
            if (before := self._saved.get(subject)) is None
            or _as_told(health) != _as_told(before)
            or (self._saves_data and health.last_data != before.last_data)
        }

    def keep_only(self, subjects: Iterable[str]) -> None:
        """Forget what the configuration no longer names; raises ``StateError``."""
        self._records.keep_only({*subjects, *self._now})

    def _put(self, subject: str, after: Health) -> None:
        before = self._now[subject]
        self._now[subject] = after
        self._news.extend(rules.news(subject, before, after, self._clock.now()))


def _as_told(health: Health) -> tuple[object, ...]:
    """What is worth a write though the last one failed: the state, and which events stand."""
    return health.state, *(event.key for event in health.events)
