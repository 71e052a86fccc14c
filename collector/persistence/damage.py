"""A damaged state file is set aside, never overwritten, and never silently replaced.

It is renamed with its write-ahead log, so nothing more can happen to it and no disk
fills up with copies.  While it lies there without a successor, a start is refused
unless it was told to start anew.
"""

from __future__ import annotations

from pathlib import Path

from collector.core import times
from collector.core.model import Micros
from collector.errors import StateError

DAMAGED = 205
"""The number of every error that means damage."""
_MARK = ".damaged-"
_REMEDY = (
    "restore a backup under the file's old name; or, to collect again from the configured start, "
    "move the damaged file elsewhere or set persistence.config.on_damage: start_anew"
)


def set_aside(file: Path, now: Micros) -> Path:
    """Rename a state file and its log; raises ``OSError`` when the folder cannot be written."""
    stamp = times.to_datetime(now).strftime("%Y%m%dT%H%M%SZ")
    kept = Path(f"{file}{_MARK}{stamp}")
    Path(f"{file}-shm").unlink(missing_ok=True)
    for suffix in ("-wal", ""):  # the file itself last: only then is it gone
        old = Path(f"{file}{suffix}")
        if old.exists():
            old.rename(f"{kept}{suffix}")
    return kept


def refuse_silence(file: Path) -> None:
    """Raise ``StateError`` where a damaged state was set aside and nothing took its place."""
    kept = sorted(file.parent.glob(f"{file.name}{_MARK}*Z"))
    if kept and not file.exists():
        raise damaged_error(f"the state was damaged and is kept as {kept[-1]}")


def damaged_error(cause: str) -> StateError:
    """The error that says what was kept where, and what to do."""
    return StateError(DAMAGED, cause, _REMEDY)
