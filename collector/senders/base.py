"""What a sender promises, whichever destination it serves.

The delivery loop (``senders/deliver.py``) is the only caller, from one thread:

    rewind(position)          once at start, and again after every failure
    send(batch) ...           zero or more times
    flush() -> position       nothing counts as delivered before this returns
    close()                   once at the end

A sender never swallows a failure: ``send`` and ``flush`` either return or raise
``Undelivered``.  After a failure the loop forgets all that was sent since the
last flush, calls ``rewind`` and sends those batches again, byte for byte and in
the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from collector.core.model import Frozen, Refusal, SpooledBatch


class Hold(Frozen, frozen=True):
    """How long sent records may wait for the flush that confirms them.

    Zero seconds: flush after every take.  A destination without acknowledgement
    confirms at a price (a connection), so it confirms seldom.
    """

    seconds: float = 0.0
    max_bytes: int = 8 * 1024 * 1024


class Sender(Protocol):
    """One connection to one destination."""

    hold: Hold

    def rewind(self, position: str | None) -> None:
        """Forget everything sent after ``position`` (the last flush's answer, or None).

        Raises ``Undelivered`` when the destination cannot be brought back there.
        """
        ...

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Hand over one batch; the records refused for good come back, never an exception.

        Raises ``Undelivered`` when the batch may or may not have arrived.
        """
        ...

    def flush(self) -> str | None:
        """Return once the destination has all that was sent, with the new position.

        The position is opaque text, stored in the transaction that forgets the
        batches, and handed to ``rewind`` at the next start.
        """
        ...

    def close(self) -> None:
        """Let go of the destination; never raises."""
        ...
