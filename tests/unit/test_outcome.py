"""The exit code of a run, from how its parts fared."""

from __future__ import annotations

import pytest

from collector.app.outcome import (
    AUTHENTICATION,
    COMPLETE,
    CONFIG,
    DELIVERY,
    INTERNAL,
    MEANING,
    PARTIAL,
    STATE,
    VENDOR,
    Outcome,
)
from collector.errors import (
    AuthenticationError,
    CollectorError,
    HoursPutOff,
    SessionEnded,
    StateError,
    TokenRejected,
    Undelivered,
    UnreadableAnswer,
    VendorRefused,
    VendorUnavailable,
)

AUTH = AuthenticationError(103, "c", "r")
GONE = VendorUnavailable(503, "c", "r")
FULL = StateError(206, "c", "r")
DOWN = Undelivered(601, "c", "r")


def code(done: int, *failures: CollectorError | None, interrupted: bool = False) -> int:
    """The exit code when so many parts are done and others failed."""
    outcome = Outcome()
    for number in range(done):
        outcome.succeeded(f"done-{number}")
    for number, failure in enumerate(failures):
        outcome.failed(f"failed-{number}", failure)
    if interrupted:
        outcome.interrupted()
    return outcome.exit_code()


def test_all_done() -> None:
    """Also when there was nothing to do."""
    assert code(3) == code(0) == COMPLETE


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (AUTH, AUTHENTICATION),
        (TokenRejected(401, "c", "r"), AUTHENTICATION),
        (GONE, VENDOR),
        (VendorRefused(404, "c", "r"), VENDOR),
        (UnreadableAnswer(301, "c", "r"), VENDOR),
        (SessionEnded(303, "c", "r"), VENDOR),
        (HoursPutOff(313, "c", "r"), VENDOR),
        (DOWN, DELIVERY),
        (FULL, STATE),
        (None, INTERNAL),
    ],
)
def test_one_kind_of_failure_has_its_own_code(error: CollectorError | None, expected: int) -> None:
    """However many parts failed that way."""
    assert code(0, error) == code(0, error, error) == expected


def test_some_done_and_some_not() -> None:
    """Partial, as is a mixture of failures, and a run that was interrupted."""
    assert code(1, AUTH) == code(1, GONE) == code(0, AUTH, GONE) == PARTIAL
    assert code(3, interrupted=True) == PARTIAL


@pytest.mark.parametrize(("error", "heavy"), [(FULL, STATE), (None, INTERNAL), (DOWN, DELIVERY)])
def test_heavy_failures_outweigh_the_rest(error: CollectorError | None, heavy: int) -> None:
    """What concerns the collector itself, whatever else happened."""
    assert code(2, AUTH, error, GONE, interrupted=True) == heavy


def test_the_heaviest_of_all_is_the_state() -> None:
    """Then a defect, then delivery."""
    assert code(0, DOWN, None, FULL) == STATE
    assert code(0, DOWN, None) == INTERNAL


def test_a_later_success_makes_good() -> None:
    """A pull that failed and then succeeded has done what it had to."""
    outcome = Outcome()
    outcome.failed("a", GONE)
    outcome.succeeded("a")
    assert outcome.exit_code() == COMPLETE


def test_a_stop_is_fatal_only_by_a_heavy_failure() -> None:
    """A lasting run that was stopped while a vendor was down has not failed."""
    outcome = Outcome()
    outcome.failed("a", GONE)
    outcome.failed("b", AUTH)
    assert outcome.fatal() is None
    outcome.failed("c", None)
    assert outcome.fatal() == INTERNAL
    outcome.failed("d", FULL)
    assert outcome.fatal() == STATE


def test_every_code_has_a_meaning() -> None:
    """The table names each code that a run can end with."""
    codes = {COMPLETE, INTERNAL, AUTHENTICATION, VENDOR, DELIVERY, STATE, PARTIAL}
    assert codes <= set(MEANING)
    assert all(MEANING.values())


def of_two(first: Outcome, second: Outcome) -> Outcome:
    """The outcome of a program of two processes."""
    both = Outcome()
    for each in (first, second):
        both.include(each.report())
    return both


def test_processes_add_up_to_one_program() -> None:
    """What failed in one and succeeded in the other is partial; two failures of a kind are one."""
    done, failed = Outcome(), Outcome()
    done.succeeded("pod#message")
    failed.failed("casb#alerts", AUTH)
    assert of_two(done, failed).exit_code() == PARTIAL
    assert of_two(failed, failed).exit_code() == AUTHENTICATION
    assert of_two(done, done).exit_code() == COMPLETE


def test_a_second_life_makes_good() -> None:
    """What failed before a worker was started again counts no more once it succeeded."""
    before, after = Outcome(), Outcome()
    before.failed("casb#alerts", None)
    after.succeeded("casb#alerts")
    assert of_two(before, after).fatal() is None
    assert of_two(after, before).fatal() == INTERNAL


def test_damage_and_interruption_are_passed_on() -> None:
    """Who owns the state must know to set it aside."""
    worker, stopped = Outcome(), Outcome()
    worker.failed("pod#audit", StateError(205, "a page is torn", "r"))
    stopped.interrupted()
    both = of_two(worker, stopped)
    assert both.damage is not None
    assert both.damage.cause == "a page is torn"
    assert both.fatal() == STATE
    assert of_two(stopped, Outcome()).exit_code() == PARTIAL


def test_a_process_that_cannot_go_on_decides() -> None:
    """Its code is the program's, however the others fared."""
    outcome = Outcome()
    outcome.succeeded("pod#audit")
    outcome.broken(CONFIG)
    assert outcome.exit_code() == outcome.fatal() == CONFIG
