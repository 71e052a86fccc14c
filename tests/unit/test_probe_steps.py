"""Steps: timed, bounded, told, and free of secrets."""

from __future__ import annotations

import threading

import pytest

from collector.errors import CollectorError, VendorUnavailable
from collector.probe.findings import Finding, Result, Step
from collector.probe.steps import Ended, Failed, Passed, Patience, Steps
from collector.probe.verdicts import TABLE, Side, Trouble, Verdict
from tests.fakes.clock import ManualClock

OWN = Verdict("what happened", "what to do")


def explain(error: CollectorError) -> Failed:
    """Every error is silence."""
    return Failed(Trouble.NO_ANSWER, error.cause, OWN)


class Bench:
    """Steps, and what they told."""

    def __init__(self, patience: Patience | None = None) -> None:
        self.clock = ManualClock(0)
        self.told: list[Finding] = []
        patience = patience or Patience(step=5, total=50)
        self.steps = Steps(
            TABLE[Side.VENDOR],
            patience,
            patience.total,
            self.clock,
            explain=explain,
            tell=self.told.append,
            clean=lambda text: text.replace("canary", "***"),
        )

    def take(self, step: Step, *, lasting: float = 0.0, error: Exception | None = None) -> str:
        """A step that lasts so many seconds."""

        def action(seconds: float) -> Passed[str]:
            self.clock.advance(lasting)
            if error is not None:
                raise error
            return Passed(f"given {seconds:g}", "seen the canary\n")

        return self.steps.take(step, "here", action)


def test_passed_step() -> None:
    """A step that passes gives its value on, and its time and what was seen are told."""
    bench = Bench()
    assert bench.take(Step.NAME, lasting=0.25) == "given 5"
    began, ended = bench.told
    assert (began.result, ended.result) == (Result.RUNNING, Result.PASSED)
    assert (ended.milliseconds, ended.seen) == (250.0, "seen the *** ")
    assert bench.steps.findings == [ended]


def test_failed_step_ends_its_chain() -> None:
    """A failure is told with the table's words, and nothing that depends on it is tried."""
    bench = Bench()
    refused = Failed(Trouble.REFUSED, "refused by canary")
    failed = bench.steps.failure(lambda: bench.take(Step.ADDRESS, error=refused))
    assert failed is not None
    assert bench.steps.findings == [failed]
    assert (failed.explanation, failed.recommendation) == TABLE[Side.VENDOR][Trouble.REFUSED]
    assert failed.seen == "refused by ***"


def test_failure_can_belong_to_another_step() -> None:
    """A probe that is refused for its credentials is a failed authentication."""
    bench = Bench()
    denied = Failed(Trouble.TLS_CLIENT, "alert", step=Step.AUTHENTICATION)
    with pytest.raises(Ended):
        bench.take(Step.PROBE, error=denied)
    assert bench.steps.findings[0].step is Step.AUTHENTICATION


@pytest.mark.parametrize(
    ("lasting", "trouble"), [(1.0, Trouble.NO_ANSWER), (5.0, Trouble.TIMED_OUT)]
)
def test_silence_to_the_end_is_a_time_out(lasting: float, trouble: Trouble) -> None:
    """An error without an answer is a time-out when it took all the time there was."""
    bench = Bench()
    error = VendorUnavailable(500, "no answer", "look")
    with pytest.raises(Ended):
        bench.take(Step.ANSWER, lasting=lasting, error=error)
    assert bench.steps.findings[0].trouble is trouble


def test_step_that_never_ends_is_left_behind() -> None:
    """What does not end by itself is given up."""
    over = threading.Event()
    bench = Bench(Patience(step=0.01, total=1))

    def stuck(_seconds: float) -> Passed[None]:
        over.wait(20)
        return Passed(None, "late")

    with pytest.raises(Ended):
        bench.steps.take(Step.NAME, "here", stuck)
    over.set()
    assert bench.steps.findings[0].trouble is Trouble.TIMED_OUT


def test_all_steps_share_the_total_time() -> None:
    """A later step gets what is left; when nothing is left it is not tried, nor what follows it."""
    bench = Bench(Patience(step=5, total=7))
    bench.take(Step.NAME, lasting=4)
    assert bench.take(Step.ADDRESS, lasting=3) == "given 3"
    with pytest.raises(Ended), bench.steps.plan((Step.TLS, "here"), (Step.PROBE, "here")):
        bench.take(Step.TLS)
    late = bench.steps.findings[-2:]
    assert [(each.step, each.result) for each in late] == [
        (Step.TLS, Result.NOT_TRIED),
        (Step.PROBE, Result.NOT_TRIED),
    ]
    assert all("used up" in each.seen and each.trouble is None for each in late)


def test_pause_ends_with_the_test() -> None:
    """Nobody waits for a turn that comes after the test's end."""
    bench = Bench(Patience(step=5, total=7))
    bench.steps.pause(60)
    assert bench.clock.monotonic() == 7


def test_defect_of_ours_comes_out() -> None:
    """An error that is none of the collector's is not taken for a finding."""
    bench = Bench()
    with pytest.raises(ZeroDivisionError):
        bench.take(Step.NAME, error=ZeroDivisionError())


def test_skipped_step() -> None:
    """A step that is left out says why, has no time, and fails nothing."""
    bench = Bench()
    bench.steps.skip(Step.PROBE, "here", "--no-probe")
    (skipped,) = bench.steps.findings
    assert (skipped.result, skipped.milliseconds) == (Result.SKIPPED, None)


def test_what_a_failure_leaves_of_a_plan_is_told() -> None:
    """Steps that were planned after one that failed are told as not run, with that one."""
    bench = Bench()

    def chain() -> None:
        with bench.steps.plan((Step.NAME, "here"), (Step.ADDRESS, "here"), (Step.TLS, "here")):
            bench.take(Step.NAME)
            bench.take(Step.ADDRESS, error=Failed(Trouble.REFUSED, "no"))

    assert bench.steps.failure(chain) is not None
    assert [each.result for each in bench.steps.findings] == ["ok", "failed", "not run"]
    assert bench.told[-1].step is Step.TLS
    assert bench.told[-1].seen == "because this failed: address of here"


def test_a_plan_that_is_carried_out_tells_nothing() -> None:
    """Where nothing fails, nothing is told but the steps."""
    bench = Bench()
    with bench.steps.plan((Step.NAME, "here"), (Step.TLS, "here")):
        bench.take(Step.NAME)
    assert [each.step for each in bench.steps.findings] == [Step.NAME]
