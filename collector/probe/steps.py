"""Taking steps one after the other, each timed and none longer than it may be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Generic, NamedTuple, NoReturn, TypeAlias, TypeVar

from collector.core.model import Clock, Frozen
from collector.errors import CollectorError
from collector.probe.findings import Finding, Result, Step
from collector.probe.verdicts import Trouble, Verdict

T = TypeVar("T")

_OVER = "the time of the whole test is used up; --total gives it more"

_LOOK_SECONDS = 0.5
_GRACE = 1.0
"""Seconds that a step may take longer, to end by itself and to let go of what it holds."""
_MAX_TEXT = 500
"""Characters of what was seen."""


class Passed(NamedTuple, Generic[T]):
    """A step's value for the next one, and what was seen."""

    value: T
    seen: str


class Failed(Exception):
    """A step that did not pass.

    ``verdict`` None: the table's.  ``step``: the one that it really was.
    """

    def __init__(
        self,
        trouble: Trouble,
        seen: str,
        verdict: Verdict | None = None,
        step: Step | None = None,
    ) -> None:
        super().__init__(trouble, seen)
        self.trouble = trouble
        self.seen = seen
        self.verdict = verdict
        self.step = step


Planned: TypeAlias = tuple[Step, str]
"""A step that is to be taken, and where."""


class Ended(Exception):
    """A step failed or came too late, as ``finding`` says; what depends on it is not tried."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


class Patience(Frozen, frozen=True):
    """Seconds that one step may take, and all steps of a test together."""

    step: float = 30.0
    total: float = 300.0


class Steps:
    """The steps of one subject.

    ``table`` has the rows for failures.  ``until``: when (monotonic seconds) the whole test
    must be over.  ``explain`` says what an error of the collector means.  ``tell`` hears of
    each step when it begins and when it has ended, ``clean`` takes secrets out of what is told.
    """

    def __init__(
        self,
        table: Mapping[Trouble, Verdict],
        patience: Patience,
        until: float,
        clock: Clock,
        *,
        explain: Callable[[CollectorError], Failed],
        tell: Callable[[Finding], None],
        clean: Callable[[str], str],
    ) -> None:
        self.findings: list[Finding] = []
        self._table = table
        self._patience = patience
        self._until = until
        self._clock = clock
        self._explain = explain
        self._tell = tell
        self._clean = clean

    def take(self, step: Step, place: str, action: Callable[[float], Passed[T]]) -> T:
        """Try something, which is given the seconds that it may take; its value.

        Raises ``Ended`` when it fails, or when the time of the whole test is over.
        """
        began = self._clock.monotonic()
        if began >= self._until:
            late = Finding(step=step, place=place, result=Result.NOT_TRIED, seen=_OVER)
            self._add(late)
            raise Ended(late)
        self._tell(Finding(step=step, place=place, result=Result.RUNNING))
        tried = self._tried(action, min(self._patience.step, self._until - began))
        milliseconds = round((self._clock.monotonic() - began) * 1000, 1)
        if isinstance(tried, Failed):
            self.fail(step, place, tried, milliseconds)
        seen = self._shown(tried.seen)
        self._add(
            Finding(
                step=step, place=place, result=Result.PASSED, milliseconds=milliseconds, seen=seen
            )
        )
        return tried.value

    def fail(
        self, step: Step, place: str, failed: Failed, milliseconds: float | None = None
    ) -> NoReturn:
        """Note a failure; raises ``Ended``."""
        finding = self._failure(step, place, milliseconds, failed)
        self._add(finding)
        raise Ended(finding)

    def skip(self, step: Step, place: str, why: str) -> None:
        """Leave a step out."""
        seen = self._shown(why)
        self._add(Finding(step=step, place=place, result=Result.SKIPPED, seen=seen))

    @contextmanager
    def plan(self, *planned: Planned) -> Iterator[None]:
        """What is to be tried within; what a failure leaves of it is told as not run.

        The failure, ``Ended``, passes through.
        """
        before = len(self.findings)
        try:
            yield
        except Ended as ended:
            tried = {(each.step, each.place) for each in self.findings[before:]}
            for step, place in planned:
                if (step, place) not in tried:
                    self.leave(step, place, ended.finding)
            raise

    def leave(self, step: Step, place: str, before: Finding) -> None:
        """Tell that a step is not run because of one before it, or not tried, like that one."""
        seen = f"because this failed: {before.step} of {before.place}"
        result = Result.NOT_RUN
        if before.result is Result.NOT_TRIED:
            seen, result = before.seen, before.result
        self._add(Finding(step=step, place=place, result=result, seen=seen))

    def failure(self, chain: Callable[[], object]) -> Finding | None:
        """Take a chain of steps; the first that fails or is too late ends it, and nothing else."""
        try:
            chain()
        except Ended as ended:
            return ended.finding
        return None

    def pause(self, seconds: float) -> None:
        """Wait between two steps, so long as the test may last."""
        self._clock.sleep(min(seconds, max(self._until - self._clock.monotonic(), 0.0)))

    def _tried(self, action: Callable[[float], Passed[T]], seconds: float) -> Passed[T] | Failed:
        began = self._clock.monotonic()
        try:
            return _within(self._clock.real(seconds) + _GRACE, lambda: action(seconds))
        except TimeoutError:
            return self._late(seconds)
        except Failed as failed:
            return failed
        except CollectorError as error:
            meant = self._explain(error)
        # Wires do not tell a time-out from other silence; who was silent to the end timed out.
        silent = meant.trouble is Trouble.NO_ANSWER
        late = silent and self._clock.monotonic() - began >= seconds
        return self._late(seconds) if late else meant

    def _late(self, seconds: float) -> Failed:
        left = "" if seconds == self._patience.step else ", which were left of the whole test's"
        return Failed(Trouble.TIMED_OUT, f"nothing within {seconds:.1f} seconds{left}")

    def _failure(
        self, step: Step, place: str, milliseconds: float | None, failed: Failed
    ) -> Finding:
        verdict = failed.verdict or self._table.get(failed.trouble)
        verdict = verdict or Verdict(failed.seen, "see docs/testing-connections.md")
        return Finding(
            step=failed.step or step,
            place=place,
            result=Result.FAILED,
            milliseconds=milliseconds,
            seen=self._shown(failed.seen),
            trouble=failed.trouble,
            explanation=self._shown(verdict.explanation),
            recommendation=self._shown(verdict.recommendation),
        )

    def _add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self._tell(finding)

    def _shown(self, text: str) -> str:
        """Without secrets, on one line, and bounded."""
        line = "".join(each if each.isprintable() else " " for each in self._clean(text))
        return line[:_MAX_TEXT]


def _within(seconds: float, action: Callable[[], T]) -> T:
    """What the action returns or raises; ``TimeoutError`` after so many real seconds.

    It has a thread of its own, which is left behind when it takes longer: a look-up of
    a name cannot be given up in any other way.
    """
    done: Future[T] = Future()

    def work() -> None:
        try:
            done.set_result(action())
        except BaseException as error:  # noqa: BLE001 - handed over to who waits
            done.set_exception(error)

    threading.Thread(target=work, name="step", daemon=True).start()
    until = time.monotonic() + seconds
    # A Ctrl-C that comes just as a wait begins is heard when it ends: so none is long.
    while not done.done() and (left := until - time.monotonic()) > 0:
        wait([done], timeout=min(left, _LOOK_SECONDS))
    return done.result(0)
