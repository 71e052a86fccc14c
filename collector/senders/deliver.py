"""The delivery loop: from the spool to one destination, one thread a lane.

Records leave the spool only by ``Spool.confirm``, after the sender's ``flush``
returned.  Whatever goes wrong before, the same batches are sent again in the
same order.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from typing import Protocol

from collector.core import fault
from collector.core.model import Clock, Refusal, SpooledBatch
from collector.errors import Undelivered
from collector.senders.base import Sender
from collector.senders.statistics import DeliveryStats

_TAKE_BYTES = 4 * 1024 * 1024
_FIRST_RETRY_SECONDS = 1.0
# A stop is noticed after one wait, so a wait is short.
_MAX_WAIT_REAL_SECONDS = 0.5
_MAX_DOUBLINGS = 20


class Spool(Protocol):
    """What the loop needs of the store; safe to call from several threads."""

    def take(self, output: str, lane: str, after: int, max_bytes: int) -> Sequence[SpooledBatch]:
        """Batches with an id over ``after`` that this output is still owed, in id order.

        At least one when there is one, whatever its size.
        """
        ...

    def confirm(
        self,
        output: str,
        lane: str,
        batch_ids: Sequence[int],
        refusals: Sequence[Refusal],
        position: str | None,
    ) -> None:
        """Settle the batches, keep the refusals aside, store the position: one transaction."""
        ...

    def position(self, output: str, lane: str) -> str | None:
        """The position of the last ``confirm``."""
        ...

    def wait(self, output: str, lane: str, after: int, seconds: float) -> None:
        """Return when a batch over ``after`` may be there, or after that many real seconds."""
        ...


def deliver(
    output: str,
    lane: str,
    sender: Sender,
    spool: Spool,
    clock: Clock,
    stats: DeliveryStats,
    log: logging.Logger,
    *,
    max_retry_wait: float,
    draining: Callable[[], bool] = lambda: False,
    jitter: random.Random | None = None,
) -> None:
    """Deliver until the clock says stop, then flush once more and close the sender.

    While ``draining`` answers True, nothing sent is held back for a later
    flush.  ``max_retry_wait`` is in clock seconds.  Errors of the spool pass
    through, after the sender is closed.
    """
    lane_of = _Lane(output, lane, sender, spool, clock, stats, log, draining)
    backoff = Backoff(max_retry_wait, jitter or random.Random())  # noqa: S311 - spreads retries
    try:
        lane_of.run(backoff)
    finally:
        sender.close()


class Backoff:
    """Waits between tries: exponential with full jitter, in clock seconds.

    A vendor counts calls, so half of its wait is fixed (``core.policy.backoff``); a
    destination does not, and the sooner one try meets it back, the less is waiting.
    """

    def __init__(self, longest: float, jitter: random.Random) -> None:
        self._longest = longest
        self._jitter = jitter
        self.tries = 0

    def wait(self, retry_after: float | None) -> float:
        """The seconds until the next try, never less than the destination asked for."""
        ceiling = min(self._longest, _FIRST_RETRY_SECONDS * 2.0 ** min(self.tries, _MAX_DOUBLINGS))
        self.tries += 1
        return max(retry_after or 0.0, self._jitter.uniform(0.0, ceiling))

    def reset(self) -> None:
        """Start again from the first wait."""
        self.tries = 0


class _Lane:
    """The loop's memory: what is sent and waits for the flush that confirms it."""

    def __init__(
        self,
        output: str,
        lane: str,
        sender: Sender,
        spool: Spool,
        clock: Clock,
        stats: DeliveryStats,
        log: logging.Logger,
        draining: Callable[[], bool],
    ) -> None:
        self._output = output
        self._lane = lane
        self._sender = sender
        self._spool = spool
        self._clock = clock
        self._stats = stats
        self._log = log
        self._draining = draining
        self._failing: int | None = None
        self._after = 0
        self._forget()

    def run(self, backoff: Backoff) -> None:
        """Deliver until the program stops."""
        rewound = False
        while not self._clock.stopping():
            try:
                if not rewound:
                    self._rewind()
                    rewound = True
                if self._step():
                    self._recovered(backoff)
            except Undelivered as failure:
                rewound = False
                self._failed(failure)
                self._clock.sleep(backoff.wait(failure.retry_after))
        if rewound:
            self._last_flush()

    def _step(self) -> bool:
        """Take, send, and flush when it is due; True when something was confirmed."""
        batches = self._spool.take(self._output, self._lane, self._after, _TAKE_BYTES)
        confirmed = False
        for batch in batches:
            if self._clock.stopping():
                return confirmed
            self._send(batch)
            if self._held_bytes >= self._sender.hold.max_bytes:
                self._flush()
                confirmed = True
        if self._due(idle=not batches):
            self._flush()
            return True
        if not batches:
            self._wait()
        return confirmed

    def _send(self, batch: SpooledBatch) -> None:
        """Send one batch and remember it for the confirmation."""
        if not self._sent:
            self._oldest = self._clock.monotonic()
        fault.point("send.write.before")
        self._refusals.extend(self._sender.send(batch))
        fault.point("send.write.after")
        self._sent.append(batch.id)
        self._records += batch.count
        self._held_bytes += len(batch.body)
        self._after = batch.id

    def _due(self, *, idle: bool) -> bool:
        """Whether what was sent has been held long enough."""
        if not self._sent:
            return False
        return self._hold_left() <= 0 or (idle and self._draining())

    def _hold_left(self) -> float:
        """Clock seconds until the oldest unconfirmed batch must be flushed."""
        return self._oldest + self._sender.hold.seconds - self._clock.monotonic()

    def _flush(self) -> None:
        """Confirm all that was sent: first the destination, then the spool."""
        fault.point("ack.wait")
        position = self._sender.flush()
        fault.point("ack.received")
        self._spool.confirm(self._output, self._lane, self._sent, self._refusals, position)
        refused = len(self._refusals)
        self._stats.confirmed(self._records - refused, refused)
        self._forget()

    def _forget(self) -> None:
        """Nothing waits for a flush."""
        self._sent: list[int] = []
        self._refusals: list[Refusal] = []
        self._records: int = 0
        self._held_bytes: int = 0
        self._oldest = 0.0

    def _rewind(self) -> None:
        """Bring the destination back to what is confirmed; all that is owed comes again."""
        self._forget()
        self._after = 0
        self._sender.rewind(self._spool.position(self._output, self._lane))

    def _wait(self) -> None:
        """Wait for the next batch, or for the flush that comes due."""
        seconds = _MAX_WAIT_REAL_SECONDS
        if self._sent:
            seconds = min(seconds, self._clock.real(max(self._hold_left(), 0.0)))
        self._spool.wait(self._output, self._lane, self._after, seconds)

    def _failed(self, failure: Undelivered) -> None:
        """Count every failed try; log only the first of each kind."""
        self._stats.failed(failure)
        if failure.number != self._failing:
            self._log.warning("output %s (%s): %s", self._output, self._lane, failure)
        self._failing = failure.number

    def _recovered(self, backoff: Backoff) -> None:
        """Say once that the destination takes records again."""
        if self._failing is not None:
            self._log.info(
                "output %s (%s) takes records again after %d failed tries",
                self._output,
                self._lane,
                backoff.tries,
            )
        self._failing = None
        backoff.reset()

    def _last_flush(self) -> None:
        """Confirm what can be confirmed now; the rest is sent again at the next start."""
        try:
            fault.point("shutdown")
            if self._sent:
                self._flush()
        except Undelivered as failure:
            self._failed(failure)
