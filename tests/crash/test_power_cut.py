"""The power fails, or the disk does: what was acknowledged is there, and nothing is half there.

The real store runs over a file system that forgets whatever was not synced.  Killing a
process cannot show this, for the kernel keeps what the process wrote.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import apsw
import msgspec
import pytest

from collector.app.patience import until_stored
from collector.core import checkpoint as rules
from collector.core.digests import SIZE as DIGEST_SIZE
from collector.core.flatten import flattener
from collector.core.model import Event, Micros, Page
from collector.core.times import HOUR
from collector.errors import StateError
from collector.logs import component_logger
from collector.persistence.database import FILE_NAME
from collector.persistence.sqlite import SqliteStore
from collector.pullers.base import Source
from collector.pullers.intake import Destination, Intake
from tests.fakes.clock import ManualClock
from tests.fakes.noise import noisy_text
from tests.fakes.power import Disk, Image

START: Micros = 1_767_225_600_000_000
SOURCE, OUTPUT, LANE = "tenant#service", "archive", "standard"
EVENTS = 3
LARGE = 5
"""The page whose records are so large that its commit takes many writes."""
TURNS = (((1, 2, 3), 2), ((4, 5, 6), 5))
"""Two processes in a row: the pages that each takes, and up to which all are delivered then."""

LOG = component_logger("MainProcess", "tests")
names = (f"power-{number}" for number in itertools.count())


class Promises(msgspec.Struct, frozen=True):
    """What the store was asked to keep, and what it said that it keeps: the highest pages."""

    taking: int = 0
    taken: int = 0
    confirming: int = 0
    confirmed: int = 0


class Cut(msgspec.Struct, frozen=True):
    """The files after a power cut, and what had been promised by then."""

    files: tuple[tuple[str, bytes], ...]
    promises: Promises


def test_only_what_was_synced_survives(quick_path: Path) -> None:
    """After a cut at any step, all that was acknowledged is there, and nothing is half there."""
    cuts = set(cuts_of(worked(quick_path)))
    assert len(cuts) > 30
    assert problems(quick_path, cuts) == []


def test_some_of_what_was_not_synced_survives(quick_path: Path) -> None:
    """The same, when any part of the later writes is on the disk, down to single sectors."""
    assert problems(quick_path, cuts_of(worked(quick_path), random.Random(20260101))) == []


def test_the_simulator_sees_a_store_that_does_not_sync(quick_path: Path) -> None:
    """With ``synchronous = NORMAL``, SQLite's own choice for WAL, commits are lost."""
    assert "a commit is lost" in problems(
        quick_path, set(cuts_of(worked(quick_path, careless=True)))
    )


@pytest.mark.parametrize("burst", [1, 5])
@pytest.mark.parametrize("error", [apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_FULL])
def test_failing_writes(quick_path: Path, error: int, burst: int) -> None:
    """A disk that fails or is full for a while costs nothing: what failed is done again."""
    asked = worked(quick_path / "calm").asked
    for first in range(1, asked, 13):
        folder = quick_path / str(first)
        disk = worked(folder, {first + n: error for n in range(burst)})
        assert problems(folder, [list(cuts_of(disk))[-1]]) == []


def worked(
    folder: Path, failing: Mapping[int, int] | None = None, *, careless: bool = False
) -> Disk:
    """The disk after two processes have taken and delivered their pages.

    Whatever the disk does, each step is done again until it succeeds.
    """
    disk = Disk(next(names), failing or {}, careless=careless)
    clock = ManualClock(START)
    for pages, delivered in TURNS:
        with closing(opened(folder / "state", clock, disk)) as store:
            intake = intake_over(store, clock)
            for number in pages:
                disk.note("taking", offset=number)
                patiently(clock, partial(take, intake, number))
                disk.note("taken", offset=number)
            waiting = store.spool.take(OUTPUT, LANE, 0, 1 << 30)[:-1]
            disk.note("confirming", offset=delivered)
            ids = [batch.id for batch in waiting]
            patiently(clock, partial(store.spool.confirm, OUTPUT, LANE, ids, [], str(delivered)))
            disk.note("confirmed", offset=delivered)
    return disk


def opened(folder: Path, clock: ManualClock, disk: Disk) -> SqliteStore:
    """The store over the disk."""
    return until_stored(partial(SqliteStore.open, folder, clock, connect=disk.connect), clock, LOG)


def patiently(clock: ManualClock, step: Callable[[], object]) -> None:
    """Do a step until the disk lets it succeed."""
    until_stored(step, clock, LOG)


def intake_over(store: SqliteStore, clock: ManualClock) -> Intake:
    """The committed side of a source that nobody asks for more."""
    source = Source(
        service="service",
        tag="casb.alerts",
        plan=lambda _checkpoint, _now: None,
        read=lambda _response: Page(events=[]),
        records=flattener("none", ""),
        close=lambda checkpoint, _plan: checkpoint,
    )
    to = Destination(input="tenant", source_id=SOURCE, outputs=(OUTPUT,))
    return Intake(store, source, to, store.checkpoint(SOURCE) or rules.started(START), clock)


def take(intake: Intake, number: int) -> None:
    """Take the page of that hour, which completes the hour."""
    text = noisy_text(60_000 if number == LARGE else 60).encode()
    events = [
        Event(f"{number}-{n}", hour(number) + n, b'{"n":%d,"text":"%b"}' % (n, text))
        for n in range(EVENTS)
    ]
    intake.take(
        Page(events=events),
        mode="window",
        pulling_id="1",
        move=lambda checkpoint: rules.completed(checkpoint, hour(number + 1)),
    )


def hour(number: int) -> Micros:
    """When the hour of that page begins."""
    return START + (number - 1) * HOUR


def cuts_of(disk: Disk, luck: random.Random | None = None) -> Iterator[Cut]:
    """A power cut after each step of the disk; without luck only what was synced survives."""
    image, promises = Image(), Promises()
    for step in disk.steps:
        image.add(step)
        if step.kind in Promises.__struct_fields__:
            promises = msgspec.structs.replace(promises, **{step.kind: step.offset})
        yield Cut(tuple(sorted(image.files(luck).items())), promises)


def problems(folder: Path, cuts: Iterable[Cut]) -> list[str]:
    """What is wrong after these cuts."""
    return [
        problem
        for number, cut in enumerate(cuts)
        if (problem := _problem(folder / f"cut-{number}", cut)) is not None
    ]


def _problem(folder: Path, cut: Cut) -> str | None:
    """What the next process finds wrong after a cut."""
    folder.mkdir(parents=True)
    for name, content in cut.files:
        (folder / name).write_bytes(content)
    try:
        with closing(SqliteStore.open(folder, ManualClock(START))) as store:
            return _unkept(store, cut.promises) or _unsound(folder, store)
    except StateError as refusal:
        return str(refusal)


def _unkept(store: SqliteStore, promises: Promises) -> str | None:
    """Which promise the store did not keep."""
    reached = reached_by(store)
    waiting = [batch.first for batch in store.spool.take(OUTPUT, LANE, 0, 1 << 30)]
    known = sum(len(blob) for n in range(1, 7) for blob in store.known(SOURCE, hour(n) // HOUR))
    if reached < promises.taken:
        return "a commit is lost"
    if reached > promises.taking or known != reached * EVENTS * DIGEST_SIZE:
        return "the checkpoint is ahead"
    delivered = reached - len(waiting)
    if waiting != [hour(number) for number in range(delivered + 1, reached + 1)]:
        return "a batch is missing"
    if not promises.confirmed <= delivered <= promises.confirming:
        return "a confirmation is lost"
    return None


def reached_by(store: SqliteStore) -> int:
    """Up to which page the checkpoint says that all is taken."""
    checkpoint = store.checkpoint(SOURCE)
    return 0 if checkpoint is None else (checkpoint.since - START) // HOUR


def _unsound(folder: Path, store: SqliteStore) -> str | None:
    """Whether the accounts do not balance, or SQLite finds damage."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        rows = connection.execute("SELECT received, spooled, duplicate FROM ledger").fetchall()
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
    if sum(spooled for _, spooled, _ in rows) != reached_by(store) * EVENTS:
        return "the account is wrong"
    if any(received != spooled + duplicate for received, spooled, duplicate in rows):
        return "the account does not balance"
    return None if sound == "ok" else str(sound)
