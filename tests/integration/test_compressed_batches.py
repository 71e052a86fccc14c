"""Large batches lie compressed in the file, and leave it byte for byte as they came."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collector.core.checkpoint import started
from collector.core.model import Batch
from collector.core.store import Commit
from collector.errors import StateError
from collector.persistence.database import FILE_NAME
from collector.persistence.sqlite import SqliteStore
from tests.fakes.batches import numbered
from tests.fakes.clock import ManualClock
from tests.fakes.noise import noise

SOURCE = "pod#message"
LINES = numbered(1, 2000)
RECORDS = b"\n".join(LINES) + b"\n"


def spool(store: SqliteStore, body: bytes) -> None:
    """Commit a batch of this body."""
    batch = Batch(
        source=SOURCE,
        tag="mail.proofpoint.pod.message",
        lane="standard",
        mode="archive",
        count=body.count(b"\n"),
        body=body,
        first=0,
        last=0,
        outputs=("siem",),
    )
    store.commit(Commit(source=SOURCE, checkpoint=started(0), observed=0, batches=[batch]))


def stored(folder: Path, query: str) -> tuple[object, ...]:
    """The one row that a query of the file gives."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        row: tuple[object, ...] = connection.execute(query).fetchone()
        return row


@pytest.mark.parametrize("body", [RECORDS, b'{"a":1}\n', noise(200_000)], ids=len)
def test_what_is_taken_after_a_restart_is_what_was_committed(body: bytes, tmp_path: Path) -> None:
    """Compressed or not."""
    with closing(SqliteStore.open(tmp_path, ManualClock(0))) as store:
        spool(store, body)
        (fresh,) = store.spool.take("siem", "standard", 0, 1 << 40)
    with closing(SqliteStore.open(tmp_path, ManualClock(0))) as store:
        (read,) = store.spool.take("siem", "standard", 0, 1 << 40)
        assert read == fresh
        assert read.body == body


def test_the_file_holds_less_and_what_waits_is_counted_whole(tmp_path: Path) -> None:
    """``spool.max_bytes`` and every report count the records' bytes, not the file's."""
    with closing(SqliteStore.open(tmp_path, ManualClock(0))) as store:
        spool(store, RECORDS)
        assert store.spool.size == len(RECORDS)
        codec, size, held = stored(tmp_path, "SELECT codec, bytes, length(body) FROM spool")
        assert (codec, size) == ("zstd", len(RECORDS))
        assert isinstance(held, int)
        assert held < len(RECORDS) / 4
    with closing(SqliteStore.open(tmp_path, ManualClock(0))) as store:
        assert store.spool.size == len(RECORDS)


@pytest.mark.parametrize("codec", ["none", "lz4"])
def test_another_form_than_was_written_is_damage(codec: str, tmp_path: Path) -> None:
    """Compressed bytes are never delivered as records."""
    with closing(SqliteStore.open(tmp_path, ManualClock(0))) as store:
        spool(store, RECORDS)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("UPDATE spool SET codec = ?", [codec])
        connection.commit()
    with (
        closing(SqliteStore.open(tmp_path, ManualClock(0))) as store,
        pytest.raises(StateError, match="205"),
    ):
        store.spool.take("siem", "standard", 0, 1 << 40)
