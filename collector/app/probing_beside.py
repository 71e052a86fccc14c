"""A collector that runs over the same state while a connection is tested."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from collector.app.heartbeat import alive
from collector.core import times
from collector.core.health import State
from collector.core.model import NO_TIME, Clock, Micros
from collector.errors import StateError
from collector.persistence.database import UNUSABLE_FOLDER, is_owned
from collector.persistence.health import HealthReader, SubjectHealth
from collector.probe.steps import Failed, Passed
from collector.probe.verdicts import Trouble, Verdict

_TEST_LOCK = "test.lock"
_ANOTHER_TEST = 225


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only test over this state folder; raises ``StateError`` when another one is running.

    The folder is made where there is none.
    """
    lock = FileLock(folder / _TEST_LOCK, mode=0o600)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise StateError(
            _ANOTHER_TEST,
            f"another test is running over the state folder {folder}",
            "wait for it to end: connections are tested one at a time",
        ) from None
    except OSError as error:
        raise StateError(
            UNUSABLE_FOLDER,
            f"the state folder {folder} cannot be used: {error.strerror}",
            "make the folder writable for the user that runs the test",
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_running(folder: Path, clock: Clock) -> bool:
    """Whether a collector runs over the folder: it gives signs of life, or owns the state.

    A backfill, for example, gives none.
    """
    return alive(folder, clock.now()) is not None or is_owned(folder) is True


def report(folder: Path, source: str) -> Passed[None] | None:
    """What the running collector says of a source; None when it does not collect it.

    Raises ``Failed`` when the source is in error there.
    """
    row = _row(folder, source)
    if row is None:
        return None
    health = row.health
    if health.state is State.ERROR:
        verdict = None
        if health.events:
            fault = health.events[-1].fault
            verdict = Verdict(fault.cause, fault.remedy)
        raise Failed(Trouble.REPORTED, f"the running collector reports: {health.cause}", verdict)
    seen = f"{health.state} since {_shown(health.since)}, last data {_shown(health.last_data)}"
    return Passed(None, f"the running collector reports: {seen}")


def _row(folder: Path, source: str) -> SubjectHealth | None:
    with HealthReader(folder) as reader:
        rows = reader.read()
    return next((row for row in rows if row.subject == source), None)


def _shown(moment: Micros) -> str:
    return "never" if moment == NO_TIME else times.isoformat(times.floor_second(moment))
