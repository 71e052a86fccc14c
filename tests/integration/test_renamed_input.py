"""An input under another name is another source: the start says so before records come twice."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path

import pytest

from collector.app.collector import Collector
from collector.app.selection import Selection
from collector.clock import SystemClock
from collector.core.checkpoint import started
from collector.core.store import Commit
from tests.fakes.config import changed, settings
from tests.fakes.stores import START, SqliteState


@pytest.fixture
def state(tmp_path: Path) -> SqliteState:
    """A state in which the alerts of ``tenant`` and the messages of ``pod`` were collected."""
    state = SqliteState(tmp_path / "state")
    with closing(state.open()) as store:
        for source in ("tenant#alerts", "pod#message"):
            store.commit(Commit(source=source, checkpoint=started(START), observed=START))
    return state


def warnings(state: SqliteState, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What a start tells of sources that begin."""
    found = settings(changed("globals.persistence.config", {"directory_name": str(state.folder)}))
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="collector"):
        Collector(found, SystemClock(), Selection({"none"})).store.close()
    return [each for each in caplog.messages if "begins anew" in each]


def test_a_start_names_it(state: SqliteState, caplog: pytest.LogCaptureFixture) -> None:
    """The new name and the old one; a service that nobody had before is no renamed one."""
    (warning,) = warnings(state, caplog)
    assert "casb#alerts begins anew; the state has tenant#alerts" in warning
    assert "give it its former name back" in warning


def test_once_begun_it_is_told_no_more(
    state: SqliteState, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever went on with the new name has decided."""
    with closing(state.open()) as store:
        store.commit(Commit(source="casb#alerts", checkpoint=started(START), observed=START))
    assert warnings(state, caplog) == []
