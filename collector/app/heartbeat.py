"""A sign of life in the state folder, for ``collector health``."""

from __future__ import annotations

from pathlib import Path

from collector.core.model import Micros
from collector.core.times import SECOND
from collector.errors import own_user

EVERY_SECONDS = 15.0
_STALE = 90 * SECOND
_NAME = "heartbeat"


def beat(folder: Path, now: Micros) -> None:
    """Leave a sign of life."""
    (folder / _NAME).write_text(str(now), encoding="ascii")


def alive(folder: Path, now: Micros) -> float | None:
    """Seconds since the last sign, or None when there is none that is fresh."""
    try:
        ago = now - int((folder / _NAME).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    # One from far ahead was left by a wrong clock: it would look fresh for years.
    return ago / SECOND if abs(ago) < _STALE else None


def barred(folder: Path) -> str | None:
    """Why this user may not look for a sign, or None when it may."""
    try:
        (folder / _NAME).read_bytes()
    except PermissionError as error:
        return f"{error.filename} cannot be read: {error.strerror}; let {own_user()}, read it"
    except OSError:  # there is none
        pass
    return None


def rest(folder: Path) -> None:
    """Take the sign away: this collector is stopping."""
    (folder / _NAME).unlink(missing_ok=True)
