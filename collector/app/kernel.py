"""What the kernel says of processes that it killed for want of memory; needs no privilege.

``/proc/vmstat`` counts them for the whole machine since it was started, and a control
group (cgroup v2) in ``memory.events`` for itself and what is below it, since it was made
(kernel documentation: "Control Group v2", memory interface files).
"""

from __future__ import annotations

from pathlib import Path

from collector.core.model import Frozen

_COUNTER = "oom_kill"


class KernelCounts(Frozen, frozen=True):
    """What can be seen now; None where it cannot.

    ``boot`` names this start of the machine, ``group`` our control group; its counter
    begins again when the group is made anew, which changes the name, too.
    """

    boot: str | None = None
    group: str | None = None
    group_kills: int | None = None
    machine_kills: int | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None


class Kernel:
    """Reads ``/proc`` and ``/sys`` below ``root``."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def counts(self) -> KernelCounts:
        """The counters as they are now; what cannot be read is None."""
        group = self._group()
        return KernelCounts(
            boot=_text(self._root / "proc/sys/kernel/random/boot_id"),
            group=None if group is None else _name(group),
            group_kills=None if group is None else _counter(group / "memory.events"),
            machine_kills=_counter(self._root / "proc/vmstat"),
            memory_bytes=None if group is None else _number(group / "memory.current"),
            memory_limit_bytes=None if group is None else _number(group / "memory.max"),
        )

    def _group(self) -> Path | None:
        """The folder of the control group that we are in: the line ``0::/path``."""
        for line in (_text(self._root / "proc/self/cgroup") or "").splitlines():
            number, _, path = line.partition("::")
            if number == "0":
                return self._root / "sys/fs/cgroup" / path.lstrip("/")
        return None


def _name(group: Path) -> str | None:
    """The folder's number in its file system, which no other group ever gets."""
    try:
        return str(group.stat().st_ino)
    except OSError:
        return None


def _counter(path: Path) -> int | None:
    for line in (_text(path) or "").splitlines():
        name, _, value = line.partition(" ")
        if name == _COUNTER and value.isdecimal():
            return int(value)
    return None


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text is not None and text.isdecimal() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
