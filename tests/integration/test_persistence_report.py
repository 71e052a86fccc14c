"""The report of a state folder, as ``collector state show`` prints it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from collector.core.checkpoint import owing, started
from collector.core.model import Batch
from collector.core.state import from_state
from collector.core.store import Commit, DeadLetter
from collector.core.times import HOUR, SECOND
from collector.persistence.report import StateReport
from tests.fakes.stores import START, SqliteState


def filled(folder: Path) -> SqliteState:
    """A store with two services, three records that wait and one kept aside."""
    state = SqliteState(folder)
    batch = Batch(
        source="casb#alerts",
        tag="t",
        lane="standard",
        mode="live",
        count=3,
        body=b"1\n2\n3\n",
        first=START,
        last=START,
        outputs=("siem", "archive"),
    )
    letter = DeadLetter(source="casb#alerts", tag="t", reason="r", raw=b"x", observed=START)
    pulled = msgspec.structs.replace(started(START), since=START + HOUR, last_event_time=START + 5)
    owed = owing(started(START), START, START + 2 * HOUR)
    with closing(state.open()) as store:
        store.commit(
            Commit(
                source="casb#alerts",
                checkpoint=pulled,
                observed=START + SECOND + 7,
                batches=[batch],
                dead_letters=[letter],
            )
        )
        store.commit(Commit(source="pod#audit", checkpoint=owed, observed=START))
        (taken,) = store.spool.take("archive", "standard", 0, 1)
        store.spool.confirm("archive", "standard", [taken.id], [], None)
    return state


def test_the_report_says_where_every_service_stands(tmp_path: Path) -> None:
    """Times in words, what is owed, what waits for whom."""
    report = StateReport.read(filled(tmp_path / "state").folder)
    alerts, audit = report.services
    assert (alerts.source, alerts.last_event, alerts.complete_until) == (
        "casb#alerts",
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00Z",
    )
    assert (alerts.owed_hours, alerts.changed) == ("-", "2026-01-01T00:00:01Z")
    assert (audit.source, audit.owed_hours) == ("pod#audit", "2 hours")
    assert report.waiting == [("siem", "standard", 3)]
    assert report.dead_letters == 1


def test_the_report_as_json(tmp_path: Path) -> None:
    """The states under Devo's names; nothing that JSON cannot say."""
    shown = StateReport.read(filled(tmp_path / "state").folder).as_dict()
    assert msgspec.json.decode(msgspec.json.encode(shown)) == shown
    assert shown["services"]["casb#alerts"]["initial_start_time_in_utc"] == "2026-01-01T00:00:00Z"
    assert shown["waiting"] == [{"output": "siem", "lane": "standard", "records": 3}]
    assert shown["dead_letters"] == 1


def test_a_look_at_a_running_collector(tmp_path: Path) -> None:
    """The report needs no lock, sees the last commit and disturbs nobody."""
    state = filled(tmp_path / "state")
    with closing(state.open()) as store:
        store.commit(Commit(source="pod#message", checkpoint=started(START), observed=START))
        assert len(StateReport.read(state.folder).services) == 3
        store.commit(Commit(source="pod#maillog", checkpoint=started(START), observed=START))


def test_a_look_changes_no_byte(tmp_path: Path) -> None:
    """Not even of a file whose journal mode or schema could be brought up to date."""
    state = filled(tmp_path / "state")
    before = state.file.read_bytes()
    StateReport.read(state.folder)
    assert state.file.read_bytes() == before


def test_a_service_that_has_taken_nothing(tmp_path: Path) -> None:
    """Its start is called the start; there is no last event, in words and in JSON."""
    state = SqliteState(tmp_path / "state")
    with closing(state.open()) as store:
        store.commit(Commit(source="pod#audit", checkpoint=started(START), observed=START))
    report = StateReport.read(state.folder)
    (audit,) = report.services
    assert (audit.start, audit.last_event) == ("2026-01-01T00:00:00Z", "-")
    shown = report.as_dict()["services"]["pod#audit"]
    assert shown["initial_start_time_in_utc"] == "2026-01-01T00:00:00Z"
    assert shown["last_event_time_in_utc"] is None
    assert from_state(audit.state) == started(START), "what is stored stays whole"


def test_a_service_whose_first_event_is_at_its_start(tmp_path: Path) -> None:
    """The instants are equal, and yet it has collected: its ids tell."""
    state = SqliteState(tmp_path / "state")
    mark = msgspec.structs.replace(started(START), last_ids=("a",))
    with closing(state.open()) as store:
        store.commit(Commit(source="pod#audit", checkpoint=mark, observed=START))
    (audit,) = StateReport.read(state.folder).services
    assert audit.last_event == "2026-01-01T00:00:00Z"
