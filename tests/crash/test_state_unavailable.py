"""A state that cannot be written for a while: pulling waits, sending goes on, nothing is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from collector.app.outcome import STATE
from collector.app.patience import PatientSpool
from collector.core.model import Batch, Micros, Refusal, SpooledBatch
from collector.core.times import HOUR, SECOND
from collector.persistence.database import FILE_NAME, LOCK_NAME, connect
from collector.persistence.sqlite import SqliteStore
from collector.senders.base import Hold
from collector.senders.deliver import deliver
from collector.senders.statistics import DeliveryStats
from tests.fakes.crashes import (
    LOG,
    OUTPUT,
    DrainedSpool,
    PausingClock,
    Run,
    Site,
    judged,
    started,
)
from tests.fakes.noise import noisy_text
from tests.fakes.pod_run import streaming
from tests.fakes.pod_vendor import PodVendor

START: Micros = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""
VENDOR = PodVendor(START, START + 3 * HOUR, 300 * SECOND, noisy_text(60_000))
END = START + 7 * HOUR
ROOM = 24
"""Pages of 16 KiB: more than an hour of records takes, less than two."""
BATCH = Batch(
    source="collector",
    tag="collector.metrics",
    lane="standard",
    mode="metrics",
    count=1,
    body=b'{"n":1}\n',
    first=START,
    last=START,
    outputs=(OUTPUT,),
)


class Connections:
    """Makes the store's connections, keeps them, and waits for nobody."""

    def __init__(self) -> None:
        self.made: list[sqlite3.Connection] = []

    def connect(self, path: Path) -> sqlite3.Connection:
        """A connection for ``SqliteStore.open``."""
        connection = connect(path)
        connection.execute("PRAGMA busy_timeout = 0")
        self.made.append(connection)
        return connection

    def limit(self, room: int) -> None:
        """From now on the disk has room for so many pages more."""
        _maker, writer, _reader = self.made
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {pages + room}").fetchone()


class Recorder:
    """A destination that remembers all that it is sent (``senders.base.Sender``)."""

    hold = Hold()

    def __init__(self) -> None:
        self.sent: list[int] = []

    def rewind(self, position: str | None) -> None:
        """Nothing to take back."""

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Remember the batch."""
        self.sent.append(batch.id)
        return ()

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def clock() -> PausingClock:
    """A clock whose sleeps take no time."""
    return PausingClock(START)


@pytest.fixture
def site(quick_path: Path) -> Site:
    """An empty site."""
    return Site(quick_path)


def test_full_disk(site: Site, clock: PausingClock, caplog: pytest.LogCaptureFixture) -> None:
    """The disk fills while the destination is down: the pull waits until deliveries free space."""
    connections = Connections()
    with started(site, clock, connections.connect) as run:

        def filled() -> None:
            connections.limit(ROOM)
            clock.asleep = come_back

        def come_back() -> None:
            if clock.now() >= START + 4 * HOUR:
                clock.asleep = nothing
                run.deliver()

        listen(run, filled)
    assert 1 <= said(caplog, "PrePullError 206") < 12  # per hour, whatever happens
    judged(site, VENDOR.truth())


def test_locked_file(site: Site, clock: PausingClock, caplog: pytest.LogCaptureFixture) -> None:
    """Another program holds the file for ten minutes: the pull waits, and goes on by itself."""
    connections = Connections()
    with started(site, clock, connections.connect) as run, closing(other(site)) as program:

        def locked() -> None:
            program.execute("BEGIN IMMEDIATE")
            clock.asleep = release

        def release() -> None:
            if clock.now() >= START + HOUR + 600 * SECOND:
                clock.asleep = nothing
                program.rollback()

        listen(run, locked)
    assert said(caplog, "PrePullError 207") == 1
    judged(site, VENDOR.truth())


def test_sender_waits_with_what_is_sent(site: Site, clock: PausingClock) -> None:
    """A confirmation that cannot be written is written later: nothing is sent a second time."""
    recorder = Recorder()
    with closing(SqliteStore.open(site.state, clock, connect=Connections().connect)) as store:
        store.announce(BATCH)
        with closing(other(site)) as program:
            program.execute("BEGIN IMMEDIATE")

            def release() -> None:
                if clock.now() >= START + 600 * SECOND:
                    clock.asleep = nothing
                    program.rollback()

            clock.asleep = release
            deliver(
                OUTPUT,
                "standard",
                recorder,
                PatientSpool(DrainedSpool(store.spool, clock), clock, LOG),
                clock,
                DeliveryStats(START),
                LOG.logger,
                max_retry_wait=60.0,
            )
        assert recorder.sent == [1]
        assert store.spool.backlog() == {}


def test_taken_over(site: Site, clock: PausingClock) -> None:
    """A state that another collector has taken over is not waited for: this one stops."""
    with started(site, clock) as run:
        (site.state / LOCK_NAME).unlink()
        SqliteStore.open(site.state, clock).close()
        streaming(run, VENDOR, START).run()
        assert clock.stopping()
        assert run.outcome.fatal() == STATE


def listen(run: Run, trouble: Callable[[], None]) -> None:
    """The live service; trouble begins after an hour, and nothing is sent until it is over."""
    begun = False

    def between() -> None:
        nonlocal begun
        if not begun and run.clock.now() >= START + HOUR:
            begun = True
            trouble()
        if run.clock.asleep is nothing:
            run.deliver()
        if run.clock.now() >= END:
            run.clock.stop()

    run.clock.asleep = nothing
    VENDOR.between = between
    streaming(run, VENDOR, START).run()
    run.clock.go_on()
    run.deliver()


def nothing() -> None:
    """No trouble."""


def other(site: Site) -> sqlite3.Connection:
    """Another program with the state file open."""
    return sqlite3.connect(site.state / FILE_NAME, isolation_level=None)


def said(caplog: pytest.LogCaptureFixture, words: str) -> int:
    """How many log lines hold these words."""
    return sum(words in record.getMessage() for record in caplog.records)
