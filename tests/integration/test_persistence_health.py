"""Health in the state file: kept, read beside its owner, and never in anybody's way."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from collector.core import health as rules
from collector.core.checkpoint import started
from collector.core.health import Fault, Kind, Signal, State
from collector.core.model import NO_TIME
from collector.core.store import Commit
from collector.errors import StateError
from collector.persistence.health import HealthReader
from tests.fakes.stores import START, SqliteState

DOWN = Fault(kind=Kind.THIRD_PARTY_GENERIC, number=503, cause='"down" ü\n', remedy="wait")
FINE = rules.begun(None, START)
BAD = rules.failed(FINE, "live", DOWN, START + 5, 3)


@pytest.fixture
def state(tmp_path: Path) -> SqliteState:
    """An empty state folder."""
    return SqliteState(tmp_path / "state")


def test_it_comes_back_as_it_was(state: SqliteState) -> None:
    """States, times and events, after the store was closed."""
    with closing(state.open()) as store:
        store.health.save({"pod#audit": BAD, "casb#alerts": FINE}, START)
    with closing(state.open()) as store:
        assert store.health.load() == {"pod#audit": BAD, "casb#alerts": FINE}


def test_the_newest_counts(state: SqliteState) -> None:
    """A row is replaced, the others stay, and those that are no longer configured go."""
    stopped = rules.signalled(FINE, Signal.ENDED, START + 9)
    with closing(state.open()) as store:
        store.health.save({"pod#audit": BAD, "casb#alerts": FINE}, START)
        store.health.save({"casb#alerts": stopped}, START + 1)
        assert store.health.load() == {"pod#audit": BAD, "casb#alerts": stopped}
        store.health.keep_only({"casb#alerts"})
        assert store.health.load() == {"casb#alerts": stopped}


def test_a_look_beside_its_owner(state: SqliteState) -> None:
    """It sees each change, with where the service stands, and hinders nothing."""
    with closing(state.open()) as store:
        store.commit(Commit(source="casb#alerts", checkpoint=started(START), observed=START))
        store.health.save({"casb#alerts": FINE, "output siem": BAD}, START)
        with HealthReader(state.folder) as reader:
            alerts, siem = reader.read()
            assert (alerts.subject, alerts.health, alerts.checked) == ("casb#alerts", FINE, START)
            assert (alerts.complete_until, siem.complete_until) == (START, NO_TIME)
            store.health.save({"casb#alerts": BAD}, START + 60)
            again, _ = reader.read()
            assert (again.health.state, again.checked) == (State.ERROR, START + 60)


def test_a_row_that_cannot_be_read_is_passed_over(state: SqliteState) -> None:
    """Health decides nothing: damage to it stops nobody."""
    with closing(state.open()) as store:
        store.health.save({"casb#alerts": FINE, "pod#audit": BAD}, START)
    state.run("UPDATE health SET body = 'rubbish' WHERE subject = 'pod#audit'")
    with closing(state.open()) as store:
        assert store.health.load() == {"casb#alerts": FINE}
        store.health.keep_only(set())
        assert state.run("SELECT count(*) FROM health") == [(0,)]


def test_no_state_at_all(tmp_path: Path) -> None:
    """Then there is nothing to read, and the error says what to do."""
    with pytest.raises(StateError) as raised:
        HealthReader(tmp_path)
    assert raised.value.number == 203
    assert raised.value.cause == f"the folder {tmp_path} holds no state"
    assert "--config" in raised.value.remedy
