"""The exit codes of ``collector test``, as docs/testing-connections.md has them."""

from __future__ import annotations

import pytest

from collector.app.probing import exit_code
from collector.probe.findings import Finding, Report, Result, Step, Subject
from collector.probe.verdicts import Side, Trouble


def report(side: Side, *findings: Finding) -> Report:
    """A subject of one side, with these steps; each has a name of its own."""
    made = Subject(kind=side, name=f"{id(findings)}", type="any")
    return Report(subject=made, findings=findings)


def step(result: Result, trouble: Trouble | None = None) -> Finding:
    """A step with this result."""
    return Finding(step=Step.ANSWER, place="here", result=result, trouble=trouble)


GOOD = report(Side.VENDOR, step(Result.PASSED), step(Result.SKIPPED))
TAKEN = report(Side.DESTINATION, step(Result.PASSED))
FILES = report(Side.VENDOR, step(Result.FAILED, Trouble.FILES), step(Result.NOT_RUN))
DENIED = report(Side.VENDOR, step(Result.FAILED, Trouble.UNAUTHORIZED))
FORBIDDEN = report(Side.VENDOR, step(Result.FAILED, Trouble.FORBIDDEN))
AWAY = report(Side.VENDOR, step(Result.FAILED, Trouble.REFUSED))
IN_ERROR = report(Side.VENDOR, step(Result.FAILED, Trouble.REPORTED))
FULL = report(Side.DESTINATION, step(Result.FAILED, Trouble.DISK_FULL))
UNKNOWN = report(Side.DESTINATION, step(Result.FAILED, Trouble.UNAUTHORIZED))
LATE = report(Side.VENDOR, step(Result.PASSED), step(Result.NOT_TRIED))
LATE_OUTPUT = report(Side.DESTINATION, step(Result.NOT_TRIED))


@pytest.mark.parametrize(
    ("tested", "code"),
    [
        ([GOOD, TAKEN], 0),
        ([FILES], 3),
        ([DENIED, FORBIDDEN], 4),
        ([DENIED, LATE_OUTPUT], 4),
        ([AWAY, IN_ERROR], 5),
        ([AWAY, LATE_OUTPUT], 5),
        ([FULL], 6),
        ([GOOD, UNKNOWN], 6),
        ([DENIED, AWAY, FULL, TAKEN], 6),
        ([LATE, FULL], 6),
        ([DENIED, TAKEN], 8),
        ([AWAY, GOOD], 8),
        ([AWAY, DENIED], 8),
        ([FILES, DENIED], 8),
        ([GOOD, LATE_OUTPUT], 8),
        ([LATE], 8),
    ],
)
def test_exit_codes(tested: list[Report], code: int) -> None:
    """One number for all of it."""
    assert exit_code(tested) == code


def test_what_is_not_tried_has_not_passed() -> None:
    """Neither passed nor failed; a step that is left out on purpose is passed over."""
    assert (LATE.passed, LATE.trouble, LATE.cut_short) == (False, None, True)
    assert (GOOD.passed, GOOD.cut_short) == (True, False)
