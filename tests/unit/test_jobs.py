"""A job owns its outcome: whatever its service raises, the others go on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from collector.app.acceptance import Acceptance
from collector.app.credentials import NONE, Credentials
from collector.app.jobs import Job, run_all_once
from collector.app.outcome import (
    AUTHENTICATION,
    COMPLETE,
    INTERNAL,
    PARTIAL,
    STATE,
    VENDOR,
    Outcome,
)
from collector.app.services import ServiceJob
from collector.core.flatten import flattener
from collector.errors import (
    AuthenticationError,
    CollectorError,
    HoursPutOff,
    SessionEnded,
    StateError,
    Stopped,
    TokenRejected,
    VendorRefused,
    VendorUnavailable,
)
from collector.pullers.casb_alerts import AlertsSettings, casb_alerts
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import START, Bench


class Work:
    """A service that does as it is told, and counts."""

    def __init__(self, *failures: Exception | None) -> None:
        self.runs = 0
        self.setups = 0
        self._failures = list(failures)

    def setup(self) -> None:
        """Authenticate."""
        self.setups += 1

    def run(self) -> None:
        """Fail, if that is next."""
        self.runs += 1
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure


class Desk:
    """One job with all that it talks to."""

    def __init__(self, work: Work, *, lasting: bool = False, waits: bool = True) -> None:
        self.clock = ManualClock(START)
        self.outcome = Outcome()
        self.stops = 0
        self.waits = waits
        self.job = self.make(work.setup, work.run, lasting=lasting)

    def make(
        self,
        setup: Callable[[], object],
        run: Callable[[], object],
        *,
        lasting: bool = False,
        acceptance: Acceptance | None = None,
        credentials: Credentials[Any] = NONE,
    ) -> Job:
        """A job of a service."""
        settings = AlertsSettings(
            url="https://api.example.com", tag="t", records=flattener("none", "")
        )
        service = ServiceJob(
            source_id="casb#alerts",
            component="Puller(casb)",
            setup_component="Setup(casb)",
            puller_class="ProofpointCasbAlertsPuller",
            setup=setup,
            run=run,
            period=600.0,
            intake=Bench(casb_alerts(settings), START).intake,
            lasting=lasting,
            acceptance=acceptance,
            credentials=credentials,
        )
        return Job(service, self.outcome, self.clock, self._stop, waits=self.waits)

    def _stop(self) -> None:
        self.stops += 1


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """Component, level and text of all lines."""
    return [
        (getattr(record, "component", ""), record.levelname, record.getMessage())
        for record in caplog.records
    ]


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="collector")


SETUP = "Setup for module <ProofpointCasbAlertsPuller> has been successfully executed"


def test_a_run_sets_up_once(caplog: pytest.LogCaptureFixture) -> None:
    """The reference page's two lines come before the first pull, and not again."""
    work = Work()
    desk = Desk(work)
    desk.job.run()
    desk.job.run()
    assert (work.setups, work.runs) == (1, 2)
    assert lines(caplog) == [
        ("InputProcess::Setup(casb)", "INFO", SETUP),
        ("InputProcess::Puller(casb)", "INFO", "Starting data collection every 600 seconds"),
    ]
    assert desk.outcome.exit_code() == COMPLETE


def test_a_live_session_has_no_period_to_tell(caplog: pytest.LogCaptureFixture) -> None:
    """It lasts."""
    Desk(Work(), lasting=True).job.run()
    assert len(caplog.records) == 1


def test_a_one_shot_run_has_no_period_to_tell(caplog: pytest.LogCaptureFixture) -> None:
    """No other pull follows."""
    Desk(Work(), waits=False).job.run()
    assert caplog.messages == [SETUP]


def test_a_token_is_taken_when_a_session_opens(caplog: pytest.LogCaptureFixture) -> None:
    """Not before; and the sessions that follow say nothing new."""
    acceptance = Acceptance()
    said_before: list[bool] = []

    def run() -> None:
        said_before.append(SETUP in caplog.messages)
        acceptance.given()

    job = Desk(Work()).make(lambda: None, run, acceptance=acceptance)
    job.run()
    job.run()
    assert said_before == [False, True]
    assert caplog.messages.count(SETUP) == 1


def test_a_refused_token_was_never_taken(caplog: pytest.LogCaptureFixture) -> None:
    """The error comes, and no word of success; when it is taken later, that is told."""
    acceptance = Acceptance()
    refusals = [TokenRejected(401, "rejected", "check it")]

    def run() -> None:
        if refusals:
            raise refusals.pop()
        acceptance.given()

    desk = Desk(Work())
    job = desk.make(lambda: None, run, acceptance=acceptance)
    job.run()
    assert [level for _, level, _ in lines(caplog)] == ["INFO", "ERROR"]
    assert SETUP not in caplog.messages
    desk.clock.advance(900)
    job.run()
    assert lines(caplog)[-1] == ("InputProcess::Setup(casb)", "INFO", SETUP)


def test_a_token_that_was_withdrawn_is_taken_anew(caplog: pytest.LogCaptureFixture) -> None:
    """After a refusal the next session is the first one again."""
    acceptance = Acceptance()
    outcomes: list[CollectorError | None] = [None, TokenRejected(401, "withdrawn", "renew"), None]

    def run() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        acceptance.given()

    desk = Desk(Work())
    job = desk.make(lambda: None, run, acceptance=acceptance)
    for _ in range(3):
        job.run()
        desk.clock.advance(900)
    assert caplog.messages.count(SETUP) == 2


def test_a_pull_that_asked_nobody_proves_no_token() -> None:
    """A wrong token that was put in place meanwhile still gives way to the former one."""
    acceptance = Acceptance()
    configured = ["good"]
    tokens = Credentials("good", lambda: configured[0])
    due: list[bool] = [True, False, True, True]
    used: list[str] = []

    def run() -> None:
        if not due.pop(0):
            return
        used.append(tokens.used)
        if tokens.used == "wrong":
            raise TokenRejected(401, "rejected", "check it")
        acceptance.given()

    desk = Desk(Work())
    job = desk.make(lambda: None, run, acceptance=acceptance, credentials=tokens)
    job.run()
    configured[0] = "wrong"
    job.look()
    for _ in range(3):
        job.run()
        desk.clock.advance(900)
    assert used == ["good", "wrong", "good"]


PASSING: dict[str, CollectorError] = {
    "unavailable": VendorUnavailable(503, "it is down", "wait"),
    "session": SessionEnded(303, "it broke", "wait"),
}


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_is_left_to_the_next_pull(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Told once, at ERROR; the next run happens and makes good."""
    work = Work(PASSING[kind])
    desk = Desk(work)
    desk.job.run()
    assert desk.outcome.exit_code() == VENDOR
    assert [text for _, level, text in lines(caplog) if level == "ERROR"] == [
        f"{PASSING[kind]}; the next pull goes on from here"
    ]
    desk.job.run()
    assert (work.setups, work.runs, desk.stops) == (1, 2, 0)
    assert desk.outcome.exit_code() == COMPLETE


def test_hours_that_are_put_off_are_a_failure_of_the_run(caplog: pytest.LogCaptureFixture) -> None:
    """Its exit code tells of them; the service neither rests nor is set up anew."""
    error = HoursPutOff(313, "one hour cannot be read", "nothing")
    work = Work(error)
    desk = Desk(work)
    desk.job.run()
    assert desk.outcome.exit_code() == VENDOR
    assert [text for _, level, text in lines(caplog) if level == "ERROR"] == [str(error)]
    desk.job.run()
    assert (work.setups, work.runs, desk.stops) == (1, 2, 0)
    assert desk.outcome.exit_code() == COMPLETE


LASTING: dict[str, tuple[CollectorError, int]] = {
    "credentials": (AuthenticationError(103, "refused", "check them"), AUTHENTICATION),
    "token": (TokenRejected(401, "rejected", "check it"), AUTHENTICATION),
    "request": (VendorRefused(404, "no such address", "check it"), VENDOR),
}


@pytest.mark.parametrize("kind", LASTING)
def test_what_needs_a_person_rests_for_a_quarter_of_an_hour(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No call is made meanwhile; then everything begins with the setup."""
    error, code = LASTING[kind]
    work = Work(error)
    desk = Desk(work)
    desk.job.run()
    assert desk.outcome.exit_code() == code
    told = "looking again in 900 seconds, or at the next run after the credentials change"
    assert lines(caplog)[-1][1:] == ("ERROR", f"{error}; {told}")
    desk.clock.advance(899.9)
    desk.job.run()
    assert (work.setups, work.runs) == (1, 1)
    desk.clock.advance(0.1)
    desk.job.run()
    assert (work.setups, work.runs, desk.stops) == (2, 2, 0)
    assert desk.outcome.exit_code() == COMPLETE


def test_a_setup_that_fails_is_made_again() -> None:
    """The pull does not run without it."""
    tries = iter([AuthenticationError(101, "c", "r")])
    work = Work()
    desk = Desk(work)

    def setup() -> None:
        for error in tries:
            raise error

    job = desk.make(setup, work.run)
    job.run()
    assert work.runs == 0
    desk.clock.advance(900)
    job.run()
    assert work.runs == 1


def test_a_state_that_needs_a_person_stops_the_collector(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing can be kept any more."""
    error = StateError(205, "damaged", "restore it")
    desk = Desk(Work(error))
    desk.job.run()
    assert (desk.stops, desk.outcome.exit_code()) == (1, STATE)
    assert lines(caplog)[-1][1:] == ("CRITICAL", f"{error}; the collector stops")


def test_a_full_disk_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """It is told once; the pull goes on when there is room."""
    full = StateError(206, "the disk is full", "free some space")
    work = Work(full, full, full)
    desk = Desk(work)
    desk.job.run()
    assert (work.runs, desk.stops, desk.outcome.exit_code()) == (4, 0, COMPLETE)
    assert [level for _, level, text in lines(caplog) if "disk is full" in text] == ["ERROR"]


def test_a_defect_ends_one_run_only(caplog: pytest.LogCaptureFixture) -> None:
    """It is told in full, the collector goes on, and the exit code remembers it."""
    desk = Desk(Work(ZeroDivisionError("by zero"), ZeroDivisionError("again")))
    desk.job.run()
    desk.job.run()
    assert (desk.stops, desk.outcome.exit_code()) == (0, INTERNAL)
    assert [record.exc_info is not None for record in caplog.records[-2:]] == [True, True]


def test_a_stop_is_no_failure() -> None:
    """The run was interrupted; after it no job begins."""
    work = Work(Stopped())
    desk = Desk(work)
    desk.job.run()
    assert desk.outcome.exit_code() == PARTIAL
    desk.clock.stop()
    desk.job.run()
    assert work.runs == 1


def test_two_runs_never_overlap() -> None:
    """Whoever asks for the second one: it waits for the first."""
    inside, most = 0, 0
    entered, go = threading.Event(), threading.Event()

    def run() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        entered.set()
        assert go.wait(20)
        inside -= 1

    job = Desk(Work()).make(lambda: None, run)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(job.run)
        assert entered.wait(20)
        assert not job.rests(0)
        second = threads.submit(job.run)
        go.set()
        first.result(20)
        second.result(20)
    assert (inside, most, job.rests(0)) == (0, 1, True)


def test_a_one_shot_run_runs_every_job_once() -> None:
    """Side by side; one that fails keeps no other from its end."""
    desk = Desk(Work())
    works = [Work(), Work(ValueError("defect")), Work(VendorUnavailable(500, "c", "r")), Work()]
    together = threading.Barrier(len(works), timeout=20)

    def meeting(work: Work) -> Callable[[], None]:
        def run() -> None:
            together.wait()
            work.run()

        return run

    assert run_all_once([desk.make(work.setup, meeting(work)) for work in works], desk.clock)
    assert [work.runs for work in works] == [1, 1, 1, 1]


def test_a_one_shot_run_of_nothing() -> None:
    """There may be no service at all."""
    assert run_all_once([], ManualClock(START))
