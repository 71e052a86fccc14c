"""States of earlier releases open in this one, show what they showed, and go on.

Reliability matrix, row 4.  ``tests/data/make_golden_store.py`` wrote them, each by the
release whose name its folder bears.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collector import __version__
from collector.persistence.database import FILE_NAME
from collector.persistence.letters import Filter
from collector.persistence.sqlite import SqliteStore
from tests.fakes import golden
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import START

STORES = Path(__file__).parents[1] / "data" / "stores"
RELEASES = sorted(path.name for path in STORES.glob("*") if path.is_dir())


@pytest.fixture(params=RELEASES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a golden store."""
    found = tmp_path / "state"
    found.mkdir()
    packed = (STORES / request.param / f"{FILE_NAME}.gz").read_bytes()
    (found / FILE_NAME).write_bytes(gzip.decompress(packed))
    shutil.copy(STORES / request.param / "contents.json", tmp_path / "contents.json")
    return found


@pytest.fixture
def contents(folder: Path) -> dict[str, Any]:
    """What its release showed of it."""
    found: dict[str, Any] = json.loads((folder.parent / "contents.json").read_text("utf-8"))
    return found


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    """The golden store, opened by this release."""
    with closing(SqliteStore.open(folder, ManualClock(START))) as opened:
        yield opened


def assert_holds(found: Any, expected: Any) -> None:
    """Everything that was there is there; a later release may say more."""
    if isinstance(expected, dict):
        assert expected.keys() <= found.keys()
        for name, value in expected.items():
            assert_holds(found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_holds(one, other)
    else:
        assert found == expected


def test_this_release_has_one() -> None:
    """A release is not made without its golden store."""
    assert __version__ in RELEASES


def test_it_shows_what_it_showed(
    store: SqliteStore, folder: Path, contents: dict[str, Any]
) -> None:
    """Checkpoints, ledger, dead letters, and what every output is owed, word for word."""
    assert_holds(golden.shown(folder) | golden.owed(store), contents)


def test_known_records_are_still_known(store: SqliteStore) -> None:
    """What an earlier release delivered is not delivered again."""
    for source_id in golden.SOURCES:
        taken = golden.intake(store, source_id, ManualClock(START))
        stats = taken.take(golden.page(source_id), mode="archive", pulling_id="2")
        assert (stats.received, stats.duplicates, stats.generated) == (10, 9, 0)


def test_it_goes_on(store: SqliteStore) -> None:
    """Everything owed is delivered, accounts add up, dead letters can be sent again."""
    for output in golden.OUTPUTS:
        batches = store.spool.take(output, "standard", 0, 1 << 24)
        store.spool.confirm(output, "standard", [each.id for each in batches], [], "later")
    assert store.spool.size == 0
    refused = store.dead_letters(Filter(output="archive"), 0, 10)
    store.send_again(refused)
    assert store.spool.backlog() == {("archive", "standard"): len(refused)}
    for source_id in golden.SOURCES:
        rows = [store.account(source_id, golden.hour(number)) for number in range(7)]
        assert all(row.counts.balanced() for row in rows)
        assert sum(row.counts.spooled for row in rows) == 9
        assert any(row.digest for row in rows)


def test_it_opens_again_and_again(folder: Path) -> None:
    """An upgrade is done once, and its result is a state like any other."""
    for _ in range(3):
        with closing(SqliteStore.open(folder, ManualClock(START))) as opened:
            assert opened.checkpoint("pod#message") == golden.checkpoints()["pod#message"]
