"""A destination that is down for eight hours of a virtual clock: a program of its own.

    python -m tests.crash.outage FOLDER

prints what happened as one JSON object.  The product's own store, gate, intake, pull
loop and delivery loop run over a vendor and a destination in memory, which keep
numbers and no records.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from collector.app.backpressure import SpoolGate
from collector.core.checkpoint import started
from collector.core.flatten import flattener
from collector.core.gate import Marks
from collector.core.model import Micros, Refusal, Request, Response, SpooledBatch
from collector.core.times import HOUR, SECOND
from collector.errors import Undelivered
from collector.persistence.sqlite import SqliteStore
from collector.pullers.casb_alerts import LIST_FIELD, AlertsSettings, casb_alerts
from collector.pullers.intake import Destination, Intake
from collector.pullers.journal import Journal
from collector.pullers.pull import Puller
from collector.senders.base import Hold
from collector.senders.deliver import deliver
from collector.senders.statistics import DeliveryStats
from tests.fakes.log import MemoryLog
from tests.fakes.pulls import as_json

START: Micros = 1_767_225_600_000_000
DOWN = 8 * HOUR
END = START + DOWN + HOUR
EVERY = SECOND // 2
PAGE_SIZE = 20
LIMIT = 4 * 1024 * 1024
TEXT = "x" * 300
SOURCE, OUTPUT = "casb#alerts", "siem"


class DrivenClock:
    """Virtual time that one thread moves by sleeping; all others wait for it to come."""

    def __init__(self) -> None:
        self._now = START
        self._changed = threading.Condition()
        self._stopping = False
        self.driver = threading.get_ident()

    def now(self) -> Micros:
        """The virtual wall time."""
        return self._now

    def monotonic(self) -> float:
        """Virtual seconds."""
        return (self._now - START) / SECOND

    def sleep(self, seconds: float) -> bool:
        """Move the time, in the driving thread; elsewhere wait until it has moved so far."""
        with self._changed:
            target = self._now + round(seconds * SECOND)
            if threading.get_ident() == self.driver:
                self._now = target
                self._changed.notify_all()
            else:
                self._changed.wait_for(lambda: self._stopping or self._now >= target)
        return self._stopping

    def stop(self) -> None:
        """End every sleep."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping

    def real(self, seconds: float) -> float:
        """Nobody waits for real."""
        return min(seconds, 0.01)


class Vendor:
    """An alert every half second; answers pages, oldest first."""

    def fetch(self, request: Request) -> Iterator[Response]:
        """One page of a window."""
        span = request.json["time_range"]
        first = -(-(span["from"] * 1000 - START) // EVERY) + request.json["page"] * PAGE_SIZE
        last = min(span["to"] * 1000, END - 1) - START
        numbers = range(first, min(first + PAGE_SIZE, last // EVERY + 1))
        alerts = [
            {"id": str(number), "timestamp": (START + number * EVERY) // 1000, "text": TEXT}
            for number in numbers
        ]
        yield Response(request=request, status=200, body=as_json({"alerts": alerts}))


class DownDestination:
    """Takes nothing for eight hours; then it counts what it is given."""

    hold = Hold(seconds=0.0, max_bytes=0)

    def __init__(self, clock: DrivenClock) -> None:
        self._clock = clock
        self.seen = bytearray((END - START) // EVERY)
        self.batches = 0
        self.repeats = 0

    def rewind(self, position: str | None) -> None:
        """Nothing is half done."""

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Take one batch, or raise."""
        if self._clock.now() < START + DOWN:
            raise Undelivered(600, "the destination is down", "wait")
        self.batches += 1
        for line in batch.lines():
            number = int(json.loads(line)["id"])
            self.repeats += self.seen[number]
            self.seen[number] = 1
        return []

    def flush(self) -> str | None:
        """All of it is confirmed."""
        return None

    def close(self) -> None:
        """Nothing is open."""


def puller(store: SqliteStore, clock: DrivenClock, gate: SpoolGate) -> Puller:
    """The pull loop of the product over the vendor in memory."""
    settings = AlertsSettings(
        url="http://vendor.example.com",
        tag="t",
        records=flattener("none", LIST_FIELD),
        page_size=PAGE_SIZE,
        max_pages=1_000_000,
        second_look=0,
    )
    source = casb_alerts(settings)
    to = Destination(input="casb", source_id=SOURCE, outputs=(OUTPUT,), metadata=False)
    intake = Intake(store, source, to, started(START), clock, gate)
    journal = Journal(Silence(), "alerts", clock)
    return Puller(source, Vendor().fetch, intake, journal, clock, random.Random(1))


class Silence(MemoryLog):
    """A log that keeps nothing, so that memory is the product's alone."""

    def during(self, pulling_id: int) -> Silence:
        """The same."""
        del pulling_id
        return self

    def _write(self, level: str, msg: object, args: tuple[object, ...]) -> None:
        del level, msg, args


def peak_kib() -> int:
    """The most memory that this process has had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


class Site:
    """The state, the gate before it, and the largest size that the spool had."""

    def __init__(self, folder: Path, clock: DrivenClock) -> None:
        self.store = SqliteStore.open(folder, clock)
        self.log = MemoryLog()
        self.gate = SpoolGate(self._size, Marks(LIMIT), clock, self.log)
        self.largest = 0

    def _size(self) -> int:
        self.largest = max(self.largest, self.store.spool.size)
        return self.store.spool.size


def main(folder: Path) -> dict[str, float]:
    """Pull for nine virtual hours, and on until everything is delivered."""
    clock = DrivenClock()
    site = Site(folder, clock)
    destination = DownDestination(clock)
    sender = threading.Thread(
        target=deliver,
        args=(OUTPUT, "standard", destination, site.store.spool, clock, DeliveryStats(START)),
        kwargs={"log": logging.getLogger("outage"), "max_retry_wait": 60.0},
    )
    sender.start()
    loop = puller(site.store, clock, site.gate)
    while clock.now() < END + HOUR or site.store.spool.size:
        loop.pull()
        clock.sleep(60.0)
    clock.stop()
    sender.join()
    site.store.close()
    return {
        "expected": len(destination.seen),
        "delivered": sum(destination.seen),
        "repeats": destination.repeats,
        "batches": destination.batches,
        "largest_spool": site.largest,
        "paused_hours": site.gate.paused_seconds / 3600,
        "pauses": len(site.log.texts("WARNING")),
        "peak_mib": peak_kib() / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
