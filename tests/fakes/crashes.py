"""A collector that dies, stumbles or stalls at a chosen moment, and is started again.

A *site* is a state folder and a folder of output files.  A crash is what is on the disk
at that instant: the state is copied then, and the next start runs on the copy.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from collector.app.jobs import Job
from collector.app.outcome import Outcome
from collector.app.patience import PatientSpool
from collector.app.services import ServiceJob
from collector.core import checkpoint as rules
from collector.core.model import Micros
from collector.core.times import HOUR
from collector.errors import StateError
from collector.logs import component_logger
from collector.persistence.database import FILE_NAME, Connect, connect
from collector.persistence.spool import SqliteSpool
from collector.persistence.sqlite import SqliteStore
from collector.pullers.base import Fetch, Source
from collector.pullers.intake import Destination, Intake
from collector.pullers.journal import Journal
from collector.pullers.pull import Puller
from collector.senders.deliver import Spool, deliver
from collector.senders.file import FileSender
from collector.senders.statistics import DeliveryStats
from tests.fakes.clock import ManualClock
from tests.fakes.log import MemoryLog

SOURCE = "tenant#service"
OUTPUT = "archive"
LOG = component_logger("OutputProcess", "tests")


class Crash(BaseException):
    """The process is gone; nothing of it runs any more."""


class Moment:
    """The n-th time that a point is passed; ``hits`` counts all points."""

    def __init__(self, name: str, nth: int, happen: Callable[[], None]) -> None:
        self.hits: Counter[str] = Counter()
        self.came = False
        self._name = name
        self._nth = nth
        self._happen = happen

    def __call__(self, name: str) -> None:
        """A point is passed."""
        self.hits[name] += 1
        if name == self._name and self.hits[name] == self._nth:
            self.came = True
            self._happen()


class PausingClock(ManualClock):
    """A clock that can be started again after a stop; ``asleep`` is called after each sleep."""

    asleep: Callable[[], None] = staticmethod(lambda: None)

    def sleep(self, seconds: float) -> bool:
        """Move the time forward at once."""
        stopping = super().sleep(seconds)
        self.asleep()
        return stopping

    def go_on(self) -> None:
        """Forget the stop."""
        self._stopping = False


class DrainedSpool:
    """A spool for ``deliver``, which ends when there is nothing left to take."""

    def __init__(self, spool: SqliteSpool, clock: PausingClock) -> None:
        self.take = spool.take
        self.confirm = spool.confirm
        self.position = spool.position
        self._clock = clock

    def wait(self, output: str, lane: str, after: int, seconds: float) -> None:
        """Nothing is left: stop."""
        del output, lane, after, seconds
        self._clock.stop()


class Site:
    """State and output of one collector."""

    def __init__(self, folder: Path, state: str = "state") -> None:
        self.folder = folder
        self.state = folder / state
        self.out = folder / "out"

    def left_behind(self) -> Site:
        """What a process that dies now leaves: its state as it is, and its files.

        The files stay where they are, for the sender knows them by their inodes,
        and a dead process writes no more to them.
        """
        after = Site(self.folder, f"{self.state.name}-after")
        shutil.copytree(self.state, after.state)
        return after

    def records(self) -> list[dict[str, Any]]:
        """Every complete line of the output files, of the rotated ones too."""
        texts = [path.read_bytes() for path in sorted(self.out.glob("*.ndjson"))]
        return [json.loads(line) for text in texts for line in text.split(b"\n")[:-1]]

    def tear(self, share: float) -> None:
        """Cut the newest output file in the middle of what was last written to it."""
        newest = max(self.out.glob("*.ndjson"), key=lambda path: path.stat().st_mtime_ns)
        text = newest.read_bytes()
        newest.write_bytes(text[: -max(1, int(len(text.splitlines()[-1]) * share))])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the state, as another program sees them."""
        with closing(sqlite3.connect(self.state / FILE_NAME)) as connection:
            return connection.execute(sql).fetchall()


class Run:
    """One process of the collector over a site: a store, a source, a file output."""

    def __init__(self, store: SqliteStore, site: Site, clock: PausingClock) -> None:
        self.store = store
        self.clock = clock
        self.rng = random.Random(7)
        self.outcome = Outcome()
        self.log = MemoryLog()
        self._site = site

    def intake(self, source: Source, start: Micros) -> Intake:
        """The committed side of a source, from where it stands."""
        checkpoint = self.store.checkpoint(SOURCE) or rules.started(start)
        to = Destination(input="tenant", source_id=SOURCE, outputs=(OUTPUT,))
        return Intake(self.store, source, to, checkpoint, self.clock)

    def puller(self, source: Source, fetch: Fetch, intake: Intake) -> Puller:
        """The pull loop."""
        return Puller(source, fetch, intake, self.journal(source), self.clock, self.rng)

    def journal(self, source: Source) -> Journal:
        """A journal that nobody reads."""
        return Journal(self.log, source.service, self.clock)

    def job(self, setup: Callable[[], object], work: Callable[[], object], intake: Intake) -> Job:
        """The work as the scheduler runs it."""
        service = ServiceJob(
            source_id=SOURCE,
            component="tests",
            setup_component="tests",
            puller_class="Tests",
            setup=setup,
            run=work,
            period=60.0,
            intake=intake,
        )
        return Job(service, self.outcome, self.clock, self.clock.stop)

    def deliver(self) -> None:
        """Deliver until nothing is left."""
        spool: Spool = DrainedSpool(self.store.spool, self.clock)
        deliver(
            OUTPUT,
            "standard",
            FileSender(path=self._site.out, clock=self.clock, log=LOG.logger, max_bytes=2_500),
            PatientSpool(spool, self.clock, LOG),
            self.clock,
            DeliveryStats(self.clock.now()),
            LOG.logger,
            max_retry_wait=60.0,
            jitter=self.rng,
        )
        self.clock.go_on()

    def keep_house(self, intake: Intake) -> None:
        """What the collector does once an hour."""
        try:
            keep_from = intake.needed_from() // HOUR
            self.store.forget(SOURCE, self.clock.now() - 2 * HOUR, keep_from)
            self.store.give_back_space()
        except StateError as error:
            LOG.error("%s", error)


@contextmanager
def started(site: Site, clock: PausingClock, connect: Connect = connect) -> Iterator[Run]:
    """A process over the site."""
    with closing(SqliteStore.open(site.state, clock, connect=connect)) as store:
        yield Run(store, site, clock)


class Truth(msgspec.Struct, frozen=True):
    """What the vendor has: the event time of every id, and how many records each becomes."""

    times: dict[str, Micros]
    records: int
    rejected: int


def never_ahead(site: Site, run: Run, truth: Truth) -> None:
    """I1: all that the checkpoint calls complete is in a file, or waits in the spool."""
    checkpoint = run.store.checkpoint(SOURCE)
    if checkpoint is None:
        return
    until = rules.complete_until(checkpoint)
    spooled = run.store.spool.take(OUTPUT, "standard", 0, 1 << 40)
    lines = [json.loads(line) for batch in spooled for line in batch.lines()]
    here = {record["@collector"]["event_id"] for record in [*lines, *site.records()]}
    assert {name for name, time in truth.times.items() if time < until} <= here


def nothing_lost(site: Site, truth: Truth) -> None:
    """I2, I3: every record of every event is in the files, once."""
    found = Counter(
        (record["@collector"]["event_id"], record["@collector"].get("record_index", 0))
        for record in site.records()
    )
    assert {name for name, _ in found} == set(truth.times)
    assert found.total() == len(found) == truth.records


def all_accounted(site: Site, truth: Truth) -> None:
    """I12: the ledger balances in every row, and agrees with spool, files and dead letters."""
    rows = site.query("SELECT received, spooled, duplicate, filtered, dead_lettered FROM ledger")
    assert all(received == sum(rest) for received, *rest in rows)
    _, spooled, _, filtered, dead = map(sum, zip(*rows, strict=True))
    assert (spooled, filtered) == (len(truth.times), 0)
    assert site.query("SELECT sum(records) FROM delivered") == [(truth.records,)]
    assert site.query("SELECT count(*), count(DISTINCT raw) FROM dead_letter") == [
        (dead, truth.rejected)
    ]
    assert site.query("SELECT count(*) FROM spool WHERE id NOT IN (SELECT batch FROM spent)") == [
        (0,)
    ]
    assert site.query("PRAGMA integrity_check") == [("ok",)]


def judged(site: Site, truth: Truth) -> None:
    """All invariants of a run that has come to its end."""
    nothing_lost(site, truth)
    all_accounted(site, truth)
