"""Batches that everybody has: their rows wait to be taken over, and nothing else changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from collector.core.checkpoint import started
from collector.core.model import Batch
from collector.core.store import Commit
from collector.errors import StateError
from collector.persistence.database import FILE_NAME
from collector.persistence.report import StateReport
from collector.persistence.spent import LARGE_BYTES, MAX_BYTES, waiting_bytes
from collector.persistence.sqlite import SqliteStore
from tests.fakes.clock import ManualClock
from tests.fakes.noise import noise

SOURCE = "pod#message"
LARGE = 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A new store."""
    with closing(SqliteStore.open(tmp_path, ManualClock(0))) as opened:
        yield opened


def spool(store: SqliteStore, size: int, *outputs: str) -> None:
    """Commit a batch of so many bytes, which takes as many of the file."""
    batch = Batch(
        source=SOURCE,
        tag="mail.proofpoint.pod.message",
        lane="standard",
        mode="archive",
        count=1,
        body=noise(size),
        first=0,
        last=0,
        outputs=outputs or ("siem",),
    )
    store.commit(Commit(source=SOURCE, checkpoint=started(0), observed=0, batches=[batch]))


def deliver(store: SqliteStore, output: str = "siem") -> int:
    """Confirm all that waits for an output; how many batches."""
    waiting = store.spool.take(output, "standard", 0, 1 << 40)
    store.spool.confirm(output, "standard", [each.id for each in waiting], (), None)
    return len(waiting)


def asked(folder: Path, query: str) -> int:
    """The one number that a query gives."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        return int(connection.execute(query).fetchone()[0])


def test_a_spent_batch_counts_no_more(store: SqliteStore, tmp_path: Path) -> None:
    """Its row is there, and no output is given it and no account of what waits has it."""
    spool(store, LARGE)
    deliver(store)
    assert asked(tmp_path, "SELECT count(*) FROM spool") == 1
    assert store.spool.size == 0
    assert store.spool.backlog() == {}
    assert deliver(store) == 0
    report = StateReport.read(tmp_path)
    assert (report.waiting, report.spool_bytes) == ([], 0)


def test_what_waits_is_counted_at_one_moment(store: SqliteStore, tmp_path: Path) -> None:
    """Whatever others store and confirm meanwhile."""
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:

        def work(_statement: str) -> None:
            for _ in range(asked(tmp_path, "SELECT count(*) FROM spool") + 1):
                spool(store, LARGE)
            deliver(store)

        connection.set_trace_callback(work)
        assert waiting_bytes(Database(connection)) == 0


def test_the_next_batches_take_over(store: SqliteStore, tmp_path: Path) -> None:
    """However much goes through, the free list stays empty and the file stays as it was."""
    pages = []
    for _ in range(6):
        for _ in range(4):
            spool(store, LARGE)
        assert asked(tmp_path, "SELECT count(*) FROM spool") <= 5
        deliver(store)
        assert asked(tmp_path, "PRAGMA freelist_count") < 4
        pages.append(asked(tmp_path, "PRAGMA page_count"))
    assert pages[-1] == pages[1]


def test_a_small_batch_is_deleted_at_once(store: SqliteStore, tmp_path: Path) -> None:
    """A quiet service keeps nothing that it has delivered."""
    spool(store, LARGE_BYTES - 1)
    deliver(store)
    assert asked(tmp_path, "SELECT count(*) FROM spool") == 0
    assert asked(tmp_path, "SELECT count(*) FROM spent") == 0


def test_a_batch_for_two_waits_for_both(store: SqliteStore, tmp_path: Path) -> None:
    """It is spent when the last output has it, and taken by then."""
    spool(store, LARGE, "siem", "lake")
    deliver(store)
    assert asked(tmp_path, "SELECT count(*) FROM spent") == 0
    spool(store, LARGE, "siem")
    assert deliver(store, "lake") == 1
    assert asked(tmp_path, "SELECT count(*) FROM spent") == 1


def test_no_more_lies_about_than_is_confirmed_at_a_time(store: SqliteStore, tmp_path: Path) -> None:
    """After a long backlog the rest is deleted at once."""
    each = MAX_BYTES // 4
    for _ in range(7):
        spool(store, each)
    deliver(store)
    assert asked(tmp_path, "SELECT sum(bytes) FROM spent") == 4 * each
    assert asked(tmp_path, "SELECT count(*) FROM spool") == 4


@pytest.mark.parametrize("size", [1_000, LARGE_BYTES - 1, LARGE])
def test_a_full_disk_has_room_while_anything_is_spent(store: SqliteStore, size: int) -> None:
    """Small batches take over the pages of large ones, too: the file need not grow for them."""
    for _ in range(8):
        spool(store, LARGE)
    deliver(store)
    with store._writer.reading() as db:  # noqa: SLF001 - the limit is the connection's
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}").fetchone()
    for _ in range(40):
        spool(store, size)
        assert deliver(store) == 1


def test_all_space_comes_back_step_by_step(store: SqliteStore, tmp_path: Path) -> None:
    """Housekeeping leaves nothing of what was delivered, however much it was."""
    for _ in range(9):
        spool(store, MAX_BYTES // 8)
    deliver(store)
    assert store.give_back_space()
    while store.give_back_space():
        pass
    assert asked(tmp_path, "SELECT count(*) FROM spool") == 0
    assert asked(tmp_path, "PRAGMA freelist_count") == 0
    assert asked(tmp_path, "PRAGMA page_count") < 64


def test_spent_batches_survive_a_restart(tmp_path: Path) -> None:
    """The next start finds them sound, counts them not, and goes on with their pages."""
    with closing(SqliteStore.open(tmp_path, ManualClock(0))) as store:
        spool(store, LARGE)
        deliver(store)
    with closing(SqliteStore.open(tmp_path, ManualClock(0))) as store:
        assert store.spool.size == 0
        spool(store, LARGE)
        assert asked(tmp_path, "SELECT count(*) FROM spent") == 0
        assert deliver(store) == 1


def test_a_joined_process_counts_alike(tmp_path: Path) -> None:
    """What one process has confirmed is spent for all."""
    with closing(SqliteStore.open(tmp_path, ManualClock(0), shared=True)) as first:
        spool(first, LARGE)
        with closing(SqliteStore.join(tmp_path, first.epoch, ManualClock(0))) as second:
            assert second.spool.size == LARGE
            deliver(second)
        with closing(SqliteStore.join(tmp_path, first.epoch, ManualClock(0))) as third:
            assert third.spool.size == 0
            spool(third, LARGE)
        assert asked(tmp_path, "SELECT count(*) FROM spool") == 1
        assert deliver(first) == 1


def test_a_wrong_mark_deletes_nothing_that_is_awaited(store: SqliteStore, tmp_path: Path) -> None:
    """Whatever the table says: a batch that an output waits for stays."""
    spool(store, LARGE)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("INSERT INTO spent VALUES (1, 1000000, 0)")
        connection.commit()
    spool(store, LARGE)
    store.give_back_space()
    assert deliver(store) == 2


def test_a_batch_that_nobody_waits_for_and_nobody_had_is_damage(tmp_path: Path) -> None:
    """Who waited for it is lost: it would never be delivered."""
    with closing(SqliteStore.open(tmp_path, ManualClock(0))) as store:
        spool(store, LARGE)
        deliver(store)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("DELETE FROM spent")
        connection.commit()
    with pytest.raises(StateError, match="does not fit"):
        SqliteStore.open(tmp_path, ManualClock(0))
