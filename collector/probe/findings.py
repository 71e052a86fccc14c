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


class Result(StrEnum):
    """How a step went; only a failure keeps a test from being passed.

    skipped: it is not needed, or not wanted.  not run: a failure before it left nothing to try.
    """

    RUNNING = "running"
    PASSED = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_RUN = "not run"


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
        """Whether no step failed."""
        return self.trouble is None

    @property
    def trouble(self) -> Finding | None:
        """The first failure."""
        failed = (each for each in self.findings if each.result is Result.FAILED)
        return next(failed, None)
