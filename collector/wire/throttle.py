"""The brake before each call: spacing and daily quota, kept across restarts."""

from __future__ import annotations

import threading

from collector.core import policy, times
from collector.core.model import Clock, Micros
from collector.core.policy import Quota, Usage
from collector.core.store import Store
from collector.core.times import SECOND
from collector.errors import QuotaExhausted, Stopped


class Throttle:
    """One input's calls, whichever service makes them."""

    def __init__(self, input_name: str, quota: Quota, store: Store, clock: Clock) -> None:
        self._input = input_name
        self._quota = quota
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = clock.now(), clock.monotonic()

    def wait(self) -> None:
        """Return when the next call may go out; it is counted before it is made.

        Raises ``QuotaExhausted`` when today's calls are used up, ``Stopped`` when
        the program stops meanwhile.
        """
        with self._lock:
            now = self._clock.now()
            admission = policy.admit(self._quota, self._usage(now), now)
            if admission.wait is None:
                raise QuotaExhausted(
                    429,
                    f"the {self._quota.per_day} calls of today are used up",
                    f"pulling goes on at {times.isoformat(admission.again)}; "
                    "raise rate.calls_per_day if your contract allows more",
                    (admission.again - now) / SECOND,
                )
            self._store.save_usage(self._input, admission.usage)
        if admission.wait > 0 and self._clock.sleep(admission.wait):
            raise Stopped

    def hold_off(self, seconds: float) -> None:
        """The vendor asked for a pause: it holds for every service, and for the next start."""
        with self._lock:
            now = self._clock.now()
            self._store.save_usage(self._input, policy.hold_off(self._usage(now), now, seconds))

    def _usage(self, now: Micros) -> Usage:
        """What is stored; a clock that was set back since the last look takes a pause along."""
        wall, monotonic = self._looked
        self._looked = now, self._clock.monotonic()
        passed = round((self._looked[1] - monotonic) * SECOND)
        set_back = max(wall + passed - now, 0)
        return policy.sooner(self._store.usage(self._input), set_back)
