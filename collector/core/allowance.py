"""How many sessions an hour may be opened: the pure rule.

The vendor limits requests, without a number (docs/vendor-notes.md, PoD 3).
"""

from __future__ import annotations

from collections import deque

_HOUR = 3600.0


class Hourly:
    """At most ``limit`` times in any hour, by a clock of seconds that never goes back; 0: any."""

    def __init__(self, limit: int) -> None:
        self._times: deque[float] = deque(maxlen=limit or 1)
        self._limited = limit > 0

    def admit(self, now: float) -> float:
        """Count one more time; the seconds to wait before it."""
        full = self._limited and len(self._times) == self._times.maxlen
        at = max(now, self._times[0] + _HOUR) if full else now
        self._times.append(at)
        return at - now
