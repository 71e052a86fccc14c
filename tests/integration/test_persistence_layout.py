"""How the state file is laid out, which can only be chosen while it is empty."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collector.core.checkpoint import started
from collector.core.model import Batch
from collector.core.store import Commit
from collector.persistence.database import FILE_NAME, OURS, PAGE_SIZE
from collector.persistence.sqlite import SqliteStore
from tests.fakes.clock import ManualClock


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [
        ("page_size", PAGE_SIZE),
        ("auto_vacuum", 2),  # incremental
        ("journal_mode", "wal"),
        ("application_id", int.from_bytes(OURS)),
    ],
)
def test_new_file(tmp_path: Path, pragma: str, expected: object) -> None:
    """A new state file is made as measured, and marked as ours."""
    SqliteStore.open(tmp_path, ManualClock(0)).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert connection.execute(f"PRAGMA {pragma}").fetchone() == (expected,)


def test_space_comes_back(tmp_path: Path) -> None:
    """What a long backlog took on the disk is given back once it is delivered."""
    body = b'{"id":"large"}' + b" " * 1_000_000 + b"\n"
    batch = Batch(
        source="tenant#service",
        tag="casb.alerts",
        lane="standard",
        mode="window",
        count=1,
        body=body,
        first=0,
        last=0,
        outputs=("archive",),
    )
    with closing(SqliteStore.open(tmp_path, ManualClock(0))) as store:
        store.commit(
            Commit(source="tenant#service", checkpoint=started(0), observed=0, batches=[batch] * 8)
        )
        waiting = store.spool.take("archive", "standard", 0, 1 << 30)
        store.spool.confirm("archive", "standard", [each.id for each in waiting], [], None)
        store.give_back_space()
    assert (tmp_path / FILE_NAME).stat().st_size < 1_000_000
