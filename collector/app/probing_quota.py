"""The calls of a test, counted in the same row as the collector's own."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from collector.core import policy, times
from collector.core.model import Clock
from collector.core.policy import Quota, Usage
from collector.errors import StateError
from collector.persistence import database
from collector.persistence.sqlite import SqliteStore
from collector.probe.steps import Failed
from collector.probe.verdicts import Trouble

_LONGEST_WAIT = 60.0
"""Seconds that a test waits for its turn; a longer pause was asked for by the vendor."""


class Calls:
    """Whether one more call of an input may be made.

    ``folder`` None: a collector is running, and the count is its own.  The state is
    opened for a moment only, so that a collector may start meanwhile.
    """

    def __init__(self, folder: Path | None, name: str, quota: Quota, clock: Clock) -> None:
        self._folder = folder
        self._name = name
        self._quota = quota
        self._clock = clock
        self._uncounted = Usage()
        self.told = ""

    def admit(self) -> float:
        """Count one call; the seconds to wait before it.  Raises ``Failed`` when it must not be.

        ``told`` then says whether it was counted.
        """
        try:
            counted = self._counted()
        except StateError as error:
            counted, self.told = None, f"the call is not counted against the quota: {error.cause}"
        if counted is not None:
            return counted
        self._uncounted, wait = self._admitted(self._uncounted)
        return wait

    def _counted(self) -> float | None:
        """The wait when the state could count the call; raises ``StateError`` when it fails."""
        if self._folder is None:
            self.told = "the call is not counted against the quota: a collector is running"
            return None
        if not database.exists(self._folder):
            self.told = "the call is not counted against the quota: there is no state yet"
            return None
        with closing(SqliteStore.open(self._folder, self._clock)) as store:
            usage, wait = self._admitted(store.usage(self._name))
            store.save_usage(self._name, usage)
        self.told = f"call {usage.calls} of today"
        return wait

    def _admitted(self, usage: Usage) -> tuple[Usage, float]:
        now = self._clock.now()
        admission = policy.admit(self._quota, usage, now)
        if admission.wait is None:
            again = times.isoformat(admission.again)
            seen = f"the {self._quota.per_day} calls of today are used up until {again}"
            raise Failed(Trouble.QUOTA, seen)
        if admission.wait > _LONGEST_WAIT:
            seen = f"the vendor asked for a pause of {admission.wait:.0f} seconds more"
            raise Failed(Trouble.QUOTA, seen)
        return admission.usage, admission.wait
