"""Looking at the state of a running collector must not disturb it, nor wait for it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.core import checkpoint
from collector.core.store import Commit
from collector.persistence.database import FILE_NAME
from collector.persistence.report import StateReport
from collector.persistence.sqlite import SqliteStore

MARK = checkpoint.started(0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store with one source."""
    with closing(SqliteStore.open(tmp_path, SystemClock())) as opened:
        opened.reset("casb#alerts", MARK, 0, "first start")
        yield opened


@pytest.fixture
def other(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that is writing to the store's file."""
    with closing(
        sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None, check_same_thread=False)
    ) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.mark.usefixtures("store", "other")
def test_report_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    """The state can be shown while a transaction is open: showing it writes nothing."""
    assert [each.source for each in StateReport.read(tmp_path).services] == ["casb#alerts"]


def test_commit_waits_for_a_writer(store: SqliteStore, other: sqlite3.Connection) -> None:
    """A commit that meets another program's short transaction waits for its end."""
    release = threading.Timer(0.2, other.rollback)
    release.start()
    store.commit(Commit(source="casb#alerts", checkpoint=checkpoint.completed(MARK, 1), observed=1))
    release.join()
    assert store.checkpoint("casb#alerts") == checkpoint.completed(MARK, 1)
