"""Opening the state at a start, and what follows when it is damaged."""

from __future__ import annotations

from collector.config.models import Settings
from collector.core.log import Log
from collector.core.model import Clock
from collector.errors import StateError
from collector.persistence import damage
from collector.persistence.database import FILE_NAME
from collector.persistence.sqlite import SqliteStore


def open_store(settings: Settings, clock: Clock, log: Log, *, shared: bool = False) -> SqliteStore:
    """The state of this collector.

    A damaged one is set aside.  Then, by ``persistence.config.on_damage``, either a
    new one is made, from which every service begins at its configured start, or
    ``StateError`` is raised, as for all else that is wrong with the state.  ``shared``:
    workers will join it.
    """
    try:
        return _opened(settings, clock, shared=shared)
    except StateError as error:
        if error.number != damage.DAMAGED or not (settings.state_folder / FILE_NAME).exists():
            raise
        told = set_aside(settings, clock, error)
        if not starts_anew(settings):
            raise told from error
    log.error(
        "%s. The state starts anew: every service collects again from its "
        "initial_start_time_in_utc, and records come twice",
        told.cause,
    )
    return _opened(settings, clock, shared=shared)


def set_aside(settings: Settings, clock: Clock, error: StateError) -> StateError:
    """Set a damaged state aside, closed if it can be; the error that says where and what to do."""
    try:
        kept = damage.set_aside(settings.state_folder / FILE_NAME, clock.now())
    except OSError as failure:
        cause = f"{error.cause}; it could not be set aside ({failure.strerror})"
        return damage.damaged_error(cause)
    return damage.damaged_error(f"{error.cause}; it is kept as {kept}")


def _opened(settings: Settings, clock: Clock, *, shared: bool) -> SqliteStore:
    return SqliteStore.open(
        settings.state_folder,
        clock,
        letter_bytes=settings.globals.dead_letters.max_bytes,
        start_anew=starts_anew(settings),
        shared=shared,
    )


def starts_anew(settings: Settings) -> bool:
    """Whether a state that was damaged is replaced, by the configured policy."""
    return settings.globals.persistence.config.on_damage == "start_anew"
