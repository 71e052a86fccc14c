"""A spool in memory for one output and lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collector.core.model import Refusal, SpooledBatch


class MemorySpool:
    """Keeps batches until they are confirmed; ``on_wait`` is called when nothing is there.

    With nothing to take, ``wait`` returns at once: the callback moves the test on.
    """

    def __init__(self, batches: Sequence[SpooledBatch], on_wait: Callable[[], None]) -> None:
        self.owed = {batch.id: batch for batch in batches}
        self.confirmed: list[list[int]] = []
        self.refusals: list[Refusal] = []
        self.stored: str | None = None
        self._on_wait = on_wait

    def add(self, batch: SpooledBatch) -> None:
        """Owe one more batch."""
        self.owed[batch.id] = batch

    def take(self, output: str, lane: str, after: int, max_bytes: int) -> list[SpooledBatch]:
        """Owed batches over ``after``, as many as fit, but at least one."""
        del output, lane
        taken: list[SpooledBatch] = []
        for number in sorted(self.owed):
            if number > after:
                if taken and sum(len(b.body) for b in taken) >= max_bytes:
                    break
                taken.append(self.owed[number])
        return taken

    def confirm(
        self,
        output: str,
        lane: str,
        batch_ids: Sequence[int],
        refusals: Sequence[Refusal],
        position: str | None,
    ) -> None:
        """Settle the batches."""
        del output, lane
        for number in batch_ids:
            del self.owed[number]
        self.confirmed.append(list(batch_ids))
        self.refusals.extend(refusals)
        self.stored = position

    def position(self, output: str, lane: str) -> str | None:
        """The position of the last confirmation."""
        del output, lane
        return self.stored

    def wait(self, output: str, lane: str, after: int, seconds: float) -> None:
        """Let the test do its next step."""
        del output, lane, after, seconds
        self._on_wait()
