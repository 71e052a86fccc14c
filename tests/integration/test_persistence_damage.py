"""What the SQLite store does with a state folder that is not as it left it.

Reliability matrix, rows 5 to 9: whatever is wrong, the answer is a ``StateError``
with its number and what to do, and the file is left as it was found.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from collector.core.checkpoint import started
from collector.core.model import Batch
from collector.core.store import Commit
from collector.errors import StateError
from collector.persistence.database import FILE_NAME, LOCK_NAME
from collector.persistence.report import StateReport
from tests.fakes.noise import noise
from tests.fakes.somebody import somebody
from tests.fakes.stores import START, SqliteState

SOURCE = "casb#alerts"


@pytest.fixture
def state(tmp_path: Path) -> SqliteState:
    """An empty place."""
    return SqliteState(tmp_path / "state")


@pytest.fixture
def used(state: SqliteState) -> SqliteState:
    """A store that was used and closed."""
    with closing(state.open()) as store:
        for number in range(20):
            store.commit(commit(number))
    return state


def commit(number: int, body: bytes | None = None) -> Commit:
    """A commit with one batch and a digest."""
    batch = Batch(
        source=SOURCE,
        tag="t",
        lane="standard",
        mode="live",
        count=1,
        body=body or b"%0100d\n" % number,
        first=START,
        last=START,
        outputs=("siem",),
    )
    return Commit(
        source=SOURCE,
        checkpoint=started(START + number),
        observed=START,
        batches=[batch],
        digests={1: [number.to_bytes(16, "big")]},
    )


def use_everything(state: SqliteState) -> None:
    """Read and write all that a run does."""
    with closing(state.open()) as store:
        store.checkpoint(SOURCE)
        list(store.known(SOURCE, 1))
        store.commit(commit(99))
        for batch in store.spool.take("siem", "standard", 0, 1 << 20):
            store.spool.confirm("siem", "standard", [batch.id], [], "p")
        store.forget(SOURCE, 1 << 60, 1 << 40)
        store.give_back_space()


def foreign(path: Path) -> None:
    """Another program's database."""
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE invoices (id INTEGER)")
        connection.execute("INSERT INTO invoices VALUES (1)")
        connection.commit()


def foreign_with_our_names(path: Path) -> None:
    """Another program's database with a table named like one of ours."""
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meta (id INTEGER)")
        connection.commit()


def truncated(path: Path) -> None:
    """The first half of a state file."""
    os.truncate(path, path.stat().st_size // 2)


WRONG: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "text": lambda path: path.write_bytes(b"# not a database\n" * 500),
    "header only": lambda path: os.truncate(path, 16),
    "foreign": foreign,
    "foreign names": foreign_with_our_names,
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_state_file_is_refused_and_left_alone(used: SqliteState, kind: str) -> None:
    """Never taken over, never silently replaced by an empty state."""
    WRONG[kind](used.file)
    before = used.file.read_bytes()
    with pytest.raises(StateError, match=r"205: .*collector\.db .* -> keep a copy"):
        used.open()
    with pytest.raises(StateError, match=r"205"):
        StateReport.read(used.folder)
    assert used.file.read_bytes() == before
    assert sorted(path.name for path in used.folder.iterdir()) == [FILE_NAME, LOCK_NAME]


def test_a_truncated_file_is_told(used: SqliteState) -> None:
    """At the latest when the part that is missing is needed."""
    truncated(used.file)
    with pytest.raises(StateError, match=r"205"):
        use_everything(used)


def test_a_folder_in_place_of_the_file(state: SqliteState) -> None:
    """It cannot be opened, the message says which path, and the folder stays as it is."""
    state.file.mkdir(parents=True)
    before = mode(state.file)
    with pytest.raises(StateError, match=r"208: .*collector\.db"):
        state.open()
    assert mode(state.file) == before


def test_a_file_in_place_of_the_folder(state: SqliteState) -> None:
    """The folder cannot be used."""
    state.folder.write_text("x")
    with pytest.raises(StateError, match=r"202.*state folder"):
        state.open()


def test_a_folder_in_place_of_the_lock(state: SqliteState) -> None:
    """The folder cannot be used."""
    (state.folder / LOCK_NAME).mkdir(parents=True)
    with pytest.raises(StateError, match=r"202"):
        state.open()


def test_no_state_to_report(state: SqliteState) -> None:
    """A look changes nothing: it makes no folder and no file."""
    with pytest.raises(StateError, match=r"203"):
        StateReport.read(state.folder)
    assert not state.folder.exists()


@pytest.mark.parametrize("seed", range(60))
def test_flipped_bits_raise_state_errors_only(used: SqliteState, seed: int) -> None:
    """Seeded damage anywhere in the file: noticed as a ``StateError``, or harmless."""
    rng = random.Random(seed)
    damaged = bytearray(used.file.read_bytes())
    for _ in range(rng.choice([1, 8, 64])):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    used.file.write_bytes(damaged)
    for look in (lambda: StateReport.read(used.folder), lambda: use_everything(used)):
        with suppress(StateError):
            look()


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "{}", '{"@persistence_version": "1"}', "\x00"]
)
def test_a_checkpoint_that_cannot_be_read(used: SqliteState, text: str) -> None:
    """It is never taken for a first start."""
    used.write_state(SOURCE, text)
    with closing(used.open()) as store, pytest.raises(StateError, match=rf"210.*{SOURCE}"):
        store.checkpoint(SOURCE)
    with pytest.raises(StateError, match=rf"210.*{SOURCE}"):
        StateReport.read(used.folder)


def test_a_state_of_a_newer_release_is_refused(used: SqliteState) -> None:
    """By its schema; the file is not touched."""
    used.run(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('collector', 'tenth_release', 'later')"
    )
    for look in (used.open, lambda: StateReport.read(used.folder)):
        with pytest.raises(StateError, match=r"204.*newer release.*tenth_release"):
            look()


def test_a_look_at_a_state_of_an_earlier_release(used: SqliteState) -> None:
    """It is not damaged: a run brings it up to date, a look must not."""
    used.run("DELETE FROM _sqlite_migrations")
    with pytest.raises(StateError, match=r"216.*earlier release"):
        StateReport.read(used.folder)


def test_a_checkpoint_of_a_newer_release_is_refused(used: SqliteState) -> None:
    """By its version, in the words that tell what to do."""
    ((text,),) = used.run("SELECT state FROM checkpoint")
    used.write_state(SOURCE, text.replace('"@persistence_version":1', '"@persistence_version":99'))
    with closing(used.open()) as store, pytest.raises(StateError, match=r"210.*99 is newer"):
        store.checkpoint(SOURCE)


def test_a_lost_write_ahead_log(state: SqliteState, tmp_path: Path) -> None:
    """A copy of the file alone is an older state or damage, never another error."""
    copied = SqliteState(tmp_path / "copy")
    copied.folder.mkdir()
    with closing(state.open()) as store:
        for number in range(20):
            store.commit(commit(number))
        shutil.copy(state.file, copied.file)
    with suppress(StateError):
        use_everything(copied)


def test_a_write_ahead_log_without_its_file_is_not_replayed(
    state: SqliteState, tmp_path: Path
) -> None:
    """What is left of a removed state does not get into a new one."""
    left = SqliteState(tmp_path / "left")
    left.folder.mkdir()
    with closing(state.open()) as store:
        store.commit(commit(1))
        shutil.copy(f"{state.file}-wal", f"{left.file}-wal")
    with closing(left.open()) as store:
        assert store.checkpoint(SOURCE) is None


def test_files_are_private(state: SqliteState) -> None:
    """Folder 0700, every file 0600 from its first byte, whatever the umask allows."""
    before = os.umask(0)
    try:
        with closing(state.open()) as store:
            store.commit(commit(1))
            modes = {path.name: mode(path) for path in state.folder.iterdir()}
    finally:
        os.umask(before)
    assert mode(state.folder) == 0o700
    assert set(modes) == {FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", LOCK_NAME}
    assert set(modes.values()) == {0o600}


def test_a_file_that_others_could_read_is_made_private(used: SqliteState) -> None:
    """As it comes from a backup, for example."""
    used.file.chmod(0o644)
    with closing(used.open()):
        assert mode(used.file) == 0o600


def mode(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_full_disk_loses_nothing_and_passes(used: SqliteState) -> None:
    """What was committed stays, and the next commit with room succeeds."""
    with closing(used.open()) as store:
        with store._writer.reading() as db:  # noqa: SLF001 - the limit is the connection's
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone()
        large = commit(99, body=noise(500_000))
        with pytest.raises(StateError, match=r"206.*full"):
            store.commit(large)
        assert store.checkpoint(SOURCE) == started(START + 19)
        assert len(store.spool.take("siem", "standard", 0, 1 << 24)) == 20
        assert store.spool.size == 20 * 101
        with store._writer.reading() as db:  # noqa: SLF001 - the same
            db.execute("PRAGMA max_page_count = 1000000").fetchone()
        store.commit(large)
        assert store.checkpoint(SOURCE) == started(START + 99)


def test_a_lock_that_lasts_is_told(used: SqliteState) -> None:
    """After the busy time-out: who to look for, and nothing half done."""
    with closing(used.open()) as store, closing(other_program(used)) as other:
        with store._writer.reading() as db:  # noqa: SLF001 - nobody waits five seconds here
            db.execute("PRAGMA busy_timeout = 50").fetchone()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateError, match=r"207.*locked by another program"):
            store.commit(commit(99))
        assert store.checkpoint(SOURCE) == started(START + 19)
        other.execute("ROLLBACK")
        store.commit(commit(99))


def other_program(state: SqliteState) -> sqlite3.Connection:
    """Another connection to the file, in charge of its own transactions."""
    return sqlite3.connect(state.file, isolation_level=None)


def test_a_second_process_is_refused(used: SqliteState) -> None:
    """By the operating system's lock, whatever became of the first one's memory."""
    script = (
        "import sys; from pathlib import Path\n"
        "from collector.persistence.sqlite import SqliteStore\n"
        "from collector.clock import SystemClock\n"
        "from collector.errors import StateError\n"
        "try: SqliteStore.open(Path(sys.argv[1]), SystemClock()).close()\n"
        "except StateError as error: sys.exit(error.number - 200)\n"
    )
    command = [sys.executable, "-c", script, str(used.folder)]
    with closing(used.open()):
        assert subprocess.run(command, check=False, timeout=60).returncode == 1
    assert subprocess.run(command, check=False, timeout=60).returncode == 0


def test_the_lock_is_given_free_when_opening_fails(used: SqliteState) -> None:
    """A refused start leaves nothing behind that refuses the next one."""
    good = used.file.read_bytes()
    used.file.write_bytes(b"broken" * 1000)
    with pytest.raises(StateError):
        used.open()
    used.file.write_bytes(good)
    used.open().close()


def test_a_closed_store_says_so(used: SqliteState) -> None:
    """A thread that comes late is not told that the file is damaged."""
    store = used.open()
    store.close()
    for use in (
        lambda: store.usage("casb"),
        lambda: store.commit(commit(1)),
        lambda: store.spool.take("siem", "standard", 0, 1),
    ):
        with pytest.raises(StateError, match=r"213.*closed"):
            use()


@pytest.fixture(name="somebody")
def _somebody() -> Iterator[Path]:
    """A folder below which file permissions count, even when the tests run as root."""
    with somebody() as folder:
        yield folder


def test_a_read_only_file(somebody: Path) -> None:
    """Refused at the start, with owner and permissions as the thing to check."""
    state = SqliteState(somebody / "state")
    state.open().close()
    state.file.chmod(0o400)
    state.folder.chmod(0o500)
    try:
        with pytest.raises(StateError, match=r"208.*owner and permissions|202.*writable"):
            state.open()
    finally:
        state.folder.chmod(0o700)


def test_a_file_that_cannot_be_opened(somebody: Path) -> None:
    """The file is there, but not for us."""
    state = SqliteState(somebody / "state")
    state.open().close()
    state.file.chmod(0o000)
    with pytest.raises(StateError, match=r"208.*owner and permissions"):
        StateReport.read(state.folder)


def test_a_folder_that_cannot_be_written(somebody: Path) -> None:
    """There is no state yet, and none can be made."""
    somebody.chmod(0o500)
    try:
        with pytest.raises(StateError, match=r"202.*writable"):
            SqliteState(somebody / "state").open()
    finally:
        somebody.chmod(0o755)


def test_a_file_moved_away_while_it_is_open(used: SqliteState) -> None:
    """Whatever SQLite makes of it comes as a ``StateError``, or the commit is durable."""
    with closing(used.open()) as store, suppress(StateError):
        used.file.rename(used.folder / "moved.db")
        store.commit(commit(99))


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_removed_or_replaced_in_use(state: SqliteState, *, replaced: bool) -> None:
    """Nothing more is taken for stored that would be lost with the process."""
    with closing(state.open()) as store:
        store.commit(commit(1))
        other = state.file.with_suffix(".other")
        other.write_bytes(state.file.read_bytes())
        state.file.unlink()
        if replaced:
            other.rename(state.file)
        with pytest.raises(StateError, match=r"217: .* was removed or replaced while it was in"):
            store.commit(commit(2))


def test_a_name_that_cannot_be_looked_at_stops_nobody(tmp_path: Path) -> None:
    """A file server that does not answer, for example: whether the file is gone is not known."""
    folder, name = tmp_path / "folder", tmp_path / "name"
    folder.mkdir()
    name.symlink_to(folder)
    with closing(SqliteState(name).open()) as store:
        name.unlink()
        name.symlink_to(name)
        store.commit(commit(1))
        name.unlink()
        name.symlink_to(folder)
        store.commit(commit(2))
        assert store.checkpoint(SOURCE) == started(START + 2)


def test_a_folder_whose_place_a_file_took(tmp_path: Path) -> None:
    """That is as good as removed."""
    folder = tmp_path / "folder"
    with closing(SqliteState(folder).open()) as store:
        folder.rename(tmp_path / "moved")
        folder.touch()
        with pytest.raises(StateError, match=r"217: "):
            store.commit(commit(1))
