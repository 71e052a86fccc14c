"""A second program that looks at the state of a running collector and leaves again.

POSIX forgets all locks of a process on a file as soon as that process closes any of
its descriptors of it.  A collector that opened its own state file beside SQLite would
hold no lock from then on, and the next reader to leave would take itself for the last
one and remove the write-ahead log under the collector's feet: each later commit would
be gone with the process.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from collector.clock import SystemClock
from collector.core.checkpoint import started
from collector.core.store import Commit
from collector.persistence.sqlite import SqliteStore
from tests.fakes.processes import ROOT

LOOK = "import pathlib, sys; from collector.persistence.report import StateReport; "
LOOK += "StateReport.read(pathlib.Path(sys.argv[1]))"


def test_commits_after_a_reader_left_survive_a_kill(tmp_path: Path) -> None:
    """What is committed after another process has read the state is there after a kill."""
    folder, after_kill = tmp_path / "state", tmp_path / "after"
    with closing(SqliteStore.open(folder, SystemClock())) as store:
        store.commit(Commit(source="before", checkpoint=started(0), observed=1))
        subprocess.run([sys.executable, "-c", LOOK, str(folder)], cwd=ROOT, check=True)
        store.commit(Commit(source="after", checkpoint=started(0), observed=2))
        shutil.copytree(folder, after_kill)
    with closing(SqliteStore.open(after_kill, SystemClock())) as store:
        assert store.checkpoint("before") == store.checkpoint("after") == started(0)
