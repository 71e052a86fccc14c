"""The clock of the running program: the only module that asks the operating system the time."""

from __future__ import annotations

import threading
import time

from collector.core.model import Micros


class SystemClock:
    """The wall clock, or a virtual one that starts elsewhere and runs faster.

    Satisfies ``core.model.Clock`` and is safe to use from several threads.  All
    seconds are seconds of this clock, unless they are called real.
    """

    def __init__(self, start: Micros | None = None, speed: float = 1.0) -> None:
        """Make a virtual clock from ``start`` (microseconds since 1970-01-01 UTC), if given.

        ``speed`` clock seconds pass in one real second.  Without ``start`` and at
        speed 1 the clock follows the wall, adjustments of the wall included.
        Raises ``ValueError`` when the speed is not positive.
        """
        if speed <= 0:
            raise ValueError(f"a clock runs forwards: speed {speed}")
        self._speed = speed
        self._follows_wall = start is None and speed == 1.0
        self._start = _wall() if start is None else start
        self._began = time.monotonic()
        self._stop = threading.Event()

    def now(self) -> Micros:
        """The time, UTC, in microseconds since 1970-01-01."""
        if self._follows_wall:
            return _wall()
        elapsed = (time.monotonic() - self._began) * self._speed
        return self._start + round(elapsed * 1_000_000)

    def monotonic(self) -> float:
        """Seconds that never go backwards, for durations."""
        return time.monotonic() * self._speed

    def sleep(self, seconds: float) -> bool:
        """Wait, or less when ``stop`` is called; True when the program is stopping."""
        return self._stop.wait(self.real(max(seconds, 0.0)))

    def stop(self) -> None:
        """Ask the program to stop: every sleep ends now, later ones do not begin."""
        self._stop.set()

    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stop.is_set()

    def real(self, seconds: float) -> float:
        """How many real seconds these clock seconds last."""
        return seconds / self._speed


def _wall() -> Micros:
    return time.time_ns() // 1000
