"""How a run ended, and the exit code that says so (the table is in the README)."""

from __future__ import annotations

import threading

from collector.core.model import Frozen
from collector.errors import CollectorError, StateError
from collector.persistence.damage import DAMAGED, damaged_error

COMPLETE = 0
INTERNAL = 1
CONFIG = 3
AUTHENTICATION = 4
VENDOR = 5
DELIVERY = 6
STATE = 7
PARTIAL = 8

MEANING = {
    COMPLETE: "complete: all that was due is delivered",
    INTERNAL: "internal: a defect, please report the log (for health: nothing is running)",
    2: "usage: the command line was not understood",
    CONFIG: "config: nothing was started; the file, or what the command names, must be changed",
    AUTHENTICATION: "authentication: the vendor refused the credentials",
    VENDOR: "vendor unavailable: the vendor could not give all that was due; run again later",
    DELIVERY: "delivery: an output did not take its records, which wait in the state; or what a "
    "command printed could not be written",
    STATE: "state: the state folder cannot be used, or does not hold what the command names",
    PARTIAL: "partial: some services are done, others failed; or the run was interrupted, a "
    "question answered with no, or nobody read the output to its end",
}


class Report(Frozen, frozen=True):
    """An ``Outcome`` as one process tells it to another.

    ``failures``: exit codes by the name of what failed; ``damage``: the cause of the
    error that told of a damaged state, or None.
    """

    failures: dict[str, int]
    done: list[str]
    interrupted: bool
    damage: str | None = None


class Outcome:
    """Collects how each service fared; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._done: set[str] = set()
        self._interrupted = False
        self._damage: StateError | None = None
        self._broken: int | None = None

    @property
    def damage(self) -> StateError | None:
        """The error that told of a damaged state, if there was one."""
        with self._lock:
            return self._damage

    def succeeded(self, name: str) -> None:
        """This part did all it had to do; an earlier failure of it is forgotten."""
        with self._lock:
            self._done.add(name)
            self._failures.pop(name, None)

    def failed(self, name: str, error: CollectorError | None) -> None:
        """This part failed; None: by a defect of ours."""
        with self._lock:
            self._failures[name] = INTERNAL if error is None else error.exit_code
            if isinstance(error, StateError) and error.number == DAMAGED:
                self._damage = error

    def interrupted(self) -> None:
        """The run was stopped before everything was done."""
        with self._lock:
            self._interrupted = True

    def broken(self, code: int) -> None:
        """The whole run cannot go on, and ends with this code."""
        with self._lock:
            self._broken = code

    def report(self) -> Report:
        """All of it, for another process."""
        with self._lock:
            damage = None if self._damage is None else self._damage.cause
            return Report(
                failures=dict(self._failures),
                done=sorted(self._done),
                interrupted=self._interrupted,
                damage=damage,
            )

    def include(self, report: Report) -> None:
        """How the services of another process fared."""
        with self._lock:
            for name in report.done:
                self._done.add(name)
                self._failures.pop(name, None)
            self._failures |= report.failures
            self._interrupted |= report.interrupted
            if report.damage is not None:
                self._damage = damaged_error(report.damage)

    def fatal(self) -> int | None:
        """The code of a failure that ended a lasting run, if there was one."""
        with self._lock:
            if self._broken is not None:
                return self._broken
            codes = self._failures.values()
            return next((heavy for heavy in (STATE, INTERNAL) if heavy in codes), None)

    def exit_code(self) -> int:
        """The one number for all of it.

        State and internal failures outweigh everything; otherwise one kind of
        failure gives its own code when nothing succeeded beside it, and
        ``PARTIAL`` when something did.
        """
        with self._lock:
            if self._broken is not None:
                return self._broken
            codes = set(self._failures.values())
            for heavy in (STATE, INTERNAL, DELIVERY):
                if heavy in codes:
                    return heavy
            if codes:
                return codes.pop() if len(codes) == 1 and not self._done else PARTIAL
            return PARTIAL if self._interrupted else COMPLETE
