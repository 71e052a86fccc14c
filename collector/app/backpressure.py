"""Back-pressure: while the spool is full, nothing more is taken from the vendor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collector.core.gate import Marks
from collector.core.log import Log
from collector.core.model import Clock
from collector.errors import Undelivered
from collector.senders.error_numbers import SPOOL_FULL

_LOOK_SECONDS = 1.0
_MIB = 1024 * 1024


class SpoolGate:
    """Lets pullers pass while the spool has room; safe to ask from many threads.

    ``size`` answers the bytes that wait now.  ``patience`` is how many seconds
    without progress a one-shot run waits before it gives up; None waits for ever.
    """

    def __init__(
        self,
        size: Callable[[], int],
        marks: Marks,
        clock: Clock,
        log: Log,
        patience: float | None = None,
    ) -> None:
        self._size = size
        self._marks = marks
        self._clock = clock
        self._log = log
        self._patience = patience
        self._lock = threading.Lock()
        self._promised = 0
        self._goal = marks.opened
        self._since: float | None = None
        self._smallest = 0
        self._progress = 0.0
        self._earlier = 0.0

    @property
    def limit(self) -> int:
        """How many bytes may wait."""
        return self._marks.limit

    @property
    def paused(self) -> bool:
        """Whether pulling is paused."""
        with self._lock:
            return self._since is not None

    @property
    def paused_seconds(self) -> float:
        """How long pulling has been paused since the start, in all."""
        with self._lock:
            now = self._clock.monotonic()
            return self._earlier + (0.0 if self._since is None else now - self._since)

    def wait(self, longest: float | None = None) -> bool:
        """Return when there is room; see ``core.gate.Gate``."""
        asked = self._clock.monotonic()
        while not self._open():
            waited = self._clock.monotonic() - asked
            if self._clock.stopping() or (longest is not None and waited >= longest):
                return False
            self._clock.sleep(_LOOK_SECONDS)
        return True

    @contextmanager
    def admitted(self, size: int) -> Iterator[bool]:
        """A block in which so many bytes may be committed; see ``core.gate.Gate``."""
        fits = self._promise(size)
        try:
            yield fits
        finally:
            if fits:
                with self._lock:
                    self._promised -= size

    def _promise(self, size: int) -> bool:
        """Keep room for bytes about to be committed; an empty spool takes any."""
        with self._lock:
            used = self._size() + self._promised
            if not used or used + size <= self._marks.limit:
                self._promised += size
                return True
            self._goal = min(self._goal, max(self._marks.limit - size, 0))
            if self._since is None:
                self._pause(used, self._clock.monotonic())
            return False

    def _open(self) -> bool:
        with self._lock:
            size, now = self._size(), self._clock.monotonic()
            if self._since is None:
                if size < self._marks.shut:
                    return True
                self._pause(size, now)
            elif size <= self._goal:
                self._go_on(now - self._since)
                return True
            self._watch(size, now)
            return False

    def _pause(self, size: int, now: float) -> None:
        self._since, self._smallest, self._progress = now, size, now
        self._log.warning(
            "Pulling is paused: %.1f of %.1f MiB wait for outputs; nothing is dropped, and pulling "
            "goes on by itself -> see why an output does not take its records "
            "('collector state show' names it), or raise globals.spool.max_bytes",
            size / _MIB,
            self._marks.limit / _MIB,
        )

    def _go_on(self, paused: float) -> None:
        self._earlier += paused
        self._since = None
        self._goal = self._marks.opened
        self._log.info("Pulling goes on after a pause of %.0f seconds: the spool has room", paused)

    def _watch(self, size: int, now: float) -> None:
        """Give a one-shot run up that no output helps on."""
        if size < self._smallest:
            self._smallest, self._progress = size, now
        if self._patience is not None and now - self._progress > self._patience:
            raise Undelivered(
                SPOOL_FULL,
                "the spool is full and no output takes its records",
                "bring the output back, or raise globals.spool.max_bytes, and run again",
            )
