"""The health board, and what tells it: journals, jobs, and the look every few seconds."""

from __future__ import annotations

import pytest

from collector.app.acceptance import Acceptance
from collector.app.backpressure import SpoolGate
from collector.app.delivery import Lane
from collector.app.health import Board
from collector.app.inspection import COLLECTOR, SILENT, Inspector
from collector.app.jobs import Job
from collector.app.outcome import Outcome
from collector.app.services import ServiceJob
from collector.app.watches import GIVEN_UP, Endurance, SourceWatch, fault_of
from collector.config.outputs import ConsoleOutput
from collector.core.flatten import flattener
from collector.core.gate import Marks
from collector.core.health import Change, Kind, Notice, Signal, State
from collector.core.model import NO_TIME, Page
from collector.core.times import SECOND
from collector.errors import (
    AuthenticationError,
    CollectorError,
    ConfigError,
    HoursPutOff,
    QuotaExhausted,
    SessionEnded,
    SessionTaken,
    StateError,
    TokenRejected,
    Undelivered,
    UnreadableAnswer,
    VendorRefused,
    VendorUnavailable,
)
from collector.pullers.casb_alerts import AlertsSettings, casb_alerts
from collector.pullers.journal import Journal
from tests.fakes.clock import ManualClock
from tests.fakes.health import MemoryHealth
from tests.fakes.log import MemoryLog
from tests.fakes.pulls import START, Bench, event

SOURCE = "casb#alerts"
DOWN = VendorUnavailable(503, "it is down", "wait")
TAKEN = SessionTaken(409, "taken", "wait")


class Ward:
    """One source with its board, watch, journal and inspector, by a clock moved by hand."""

    def __init__(
        self,
        *,
        patience: float | None = None,
        silence: float = 0.0,
        acceptance: Acceptance | None = None,
    ) -> None:
        self.acceptance = acceptance
        self.clock = ManualClock(START)
        self.records = MemoryHealth()
        self.board = Board(self.records, self.clock)
        endurance = Endurance(patience)
        self.watch, self.live = (
            SourceWatch(self.board, SOURCE, part, self.clock, endurance)
            for part in ("pull", "live")
        )
        self.log = MemoryLog()
        self.journal = Journal(self.log, "alerts", self.clock, watch=self.watch)
        settings = AlertsSettings(url="https://api.example.com", tag="t", records=_FLAT)
        self.bench = Bench(casb_alerts(settings), START, clock=self.clock)
        self.lane = Lane("siem", "standard", ConsoleOutput(type="console"), self.clock)
        self.spooled = 0
        self.gate = SpoolGate(lambda: self.spooled, Marks(100), self.clock, self.log)
        self.service = self._service(silence)
        self.inspector = Inspector(self.board, [self.service], [self.lane], self.gate, self.clock)

    def _service(self, silence: float) -> ServiceJob:
        return ServiceJob(
            source_id=SOURCE,
            component="c",
            setup_component="s",
            puller_class="p",
            setup=self._setup,
            run=self._run,
            acceptance=self.acceptance,
            period=600.0,
            intake=self.bench.intake,
            watch=self.watch,
            silence_limit=silence,
        )

    failure: Exception | None = None

    def _setup(self) -> None:
        self.states = [self.state]

    def _run(self) -> None:
        self.states.append(self.state)
        if self.failure is not None:
            raise self.failure

    def job(self) -> Job:
        """The job of the source."""
        return Job(self.service, Outcome(), self.clock, self.clock.stop)

    def take(self, number: int) -> None:
        """A record comes."""
        self.bench.intake.take(Page(events=[event(number)]), mode="window", pulling_id="1")

    def look(self, after: float = 0.0) -> None:
        """Look, some seconds later."""
        self.clock.advance(after)
        self.inspector.look(self.log)

    @property
    def state(self) -> State:
        """Of the source."""
        return self.board.health(SOURCE).state

    def numbers(self, subject: str = SOURCE) -> list[int]:
        """The errors that stand against a subject."""
        return [each.fault.number for each in self.board.health(subject).events]


_FLAT = flattener("none", "")

KINDS: list[tuple[CollectorError | None, Kind]] = [
    (ConfigError(3, "c", "r"), Kind.THIRD_PARTY_CONFIG),
    (AuthenticationError(103, "c", "r"), Kind.THIRD_PARTY_CONFIG),
    (TokenRejected(401, "c", "r"), Kind.THIRD_PARTY_CONFIG),
    (VendorRefused(404, "c", "r"), Kind.THIRD_PARTY_CONFIG),
    (TAKEN, Kind.THIRD_PARTY_CONFIG),
    (DOWN, Kind.THIRD_PARTY_GENERIC),
    (QuotaExhausted(429, "c", "r"), Kind.THIRD_PARTY_GENERIC),
    (UnreadableAnswer(305, "c", "r"), Kind.THIRD_PARTY_GENERIC),
    (SessionEnded(303, "c", "r"), Kind.THIRD_PARTY_GENERIC),
    (HoursPutOff(313, "c", "r"), Kind.THIRD_PARTY_GENERIC),
    (StateError(206, "c", "r"), Kind.FIRST_PARTY_GENERIC),
    (Undelivered(601, "c", "r"), Kind.FIRST_PARTY_GENERIC),
    (None, Kind.FIRST_PARTY_GENERIC),
]


@pytest.mark.parametrize(("error", "kind"), KINDS)
def test_who_has_to_act(error: CollectorError | None, kind: Kind) -> None:
    """Each error of the tree has its kind of event, and keeps number, cause and remedy."""
    fault = fault_of(error)
    assert fault.kind is kind
    if error is not None:
        told = (fault.number, fault.cause, fault.remedy)
        assert told == (error.number, error.cause, error.remedy)


def test_a_job_goes_through_the_states() -> None:
    """Its setup and its run find the source where the reference page has it."""
    ward = Ward()
    seen = [ward.state]
    job = ward.job()
    seen.append(ward.state)
    job.run()
    assert [*seen, *ward.states, ward.state] == list(State)[:5]


def test_a_configured_token_is_shown_by_a_session() -> None:
    """Until one opens, the source is not authenticated, nor does a run without one show more."""
    acceptance = Acceptance()
    ward = Ward(acceptance=acceptance)
    job = ward.job()
    job.run()
    assert [*ward.states, ward.state] == [State.INITIALIZED] * 3
    acceptance.given()
    seen = [ward.state]
    job.run()
    assert [*seen, ward.state] == [State.AUTHENTICATED, State.COLLECTING]


def test_a_failed_run_and_a_good_one() -> None:
    """The event stands until the source makes progress again."""
    ward = Ward()
    job = ward.job()
    ward.failure = DOWN
    job.run()
    job.run()
    (stands,) = ward.board.standing()
    assert (ward.state, stands.event.count, stands.event.fault.number) == (State.ERROR, 2, 503)
    ward.failure = None
    job.run()
    assert (ward.state, ward.board.standing()) == (State.COLLECTING, [])


def test_a_defect_is_ours() -> None:
    """An exception that nobody expected is a FirstPartyGeneric event."""
    ward = Ward()
    ward.failure = ZeroDivisionError("by zero")
    ward.job().run()
    (stands,) = ward.board.standing()
    assert stands.event.fault.kind is Kind.FIRST_PARTY_GENERIC


def test_waits_are_trouble_and_pages_are_progress() -> None:
    """What is tried again within a pull is seen before the pull has failed."""
    ward = Ward()
    ward.journal.waiting(DOWN, 1.0)
    ward.journal.repeating(SessionEnded(303, "it broke", "wait"), 1.0)
    assert (ward.state, ward.numbers()) == (State.ERROR, [503, 303])
    ward.journal.begin(START).page(ward.bench.intake.totals())
    assert (ward.state, ward.numbers()) == (State.COLLECTING, [])


def test_hours_that_are_put_off_stand_while_all_else_goes_well() -> None:
    """Whatever else is read; and a source that works but for them is not given up."""
    ward = Ward()
    endurance = Endurance(600.0)
    hours = SourceWatch(ward.board, SOURCE, "hours", ward.clock, endurance)
    journal = Journal(ward.log, "alerts", ward.clock, watch=ward.watch, hours=hours)
    job = ward.job()
    journal.none_is_put_off()
    assert ward.state is State.STARTED
    ward.failure = HoursPutOff(313, "one hour cannot be read", "nothing")
    for _ in range(3):
        journal.put_off(HoursPutOff(313, "one hour cannot be read", "nothing"))
        job.run()
        journal.begin(START).page(ward.bench.intake.totals())
    assert (ward.state, ward.numbers()) == (State.ERROR, [313])
    assert ward.board.standing()[0].event.count == 3
    journal.none_is_put_off()
    assert (ward.state, ward.numbers()) == (State.COLLECTING, [])


def test_a_session_that_is_still_taken_is_no_trouble_at_first() -> None:
    """409 is normal after a drop; if it lasts, another program uses the token."""
    ward = Ward()
    hear = ward.journal.taken_alarm(360.0)
    hear(TAKEN, 10.0)
    assert ward.numbers() == []
    ward.clock.advance(361)
    hear(TAKEN, 10.0)
    assert ward.numbers() == [409]
    assert ward.board.standing()[0].event.fault.kind is Kind.THIRD_PARTY_CONFIG
    ward.journal.listen(ward.clock.now())
    assert (ward.state, ward.numbers()) == (State.COLLECTING, [])


def test_never_given_up_by_itself() -> None:
    """Without the setting a source is tried for ever."""
    ward = Ward()
    job = ward.job()
    ward.failure = DOWN
    for _ in range(1000):
        job.run()
        ward.clock.advance(600)
    assert ward.board.standing()[0].event.count == 1000


def test_given_up_after_ninety_minutes() -> None:
    """It is tried no more, says so once, and the event says how to go on."""
    ward = Ward(patience=90 * 60)
    job = ward.job()
    ward.failure = DOWN
    for _ in range(20):
        job.run()
        ward.clock.advance(600)
    assert ward.numbers() == [503, GIVEN_UP]
    count, gave_up = (each.event for each in ward.board.standing())
    assert (count.count, gave_up.count) == (9, 1)
    assert "90 minutes" in gave_up.fault.cause
    assert "globals.give_up_after_in_minutes" in gave_up.fault.remedy


def test_progress_gives_a_source_its_patience_back() -> None:
    """Only failing without a break counts."""
    ward = Ward(patience=1000)
    job = ward.job()
    for number in range(20):
        ward.failure = None if number % 2 else DOWN
        job.run()
        ward.clock.advance(600)
    assert GIVEN_UP not in ward.numbers()


def test_the_parts_of_a_source_share_its_patience() -> None:
    """It fails for as long as none of them makes progress, whichever of them tries."""
    ward = Ward(patience=1000)
    ward.watch.failed(DOWN)
    ward.clock.advance(600)
    ward.live.failed(DOWN)
    ward.clock.advance(400)
    assert ward.watch.given_up
    assert ward.live.given_up
    ward.live.progressed()
    assert not ward.watch.given_up


def test_a_live_session_that_is_given_up_leaves_its_loop() -> None:
    """A loop of retries without an end is left by the very error that it retries."""
    ward = Ward(patience=100)
    ward.journal.waiting(DOWN, 1.0)
    ward.clock.advance(100)
    with pytest.raises(VendorUnavailable) as raised:
        ward.journal.waiting(DOWN, 1.0)
    assert raised.value is DOWN


def test_records_are_progress() -> None:
    """The look notes when the last new record came; a record known already is none."""
    ward = Ward()
    ward.look()
    assert ward.board.health(SOURCE).last_data == NO_TIME
    ward.take(1)
    ward.look(5)
    assert ward.state is State.COLLECTING
    assert ward.board.health(SOURCE).last_data == ward.clock.now()
    before = ward.clock.now()
    ward.take(1)
    ward.look(5)
    assert ward.board.health(SOURCE).last_data == before


def test_silence_is_named_and_ends_with_the_next_record() -> None:
    """The vendor answers, nothing comes: an error that pulls without records do not clear."""
    ward = Ward(silence=3600.0)
    ward.take(1)
    ward.look()
    ward.look(3600)
    assert ward.state is State.COLLECTING
    ward.look(1)
    assert (ward.state, ward.numbers()) == (State.ERROR, [SILENT])
    ward.watch.progressed()
    ward.look(7200)
    assert (ward.state, ward.numbers()) == (State.ERROR, [SILENT])
    assert len([text for text in ward.log.texts("ERROR") if "309" in text]) == 1
    ward.take(2)
    ward.look()
    assert (ward.state, ward.numbers()) == (State.COLLECTING, [])


def test_a_pause_of_ours_is_no_silence() -> None:
    """While pulling is paused nothing can come; then the silence begins anew."""
    ward = Ward(silence=3600.0)
    ward.take(1)
    ward.look()
    ward.spooled = 99
    assert not ward.gate.wait(0.0)
    ward.look(7200)
    assert ward.numbers(COLLECTOR) == [640]
    ward.spooled = 0
    assert ward.gate.wait(0.0)
    ward.look(3000)
    assert (ward.numbers(), ward.numbers(COLLECTOR)) == ([], [])


def test_an_output_that_fails() -> None:
    """Its failures are one event in the error's own words, until it delivers."""
    ward = Ward()
    stats = ward.lane.stats
    for _ in range(3):
        stats.failed(Undelivered(610, "nobody answers at siem:443 -> or", "start it"))
    ward.look()
    (stands,) = ward.board.standing()
    fault = stands.event.fault
    assert (stands.subject, stands.event.count, fault.number) == ("output siem", 3, 610)
    assert (fault.cause, fault.remedy) == ("nobody answers at siem:443 -> or", "start it")
    ward.look()
    assert ward.board.standing()[0].event.count == 3
    stats.confirmed(1, 0)
    ward.look()
    assert ward.board.standing() == []


def test_what_is_stored_and_when() -> None:
    """A change at once, all of it every two minutes; a full disk is left alone meanwhile."""
    ward = Ward()
    ward.board.save()
    ward.board.save()
    assert ward.records.writes == 1
    ward.watch.failed(DOWN)
    ward.board.save()
    assert (ward.records.writes, ward.records.rows[SOURCE].state) == (2, State.ERROR)
    ward.clock.advance(120)
    ward.board.save()
    assert (ward.records.writes, ward.records.checked) == (3, ward.clock.now())
    ward.records.full = True
    ward.clock.advance(120)
    with pytest.raises(StateError):
        ward.board.save()
    ward.board.save()
    ward.records.full = False
    ward.clock.advance(120)
    ward.board.save()
    assert ward.records.writes == 4


def test_new_data_is_stored_with_the_look_that_finds_it() -> None:
    """Its row alone; on a full disk it is not worth a try before all is due."""
    ward = Ward()
    ward.watch.progressed()
    ward.look()
    ward.board.save()
    ward.take(1)
    ward.look(5)
    ward.records.rows.clear()
    ward.board.save()
    assert ward.records.rows[SOURCE].last_data == ward.clock.now()
    assert set(ward.records.rows) == {SOURCE}
    ward.look(5)
    ward.board.save()
    assert ward.records.writes == 2
    ward.records.full = True
    ward.take(2)
    ward.look(5)
    with pytest.raises(StateError):
        ward.board.save()
    ward.take(3)
    ward.look(5)
    ward.board.save()
    ward.records.full = False
    ward.look(120)
    ward.board.save()
    assert ward.records.rows[SOURCE].last_data == ward.clock.now() - 120 * SECOND


def test_the_next_run_knows_when_the_last_record_came() -> None:
    """So that silence after a restart is silence, too."""
    ward = Ward()
    ward.take(1)
    ward.look()
    ward.board.end(Signal.STOP_ASKED)
    ward.board.end(Signal.ENDED)
    ward.board.save()
    assert ward.records.rows[SOURCE].state is State.STOPPED
    again = Board(ward.records, ward.clock)
    again.begin(SOURCE)
    assert again.health(SOURCE).last_data == START
    again.keep_only([])
    assert set(ward.records.rows) == {SOURCE}


def test_news_is_told_once() -> None:
    """Each change of state and each event, in order."""
    ward = Ward()
    ward.watch.started()
    ward.watch.failed(DOWN)
    ward.watch.progressed()
    told = ward.board.news()
    states = [each.state for each in told if isinstance(each, Change)]
    assert states == [State.STARTED, State.ERROR, State.COLLECTING]
    assert [each.status for each in told if isinstance(each, Notice)] == ["opened", "cleared"]
    assert ward.board.news() == []


def test_no_secret_is_kept() -> None:
    """A cause that quotes a token is struck out before it is stored or told."""
    ward = Ward()
    ward.watch.failed(VendorUnavailable(503, "it said: Bearer canary-0123456789", "wait"))
    assert "canary" not in str(ward.board.health(SOURCE))
