"""Several processes at one store: each sees what the others did, and none outlives its epoch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.core import checkpoint
from collector.core.model import Batch
from collector.core.store import Commit
from collector.errors import StateError
from collector.persistence.sqlite import SqliteStore
from tests.fakes.processes import eventually

MARK = checkpoint.started(0)
LANE = ("archive", "standard")


def commit_of(source: str, body: bytes = b"{}\n") -> Commit:
    """One page of a source: one record for the output."""
    batch = Batch(
        source=source,
        tag="t",
        lane="standard",
        mode="archive",
        count=1,
        body=body,
        first=0,
        last=0,
        outputs=("archive",),
    )
    return Commit(source=source, checkpoint=MARK, observed=0, batches=[batch])


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[SqliteStore]:
    """The store as the supervisor has it."""
    with closing(SqliteStore.open(tmp_path, SystemClock(), shared=True)) as opened:
        yield opened


@pytest.fixture
def worker(supervisor: SqliteStore, tmp_path: Path) -> Iterator[SqliteStore]:
    """The store as a worker has it: second connections, no lock."""
    with closing(SqliteStore.join(tmp_path, supervisor.epoch, SystemClock())) as joined:
        yield joined


def test_what_a_worker_commits_is_delivered(supervisor: SqliteStore, worker: SqliteStore) -> None:
    """The supervisor's sender takes it, byte for byte, and its confirmation frees it for both."""
    worker.commit(commit_of("pod#message"))
    (taken,) = supervisor.spool.take(*LANE, 0, 1000)
    assert taken.body == b"{}\n"
    supervisor.spool.confirm(*LANE, [taken.id], (), None)
    assert worker.spool.backlog() == {}


def test_sender_is_woken_by_a_worker(supervisor: SqliteStore, worker: SqliteStore) -> None:
    """A sender that waits returns once another process has committed, not when its time is up."""
    woken = threading.Event()

    def wait() -> None:
        supervisor.spool.wait(*LANE, 0, 60.0)
        woken.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert not woken.is_set()
    worker.commit(commit_of("pod#message"))
    assert woken.wait(30.0)


def test_size_counts_what_all_have_put_there(
    supervisor: SqliteStore, worker: SqliteStore, tmp_path: Path
) -> None:
    """A worker's gate sees the bytes of the other workers, and that they were delivered."""
    other = SqliteStore.join(tmp_path, supervisor.epoch, SystemClock())
    with closing(other):
        other.commit(commit_of("pod#audit", b"x" * 100 + b"\n"))
        eventually(lambda: worker.spool.size == 101)
        (taken,) = supervisor.spool.take(*LANE, 0, 1000)
        supervisor.spool.confirm(*LANE, [taken.id], (), None)
        eventually(lambda: worker.spool.size == other.spool.size == supervisor.spool.size == 0)


def test_orphan_can_commit_nothing(tmp_path: Path) -> None:
    """Once a later start has taken over, a worker of the one before is refused."""
    first = SqliteStore.open(tmp_path, SystemClock(), shared=True)
    with closing(SqliteStore.join(tmp_path, first.epoch, SystemClock())) as orphan:
        orphan.commit(commit_of("pod#message"))
        first.close()
        with closing(SqliteStore.open(tmp_path, SystemClock(), shared=True)) as second:
            with pytest.raises(StateError, match="another collector has taken over"):
                orphan.commit(commit_of("pod#message"))
            assert second.spool.backlog() == {LANE: 1}


def test_nobody_starves(supervisor: SqliteStore, tmp_path: Path) -> None:
    """Writers that commit without a pause all come to their turn; nothing is refused or lost."""
    rounds = 40

    def work(number: int) -> None:
        with closing(SqliteStore.join(tmp_path, supervisor.epoch, SystemClock())) as joined:
            for _ in range(rounds):
                joined.commit(commit_of(f"pod{number}#message", b"x" * 200_000 + b"\n"))

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work, number) for number in range(4)]:
            done.result()
    assert supervisor.spool.backlog() == {LANE: 4 * rounds}


def test_a_state_that_is_gone_cannot_be_joined(tmp_path: Path) -> None:
    """Nobody makes an empty one in its place."""
    with pytest.raises(StateError):
        SqliteStore.join(tmp_path, "1", SystemClock())
    assert list(tmp_path.iterdir()) == []
