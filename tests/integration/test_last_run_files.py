"""The marker of a run, and the kernel's counters, as files."""

from __future__ import annotations

from pathlib import Path

from collector.app import last_run
from collector.app.kernel import Kernel, KernelCounts
from collector.app.last_run import Marker
from tests.fakes.pulls import START

EVENTS = "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"


def machine(root: Path, *, kills: str = EVENTS, limit: str = "104857600") -> Kernel:
    """A kernel's files, as cgroup v2 lays them out."""
    group = root / "sys/fs/cgroup/system.slice/collector.service"
    for folder in (group, root / "proc/self", root / "proc/sys/kernel/random"):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "proc/sys/kernel/random/boot_id").write_text("b1\n", encoding="ascii")
    (root / "proc/self/cgroup").write_text(
        "4:memory:/elsewhere\n0::/system.slice/collector.service\n", encoding="ascii"
    )
    (root / "proc/vmstat").write_text("nr_free_pages 1\noom_kill 5\n", encoding="ascii")
    (group / "memory.events").write_text(kills, encoding="ascii")
    (group / "memory.current").write_text("52428800\n", encoding="ascii")
    (group / "memory.max").write_text(f"{limit}\n", encoding="ascii")
    return Kernel(root)


def test_the_counters_are_read(tmp_path: Path) -> None:
    """Those of our group, those of the machine, and what the group may use."""
    found = machine(tmp_path).counts()
    assert (found.boot, found.group_kills, found.machine_kills) == ("b1", 2, 5)
    assert (found.memory_bytes, found.memory_limit_bytes) == (52_428_800, 104_857_600)
    assert found.group is not None
    assert machine(tmp_path, limit="max").counts().memory_limit_bytes is None


def test_no_counters_at_all(tmp_path: Path) -> None:
    """Another system, an older kernel: nothing is known, and nothing fails."""
    assert Kernel(tmp_path).counts() == KernelCounts()


def test_the_kernel_ended_the_last_run(tmp_path: Path) -> None:
    """The counter has grown since the marker was left."""
    state = tmp_path / "state"
    state.mkdir()
    last_run.mark(state, Marker(alive=START, kernel=machine(tmp_path).counts()))
    later = machine(tmp_path, kills=EVENTS.replace("oom_kill 2", "oom_kill 3")).counts()
    fault = last_run.ending(last_run.found(state), later)
    assert fault is not None
    assert "for want of memory" in fault.cause
    assert "more memory" in fault.remedy


def test_a_group_made_anew_proves_nothing(tmp_path: Path) -> None:
    """Its counter begins again, though its path is the same."""
    before = machine(tmp_path).counts()
    group = tmp_path / "sys/fs/cgroup/system.slice/collector.service"
    group.rename(group.with_name("old"))
    after = machine(tmp_path, kills=EVENTS.replace("oom_kill 2", "oom_kill 9")).counts()
    assert after.group != before.group
    fault = last_run.ending(Marker(alive=START, kernel=before), after)
    assert fault is not None
    assert fault.number == 6


def test_the_marker_comes_and_goes(tmp_path: Path) -> None:
    """It is there while a run lasts; one that was cut off counts as left."""
    assert last_run.found(tmp_path) is None
    marker = Marker(alive=START, kernel=KernelCounts(boot="b1"), once=True)
    last_run.mark(tmp_path, marker)
    assert last_run.found(tmp_path) == marker
    (tmp_path / "running").write_bytes(b"")
    left = last_run.found(tmp_path)
    assert left is not None
    assert last_run.ending(left, KernelCounts()) is not None
    last_run.clear(tmp_path)
    last_run.clear(tmp_path)
    assert last_run.found(tmp_path) is None
