"""What a connection test finds, step by step."""

from __future__ import annotations

from enum import StrEnum

from collector.core.model import Frozen
from collector.probe.verdicts import Trouble


class Step(StrEnum):
    """What is tried, in this order; not every subject has every step."""

    NAME = "name"
    ADDRESS = "address"
    PROXY = "proxy"
    TLS = "tls"
    FOLDER = "folder"
    AUTHENTICATION = "authentication"
    ANSWER = "first answer"
    PROBE = "probe"


_PROVING = frozenset({Step.AUTHENTICATION, Step.PROBE})


class Result(StrEnum):
    """How a step went; a failure keeps a test from being passed, and so does what is not tried.

    skipped: it is not needed, or not wanted.  not run: a failure before it left nothing to try.
    not tried: the time of the whole test was over.
    """

    RUNNING = "running"
    PASSED = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_RUN = "not run"
    NOT_TRIED = "not tried"


class Finding(Frozen, frozen=True):
    """One step: ``place`` is where it was tried, ``seen`` what came of it, or why it was not tried.

    ``milliseconds`` is None where nothing was tried.  A failure has its ``trouble``, with
    the explanation and the recommendation of the table.  None of it holds a secret.
    """

    step: Step
    place: str
    result: Result
    milliseconds: float | None = None
    seen: str = ""
    trouble: Trouble | None = None
    explanation: str = ""
    recommendation: str = ""


class Subject(Frozen, frozen=True):
    """What is tested: an ``input`` or an ``output``, its name, and its type."""

    kind: str
    name: str
    type: str


class Report(Frozen, frozen=True):
    """A subject, and all that was found."""

    subject: Subject
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether no step failed, and none came too late to be tried."""
        return self.trouble is None and not self.cut_short

    @property
    def cut_short(self) -> bool:
        """Whether the time of the whole test was over before its last step."""
        return any(each.result is Result.NOT_TRIED for each in self.findings)

    @property
    def unproven(self) -> bool:
        """Whether our credentials were not tried, because nobody wanted what that takes."""
        return any(
            each.result is Result.SKIPPED and each.step in _PROVING for each in self.findings
        )

    @property
    def trouble(self) -> Finding | None:
        """The first failure."""
        failed = (each for each in self.findings if each.result is Result.FAILED)
        return next(failed, None)
