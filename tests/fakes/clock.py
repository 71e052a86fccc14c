"""A clock that a test moves by hand."""

from __future__ import annotations

import threading

from collector.core.model import Micros


class ManualClock:
    """Time stands still until ``advance`` or ``sleep`` moves it.

    ``sleep`` moves the clock instead of waiting, so code that waits an hour
    runs at once.  ``jump`` sets the wall clock alone, as an operator or a time
    server does.  Safe to use from several threads.
    """

    def __init__(self, start: Micros) -> None:
        """Stand at ``start``, microseconds since 1970-01-01 UTC."""
        self._start = start
        self._now = start
        self._set_by = 0
        self._stopping = False
        self._lock = threading.Lock()

    def now(self) -> Micros:
        """The wall time this clock stands at, UTC."""
        with self._lock:
            return self._now + self._set_by

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        with self._lock:
            return (self._now - self._start) / 1_000_000

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        with self._lock:
            self._now += round(seconds * 1_000_000)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back; no time passes."""
        with self._lock:
            self._set_by += round(seconds * 1_000_000)

    def sleep(self, seconds: float) -> bool:
        """Move the time forward at once, unless stopping; True when stopping."""
        if not self.stopping():
            self.advance(max(seconds, 0.0))
        return self.stopping()

    def stop(self) -> None:
        """Ask the program to stop."""
        self._stopping = True

    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping

    def real(self, seconds: float) -> float:
        """Socket time-outs are real ones: the same number of seconds."""
        return seconds
