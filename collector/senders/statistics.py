"""Counters of one lane of one output, for the statistics lines."""

from __future__ import annotations

import threading

from collector.core.health import Fault, Kind
from collector.core.model import Frozen, Micros
from collector.errors import Undelivered


class DeliveryCounts(Frozen, frozen=True):
    """What one lane delivered: since the start, and since ``since`` (UTC microseconds).

    ``sent`` counts confirmed records only, ``refused`` those that the
    destination will never take, ``failures`` failed tries; ``fault`` is what
    the newest of them met, or None while the lane delivers.
    """

    sent: int
    sent_since: int
    since: Micros
    refused: int
    failures: int
    fault: Fault | None


class DeliveryStats:
    """Counts while the lane's thread delivers; may be read from any thread."""

    def __init__(self, started: Micros) -> None:
        self._lock = threading.Lock()
        self._since = started
        self._sent = 0
        self._sent_since = 0
        self._refused = 0
        self._failures = 0
        self._fault: Fault | None = None

    def confirmed(self, sent: int, refused: int) -> None:
        """Count records that left the spool; the lane delivers."""
        with self._lock:
            self._sent += sent
            self._sent_since += sent
            self._refused += refused
            self._fault = None

    def failed(self, failure: Undelivered) -> None:
        """Count a failed try."""
        # The error itself would hold on to its stack, and with it to a batch.
        fault = Fault(
            kind=Kind.FIRST_PARTY_GENERIC,
            number=failure.number,
            cause=failure.cause,
            remedy=failure.remedy,
        )
        with self._lock:
            self._failures += 1
            self._fault = fault

    def counts(self) -> DeliveryCounts:
        """The counters now."""
        with self._lock:
            return self._counts()

    def checkpoint(self, now: Micros) -> DeliveryCounts:
        """The counters now; ``sent_since`` starts again from zero at ``now``."""
        with self._lock:
            counts = self._counts()
            self._since = now
            self._sent_since = 0
            return counts

    def _counts(self) -> DeliveryCounts:
        """The counters, under the lock."""
        return DeliveryCounts(
            sent=self._sent,
            sent_since=self._sent_since,
            since=self._since,
            refused=self._refused,
            failures=self._failures,
            fault=self._fault,
        )
