"""The delivery loop, with a spool in memory and a sender that follows a script."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence

import pytest

from collector.core.model import Refusal, SpooledBatch
from collector.errors import StateError, Undelivered
from collector.senders.base import Hold
from collector.senders.deliver import Backoff, deliver
from collector.senders.statistics import DeliveryStats
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.spool import MemorySpool

LOG = logging.getLogger("tests.deliver")


class ScriptedSender:
    """Writes down what is asked of it; fails where the script says so.

    ``failures`` maps the number of a call (send, flush and rewind count, from
    1) to the failure of that call.
    """

    def __init__(self, hold: Hold, failures: dict[int, Undelivered] | None = None) -> None:
        self.hold = hold
        self.calls: list[str] = []
        self.refusals: dict[int, Refusal] = {}
        self._failures = failures or {}

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if failure := self._failures.get(len(self.calls)):
            raise failure

    def rewind(self, position: str | None) -> None:
        """Note the position."""
        self._call(f"rewind {position}")

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Note the batch."""
        self._call(f"send {batch.id}")
        return [self.refusals[batch.id]] if batch.id in self.refusals else []

    def flush(self) -> str:
        """Answer with how many calls there were."""
        self._call("flush")
        return f"p{len(self.calls)}"

    def close(self) -> None:
        """Note the end."""
        self.calls.append("close")


class Run:
    """One run of the loop over some batches; it stops when ``steps`` waits are over."""

    def __init__(self, sender: ScriptedSender, batches: int, steps: int = 1) -> None:
        self.clock = ManualClock(FIRST)
        self.sender = sender
        self.stats = DeliveryStats(FIRST)
        self.on_wait: Callable[[], None] = lambda: None
        self.draining = False
        self._steps = steps
        self.spool = MemorySpool(
            [batch_of(numbered(n, 10), n) for n in range(1, batches + 1)], self._waited
        )

    def _waited(self) -> None:
        self._steps -= 1
        if self._steps <= 0:
            self.clock.stop()
        else:
            self.on_wait()

    def go(self) -> None:
        """Deliver until stopped."""
        deliver(
            "siem",
            "standard",
            self.sender,
            self.spool,
            self.clock,
            self.stats,
            LOG,
            max_retry_wait=60.0,
            draining=lambda: self.draining,
            jitter=random.Random(7),
        )


def down(number: int = 601, retry_after: float | None = None) -> Undelivered:
    """A failure."""
    return Undelivered(number, "down", "wait", retry_after)


def test_delivers_and_confirms() -> None:
    """Take, send in order, flush, confirm with the position, close at the end."""
    run = Run(ScriptedSender(Hold()), 3)
    run.go()
    assert run.sender.calls == ["rewind None", "send 1", "send 2", "send 3", "flush", "close"]
    assert run.spool.confirmed == [[1, 2, 3]]
    assert run.spool.stored == "p5"
    assert run.stats.counts().sent == 30


def test_hold_by_age() -> None:
    """A sender with a hold is flushed only when its oldest batch is old enough."""
    run = Run(ScriptedSender(Hold(seconds=10.0)), 1, steps=3)
    run.on_wait = lambda: run.clock.advance(5.0)
    run.go()
    assert run.sender.calls == ["rewind None", "send 1", "flush", "close"]
    assert run.clock.monotonic() == 10.0


def test_hold_by_bytes() -> None:
    """The hold never keeps back more than its bytes."""
    size = len(batch_of(numbered(1, 10)).body)
    run = Run(ScriptedSender(Hold(seconds=1e6, max_bytes=size * 2)), 4)
    run.go()
    assert [call for call in run.sender.calls if call == "flush"] == ["flush", "flush"]
    assert run.spool.confirmed == [[1, 2], [3, 4]]


def test_draining_does_not_hold() -> None:
    """While draining, the flush comes as soon as nothing more waits."""
    run = Run(ScriptedSender(Hold(seconds=1e6)), 2)
    run.draining = True
    run.go()
    assert run.spool.confirmed == [[1, 2]]


def test_stop_flushes_once() -> None:
    """What was sent is confirmed on the way out."""
    run = Run(ScriptedSender(Hold(seconds=1e6)), 2)
    run.go()
    assert run.sender.calls[-2:] == ["flush", "close"]
    assert run.spool.confirmed == [[1, 2]]


def test_failed_last_flush_keeps_batches() -> None:
    """When the last flush fails, the batches stay owed and the sender is closed."""
    run = Run(ScriptedSender(Hold(seconds=1e6), {4: down()}), 2)
    run.go()
    assert sorted(run.spool.owed) == [1, 2]
    assert run.sender.calls[-1] == "close"


def test_failure_sends_all_unconfirmed_again() -> None:
    """After a failed flush everything since the last one comes again, in order."""
    run = Run(ScriptedSender(Hold(), {4: down()}), 2)
    run.go()
    sends = ["send 1", "send 2", "flush"]
    assert run.sender.calls == ["rewind None", *sends, "rewind None", *sends, "close"]
    assert run.spool.confirmed == [[1, 2]]


def test_failure_keeps_confirmed_batches() -> None:
    """What was confirmed before the failure is not sent again, and the position is handed back."""
    run = Run(ScriptedSender(Hold(), {4: down()}), 1, steps=2)
    run.on_wait = lambda: run.spool.add(batch_of(numbered(2, 10), 2))
    run.go()
    first = ["rewind None", "send 1", "flush"]
    assert run.sender.calls == [*first, "send 2", "rewind p3", "send 2", "flush", "close"]


def test_failing_rewind_is_tried_again() -> None:
    """Nothing is sent before the destination is brought back."""
    run = Run(ScriptedSender(Hold(), {1: down(), 2: down()}), 1)
    run.go()
    assert run.sender.calls[:4] == ["rewind None", "rewind None", "rewind None", "send 1"]


def test_destination_decides_the_wait() -> None:
    """Retry-After is honoured when it is longer than our own wait."""
    run = Run(ScriptedSender(Hold(), {2: down(retry_after=500.0)}), 1)
    run.go()
    assert run.clock.monotonic() == 500.0


def test_refusals_are_kept_and_counted() -> None:
    """Refused records go to the spool with the confirmation and do not count as sent."""
    sender = ScriptedSender(Hold())
    sender.refusals[1] = Refusal(batch=1, index=3, raw=b"x", reason="too long")
    run = Run(sender, 1)
    run.go()
    assert run.spool.refusals == [sender.refusals[1]]
    counts = run.stats.counts()
    assert (counts.sent, counts.refused) == (9, 1)


def test_logs_state_changes_only(caplog: pytest.LogCaptureFixture) -> None:
    """Ten failures of one kind are one warning; another kind, and recovery, are told."""
    caplog.set_level(logging.INFO)
    failures = {n: down() for n in range(1, 11)} | {11: down(607)}
    run = Run(ScriptedSender(Hold(), failures), 1)
    run.go()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO"]
    assert "after 11 failed tries" in caplog.messages[-1]
    counts = run.stats.counts()
    assert (counts.failures, counts.fault) == (11, None)


def test_spool_errors_pass_and_close() -> None:
    """A spool that cannot be used ends the loop loudly, with the sender closed."""
    run = Run(ScriptedSender(Hold()), 1, steps=5)

    def broken() -> None:
        raise StateError(200, "state unreadable", "restore it")

    run.on_wait = broken
    with pytest.raises(StateError):
        run.go()
    assert run.sender.calls[-1] == "close"


def test_backoff_grows_to_its_limit() -> None:
    """Full jitter below a ceiling that doubles from one second, and starts again on reset."""
    backoff = Backoff(60.0, random.Random(1))
    waits = [backoff.wait(None) for _ in range(200)]
    ceilings = [min(60.0, 2.0**n) for n in range(200)]
    assert all(0 <= wait <= ceiling for wait, ceiling in zip(waits, ceilings, strict=True))
    assert max(waits) > 50.0
    backoff.reset()
    assert backoff.wait(None) <= 1.0


def test_statistics_checkpoint() -> None:
    """The checkpoint restarts one counter and leaves the totals."""
    stats = DeliveryStats(FIRST)
    stats.confirmed(5, 1)
    first = stats.checkpoint(FIRST + 300_000_000)
    stats.confirmed(2, 0)
    second = stats.counts()
    assert (first.sent, first.sent_since, first.since) == (5, 5, FIRST)
    assert (second.sent, second.sent_since, second.since) == (7, 2, FIRST + 300_000_000)
