"""``collector state reset``: the way out that other messages name."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from collector.cli.state import app
from collector.core.checkpoint import started
from collector.core.store import Commit
from collector.errors import ConfigError, StateError
from tests.fakes.stores import START, SqliteState

SOURCE = "screen_casb#alerts"
CONFIG = """\
globals: {{id: "1", name: acme, persistence: {{config: {{directory_name: "{folder}"}}}}}}
outputs: {{screen: {{type: console}}}}
inputs:
  screen_casb:
    type: proofpoint_casb
    credentials: {{api_key: a, client_id: b, client_secret: c}}
    services: {{alerts: {{{start}}}}}
"""


@pytest.fixture
def state(tmp_path: Path) -> SqliteState:
    """A state in which a service has been pulled."""
    made = SqliteState(tmp_path / "state")
    configure(made)
    with closing(made.open()) as store:
        store.commit(Commit(source=SOURCE, checkpoint=started(START), observed=START))
    return made


def configure(state: SqliteState, start: str | None = None) -> None:
    """The configuration, with this start of the service or without one."""
    setting = "" if start is None else f'initial_start_time_in_utc: "{start}"'
    text = CONFIG.format(folder=state.folder, start=setting)
    (state.folder.parent / "config.yaml").write_text(text)


def reset(state: SqliteState, *arguments: str) -> Result:
    """The command; what it raises comes out."""
    config = state.folder.parent / "config.yaml"
    command = ["reset", "--yes", "--config", str(config), *arguments]
    return CliRunner().invoke(app, command, catch_exceptions=False)


def start_of(state: SqliteState) -> str:
    """Where the service begins."""
    with closing(state.open()) as store:
        found = store.stored_state(SOURCE)
    assert found is not None
    return str(found["initial_start_time_in_utc"])


def test_back_to_the_first_start(state: SqliteState) -> None:
    """Without a start, the service begins where it first began."""
    assert reset(state, SOURCE).exit_code == 0
    assert start_of(state) == "2026-01-01T00:00:00Z"


def test_to_another_start(state: SqliteState) -> None:
    """As it is given."""
    assert reset(state, SOURCE, "--start", "2026-02-01T00:00:00Z").exit_code == 0
    assert start_of(state) == "2026-02-01T00:00:00Z"


def test_to_the_first_moment_there_is(state: SqliteState) -> None:
    """A start of zero is a start like any other."""
    assert reset(state, SOURCE, "--start", "1970-01-01T00:00:00Z").exit_code == 0
    assert start_of(state) == "1970-01-01T00:00:00Z"


def test_a_service_that_is_not_there(state: SqliteState) -> None:
    """A slip of the pen makes no new service."""
    with pytest.raises(ConfigError, match="did you mean screen_casb#alerts"):
        reset(state, "screen_casb#alert", "--start", "2026-02-01T00:00:00Z")


def test_a_start_that_is_no_time(state: SqliteState) -> None:
    """Nothing is reset."""
    with pytest.raises(ConfigError, match="no time"):
        reset(state, SOURCE, "--start", "yesterday")
    assert state.rows("history") == []


@pytest.mark.parametrize("start", ["1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"])
def test_a_start_that_no_record_can_have(state: SqliteState, start: str) -> None:
    """Nothing is reset: the state could not hold it, or nothing would come of it."""
    with pytest.raises(ConfigError, match="1970 to 9998"):
        reset(state, SOURCE, "--start", start)
    assert state.rows("history") == []


def test_a_start_in_the_future(state: SqliteState) -> None:
    """Nothing is reset: nothing would be collected until then, in silence."""
    with pytest.raises(ConfigError, match=r"2999-01-01T00:00:00Z lies in the future \(it is now"):
        reset(state, SOURCE, "--start", "2999-01-01T00:00:00Z")
    assert state.rows("history") == []


def test_the_new_state_is_told_as_by_show(state: SqliteState) -> None:
    """A row for people, and no value as a program spells it."""
    told = reset(state, SOURCE, "--start", "2026-02-01T00:00:00Z").stderr
    assert f"{SOURCE} starts anew:" in told
    heading, row = told.splitlines()[1:3]
    assert heading.split()[:3] == ["service", "start", "last"]
    assert row.split()[:3] == [SOURCE, "2026-02-01T00:00:00Z", "-"]
    assert "{" not in told


def test_without_a_state_none_is_made(tmp_path: Path) -> None:
    """A wrong folder is told, and stays as it is."""
    nothing = SqliteState(tmp_path / "state")
    configure(nothing)
    with pytest.raises(StateError, match=r"203: .*holds no state"):
        reset(nothing, SOURCE)
    assert not nothing.folder.exists()


def test_a_state_that_cannot_be_read_can_be_reset(state: SqliteState) -> None:
    """The message about it names this command, so it must work; it needs a start then."""
    newer = msgspec.structs.replace(started(START), version=99)
    with closing(state.open()) as store:
        store.correct(SOURCE, newer, START)
    with pytest.raises(StateError, match=r"210.*--start"):
        reset(state, SOURCE)
    assert reset(state, SOURCE, "--start", "2026-02-01T00:00:00Z").exit_code == 0
    assert start_of(state) == "2026-02-01T00:00:00Z"


def test_a_configured_start_wins_over_another(state: SqliteState) -> None:
    """The next run would undo the reset without a word, so it is refused, with the way to do it."""
    configure(state, "2026-01-01T00:00:00Z")
    with pytest.raises(ConfigError) as refused:
        reset(state, SOURCE, "--start", "2026-02-01T00:00:00Z")
    path = "inputs.screen_casb.services.alerts.initial_start_time_in_utc"
    assert f"{path} is 2026-01-01T00:00:00Z" in refused.value.cause
    assert "change it" in refused.value.remedy
    assert start_of(state) == "2026-01-01T00:00:00Z"
    assert state.rows("history") == []


@pytest.mark.parametrize("options", [(), ("--start", "2026-03-01T00:00:00")])
def test_to_the_configured_start(state: SqliteState, options: tuple[str, ...]) -> None:
    """Where the next run begins anyway: by default, or when the same is asked for."""
    configure(state, "2026-03-01T00:00:00Z")
    assert reset(state, SOURCE, *options).exit_code == 0
    assert start_of(state) == "2026-03-01T00:00:00Z"


def test_a_service_that_is_configured_no_more(state: SqliteState) -> None:
    """Nothing in the file speaks of its start, so any may be given."""
    path = state.folder.parent / "config.yaml"
    path.write_text(path.read_text().replace("screen_casb", "another_casb"))
    assert reset(state, SOURCE, "--start", "2026-02-01T00:00:00Z").exit_code == 0
    assert start_of(state) == "2026-02-01T00:00:00Z"
