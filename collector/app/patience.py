"""What goes on by itself once the state can be written again.

A full disk, another program's lock and a disk that failed once lose nothing: the
transaction was rolled back.  So a pull waits and is made again from the checkpoint,
and a sender waits with what the destination has already, which is not sent twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from collector.core.log import Log
from collector.core.model import Clock, Refusal, SpooledBatch
from collector.core.policy import backoff
from collector.errors import StateError, Stopped
from collector.persistence.failures import PASSING
from collector.senders.deliver import Spool

T = TypeVar("T")

_LONGEST_WAIT = 60.0
_CALM = 300.0
"""Seconds of work that went well enough for the next failure to be told again."""

_rng = random.Random()  # noqa: S311 - spreads retries


def until_stored(work: Callable[[], T], clock: Clock, log: Log) -> T:
    """The work's answer; it is done again for as long as the state fails in a way that passes.

    Told once, until it works again.  Raises whatever else the work raises, and ``Stopped`` when the
    program stops meanwhile.
    """
    tries = 0
    while True:
        began = clock.monotonic()
        try:
            answer = work()
        except StateError as error:
            if error.number not in PASSING:
                raise
            if clock.monotonic() - began > _CALM:
                tries = 0
            if not tries:
                log.error("%s; waiting, and trying again", error)
            tries += 1
        else:
            if tries:
                log.info("The state can be written again, after %d failed tries", tries)
            return answer
        if clock.sleep(backoff(tries - 1, 1.0, _LONGEST_WAIT, _rng)):
            raise Stopped


class PatientSpool:
    """The spool as ``senders.deliver`` sees it, with each call made until it succeeds."""

    def __init__(self, spool: Spool, clock: Clock, log: Log) -> None:
        self._spool = spool
        self._clock = clock
        self._log = log

    def take(self, output: str, lane: str, after: int, max_bytes: int) -> Sequence[SpooledBatch]:
        """Batches that this output is still owed."""
        return self._patiently(lambda: self._spool.take(output, lane, after, max_bytes))

    def confirm(
        self,
        output: str,
        lane: str,
        batch_ids: Sequence[int],
        refusals: Sequence[Refusal],
        position: str | None,
    ) -> None:
        """Settle the batches."""
        self._patiently(lambda: self._spool.confirm(output, lane, batch_ids, refusals, position))

    def position(self, output: str, lane: str) -> str | None:
        """The position of the last confirmation."""
        return self._patiently(lambda: self._spool.position(output, lane))

    def wait(self, output: str, lane: str, after: int, seconds: float) -> None:
        """Return when there may be something to take."""
        self._patiently(lambda: self._spool.wait(output, lane, after, seconds))

    def _patiently(self, call: Callable[[], T]) -> T:
        return until_stored(call, self._clock, self._log)
