"""The brake before each call: spacing and daily quota, kept across restarts."""

from __future__ import annotations

import threading

from collector.core import policy, times
from collector.core.model import Clock
from collector.core.policy import Quota
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

    def wait(self) -> None:
        """Return when the next call may go out; it is counted before it is made.

        Raises ``QuotaExhausted`` when today's calls are used up, ``Stopped`` when
        the program stops meanwhile.
        """
        with self._lock:
            now = self._clock.now()
            admission = policy.admit(self._quota, self._store.usage(self._input), now)
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
            usage = self._store.usage(self._input)
            self._store.save_usage(self._input, policy.hold_off(usage, self._clock.now(), seconds))
