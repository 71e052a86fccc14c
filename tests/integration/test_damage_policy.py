"""A damaged state at the start and during a run: set aside, told, and by policy replaced."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collector.app.collector import Collector
from collector.app.opening import open_store
from collector.app.selection import Selection
from collector.clock import SystemClock
from collector.config.models import Settings
from collector.core.checkpoint import started
from collector.core.model import Batch
from collector.core.store import Commit
from collector.errors import StateError
from collector.persistence.database import FILE_NAME, LOCK_NAME
from collector.persistence.sqlite import SqliteStore
from collector.simulator import QUIET, Fault, Simulator
from tests.fakes.clock import ManualClock
from tests.fakes.config import changed, settings
from tests.fakes.log import MemoryLog
from tests.fakes.processes import PATIENCE, document, eventually, history
from tests.fakes.processes import Site as ProcessSite
from tests.fakes.stores import START, SqliteState

SOURCE = "casb#alerts"
STAMP = "20260101T000000Z"
GARBAGE = b"no database at all\n" * 1000
BATCH = Batch(
    source=SOURCE,
    tag="t",
    lane="standard",
    mode="live",
    count=1,
    body=b'{"amount":1}\n',
    first=START,
    last=START,
    outputs=("archive",),
)


class Site:
    """A state folder, and the settings that name it."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.state = SqliteState(folder)
        self.kept = folder / f"{FILE_NAME}.damaged-{STAMP}"
        self.clock = ManualClock(START)
        self.log = MemoryLog()
        place = {"directory_name": str(folder), **config}
        self.settings: Settings = settings(changed("globals.persistence.config", place))

    def open(self) -> SqliteStore:
        """Open the state as a run does."""
        return open_store(self.settings, self.clock, self.log)

    def used(self) -> Site:
        """The same, after a run."""
        with closing(self.open()) as store:
            store.commit(Commit(source=SOURCE, checkpoint=started(START), observed=START))
        return self

    def damaged(self) -> Site:
        """The same, with another content."""
        self.state.file.write_bytes(GARBAGE)
        Path(f"{self.state.file}-wal").write_bytes(b"log")
        return self


def test_stop_sets_it_aside_and_says_what_to_do(tmp_path: Path) -> None:
    """The file and its log keep every byte under another name, and nothing takes their place."""
    site = Site(tmp_path / "state").used().damaged()
    with pytest.raises(StateError, match=rf"205: .*{STAMP} -> restore a backup.*start_anew"):
        site.open()
    assert site.kept.read_bytes() == GARBAGE
    assert Path(f"{site.kept}-wal").read_bytes() == b"log"
    assert sorted(path.name for path in site.state.folder.iterdir()) == sorted(
        [site.kept.name, f"{site.kept.name}-wal", LOCK_NAME]
    )


def test_stop_means_each_start_until_a_person_acts(tmp_path: Path) -> None:
    """A supervisor that starts it again does not start it anew, nor does any command."""
    site = Site(tmp_path / "state").used().damaged()
    for _ in range(3):
        with pytest.raises(StateError, match=rf"205: .*{STAMP}"):
            site.open()
        with pytest.raises(StateError, match=r"205"):
            site.state.open()
    assert not site.state.file.exists()


def test_a_restored_backup_is_taken(tmp_path: Path) -> None:
    """Under the old name; the damaged one may lie beside it."""
    site = Site(tmp_path / "state").used()
    backup = site.state.file.read_bytes()
    with pytest.raises(StateError):
        site.damaged().open()
    site.state.file.write_bytes(backup)
    with closing(site.open()) as store:
        assert store.checkpoint(SOURCE) == started(START)


def test_moved_elsewhere_a_new_state_is_made(tmp_path: Path) -> None:
    """A person has seen it."""
    site = Site(tmp_path / "state").used()
    with pytest.raises(StateError):
        site.damaged().open()
    site.kept.rename(tmp_path / "elsewhere.db")
    Path(f"{site.kept}-wal").unlink()
    with closing(site.open()) as store:
        assert store.checkpoint(SOURCE) is None


def test_start_anew_goes_on_and_says_so(tmp_path: Path) -> None:
    """Services begin at their configured start, the damaged file is kept, the log is loud."""
    site = Site(tmp_path / "state", on_damage="start_anew").used().damaged()
    with closing(site.open()) as store:
        assert store.checkpoint(SOURCE) is None
        store.commit(Commit(source=SOURCE, checkpoint=started(START), observed=START))
    assert site.kept.read_bytes() == GARBAGE
    (told,) = site.log.texts("ERROR")
    assert site.kept.name in told
    assert "starts anew" in told
    with closing(site.open()) as store:
        assert store.checkpoint(SOURCE) == started(START)


@pytest.mark.parametrize("policy", ["stop", "start_anew"])
def test_what_is_no_damage_is_left_alone(tmp_path: Path, policy: str) -> None:
    """A state of a newer release, a folder in its place, another owner: refused, not replaced."""
    site = Site(tmp_path / "state", on_damage=policy).used()
    with closing(site.state.open()), pytest.raises(StateError, match=r"201"):
        site.open()
    site.state.run(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('collector', 'tenth_release', 'later')"
    )
    with pytest.raises(StateError, match=r"204"):
        site.open()
    site.state.file.unlink()
    site.state.file.mkdir()
    with pytest.raises(StateError, match=r"208"):
        site.open()
    assert not site.kept.exists()


def test_damage_that_shows_during_a_run(tmp_path: Path) -> None:
    """A batch whose bytes changed is not delivered: 7, and the state is set aside as it is."""
    changes = changed("globals.persistence.config", {"directory_name": str(tmp_path / "state")})
    changes["outputs"]["archive"]["config"]["path"] = str(tmp_path / "out")
    changes["globals"]["stall_limit_in_seconds"] = 5.0
    state = SqliteState(tmp_path / "state")
    with closing(state.open()) as store:
        store.commit(
            Commit(source=SOURCE, checkpoint=started(START), observed=START, batches=[BATCH])
        )
    state.run("UPDATE spool SET body = CAST('{\"amount\":9}' || char(10) AS BLOB)")
    collector = Collector(settings(changes), SystemClock(), Selection({"none"}), once=True)
    assert collector.run_once() == 7
    (kept,) = state.folder.glob(f"{FILE_NAME}.damaged-*Z")
    assert not state.file.exists()
    assert kept.read_bytes().startswith(b"SQLite format 3")
    assert list((tmp_path / "out").glob("t.ndjson")) == []


def test_a_folder_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    """Before anything is written into it."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    folder.chmod(0o2775)
    Site(folder).used()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2700


def test_damage_while_a_pull_hangs(tmp_path: Path) -> None:
    """The stop does not wait for the vendor: the state is set aside all the same, and told."""
    options = history(1, 10, QUIET, alert_burst=0)
    hangs = [Fault(service="alerts", action="slow", seconds=PATIENCE)]
    with Simulator(options, SystemClock(), hangs) as simulator:
        site = ProcessSite(tmp_path, document(tmp_path, simulator, options))
        state = SqliteState(site.state)
        with site.running("--once", "--service", "alerts") as process:
            eventually(lambda: "Retrieving/sending alerts" in site.log)
            state.run("DROP TABLE pending")
            assert process.wait(PATIENCE) == 7, site.log
        (kept,) = site.state.glob(f"{FILE_NAME}.damaged-*Z")
        assert not state.file.exists()
        assert f"it is kept as {kept}" in site.log
        assert site.run("--once") == 7
    assert site.log.count("the state was damaged and is kept as") == 1


def test_damage_that_the_main_thread_meets(tmp_path: Path) -> None:
    """It ends as for a pull or a sender: 7, and the state is set aside."""
    changes = changed("globals.persistence.config", {"directory_name": str(tmp_path / "state")})
    collector = Collector(settings(changes), SystemClock(), Selection({"none"}), once=True)
    state = SqliteState(tmp_path / "state")
    state.run("DROP TABLE pending")
    assert collector.run_once() == 7
    assert not state.file.exists()
