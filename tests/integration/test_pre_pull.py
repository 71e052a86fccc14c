"""What happens before the first pull, with the log lines of Devo's reference page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from collector.app.pre_pull import pre_pull
from collector.core import times
from collector.core.checkpoint import Checkpoint, started
from collector.core.model import Micros
from collector.core.store import Commit
from collector.core.times import DAY, HOUR
from collector.errors import StateError
from collector.logs import component_logger
from collector.persistence.sqlite import SqliteStore
from tests.fakes.stores import START, SqliteState

SOURCE = "casb#alerts"
COMPONENT = "ProofpointCasbAlertsPuller(proofpoint_casb,casb,alerts,predefined)"
NOW = START + 30 * DAY


@pytest.fixture
def state(tmp_path: Path) -> SqliteState:
    """A place for the state."""
    return SqliteState(tmp_path / "state")


@pytest.fixture
def store(state: SqliteState) -> Iterator[SqliteStore]:
    """An empty store."""
    with closing(state.open()) as opened:
        yield opened


def begin(store: SqliteStore, initial: Micros | None = START, now: Micros = NOW) -> Checkpoint:
    """The checkpoint that the first pull starts from."""
    log = component_logger("InputProcess", COMPONENT)
    return pre_pull(store, SOURCE, COMPONENT, initial, now, log)


def pulled(store: SqliteStore, **changed: object) -> Checkpoint:
    """A store in which three hours were pulled; their checkpoint."""
    done = msgspec.structs.replace(
        started(START), since=START + 3 * HOUR, last_event_time=START + 2 * HOUR, last_ids=("a",)
    )
    checkpoint = msgspec.structs.replace(done, **changed)
    digests = {START // HOUR: [bytes(16)]}
    store.commit(Commit(source=SOURCE, checkpoint=checkpoint, observed=START, digests=digests))
    return checkpoint


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Level and text of all lines."""
    return [(record.levelname, record.getMessage()) for record in caplog.records]


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="collector")


def test_the_first_start(store: SqliteStore, caplog: pytest.LogCaptureFixture) -> None:
    """The configured start is stored, and every step is told."""
    assert begin(store) == started(START) == store.checkpoint(SOURCE)
    told = lines(caplog)
    new = (
        "{'initial_start_time_in_utc': '2026-01-01T00:00:00Z',"
        " 'last_event_time_in_utc': '2026-01-01T00:00:00Z', 'last_ids': [],"
        " '@persistence_version': 1"
    )
    assert told[:5] == [
        ("INFO", f"{COMPONENT} Starting the execution of pre_pull()"),
        ("INFO", "Reading persisted data"),
        ("INFO", "Data retrieved from the persistence: None"),
        ("INFO", "Running the persistence upgrade steps"),
        ("INFO", "Running the persistence corrections steps"),
    ]
    assert told[5][0] == "WARNING"
    assert told[5][1].startswith(
        "Some changes have been detected and the persistence needs to be updated. "
        f"Previous content: None. New content: {new}"
    )
    assert told[6:] == [
        ("INFO", "Updating the persistence"),
        ("WARNING", "Persistence has been updated successfully"),
        ("INFO", f"{COMPONENT} Finalizing the execution of pre_pull()"),
    ]


def test_without_a_configured_start(store: SqliteStore) -> None:
    """Seven days back at the first start; later starts do not move it."""
    first = begin(store, None)
    assert first == started(NOW - 7 * DAY)
    assert begin(store, None, NOW + 3 * DAY) == first


def test_nothing_has_changed(store: SqliteStore, caplog: pytest.LogCaptureFixture) -> None:
    """The checkpoint is taken as it is; nothing is written, and nothing is warned of."""
    before = pulled(store)
    assert begin(store) == before == store.checkpoint(SOURCE)
    assert [level for level, _ in lines(caplog)] == ["INFO"] * 6
    shown = store.stored_state(SOURCE)
    assert ("INFO", f"Data retrieved from the persistence: {shown}") in lines(caplog)
    assert list(store.known(SOURCE, START // HOUR)) == [bytes(16)]


def test_another_start_resets_the_service(
    state: SqliteState, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Old and new start are told in DeepDiff's form; known ids are forgotten."""
    pulled(store)
    assert begin(store, START + DAY) == started(START + DAY) == store.checkpoint(SOURCE)
    assert list(store.known(SOURCE, START // HOUR)) == []
    told = [text for level, text in lines(caplog) if level == "INFO"]
    assert any(
        text.startswith(
            "Detected initial start time in UTC change: {'values_changed': {'root': "
            "{'new_value': '2026-01-02T00:00:00Z', 'old_value': '2026-01-01T00:00:00Z'}}}. "
            "Resetting state to {'initial_start_time_in_utc': '2026-01-02T00:00:00Z'"
        )
        for text in told
    )
    assert state.rows("history") == [(SOURCE, "initial_start_time_in_utc was changed")]


@pytest.mark.parametrize("to", [START - DAY, START + 60 * DAY])
def test_a_start_moved_far(store: SqliteStore, to: Micros) -> None:
    """Backwards or into the future, it counts."""
    pulled(store)
    assert begin(store, to) == started(to)


def test_the_same_start_in_another_spelling(store: SqliteStore) -> None:
    """Instants are compared, not texts."""
    before = pulled(store)
    assert begin(store, times.parse("2026-01-01T00:00:00.000Z")) == before


def test_a_start_that_is_no_longer_configured(store: SqliteStore) -> None:
    """Taking the setting away is no wish to start anew."""
    before = pulled(store)
    assert begin(store, None) == before


def test_marks_in_the_future_are_corrected(
    state: SqliteState, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    """They come from a wrong clock; known ids stay, so that nothing is delivered twice."""
    newest = pulled(store, since=NOW + 400 * DAY).last_event_time
    corrected = begin(store)
    assert corrected.since == newest - HOUR
    assert store.checkpoint(SOURCE) == corrected
    assert list(store.known(SOURCE, START // HOUR)) == [bytes(16)]
    assert ("WARNING", "Persistence has been updated successfully") in lines(caplog)
    assert state.rows("history") == []


@pytest.mark.parametrize("behind", [HOUR // 2, 400 * DAY])
def test_a_clock_that_is_behind_changes_nothing(store: SqliteStore, behind: int) -> None:
    """Our marks and the events agree that it is later."""
    before = pulled(store, since=NOW + behind, last_event_time=NOW + behind)
    assert begin(store) == before


def test_services_are_apart(store: SqliteStore) -> None:
    """A reset of one leaves the others."""
    pulled(store)
    store.reset("casb#events", started(START), START, "first start")
    begin(store, START + DAY)
    assert store.checkpoint("casb#events") == started(START)


def test_a_state_that_cannot_be_read_is_never_a_first_start(store: SqliteStore) -> None:
    """It is told, with a way out that works: a reset."""
    pulled(store, version=99)
    with pytest.raises(StateError, match=r"210.*collector state reset"):
        begin(store)
    store.reset(SOURCE, started(START), NOW, "collector state reset")
    assert begin(store) == started(START)
