"""Dead letters in the store: kept with what replay needs, bounded, counted, replayed once."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from collector.app.letters import LetterWatch
from collector.core.checkpoint import started
from collector.core.model import NO_TIME, Batch, Refusal
from collector.core.store import Commit, DeadLetter
from collector.core.times import HOUR
from collector.errors import StateError
from collector.persistence import letter_report
from collector.persistence.letter_report import LetterReport
from collector.persistence.letters import Filter, Letter, Totals
from collector.persistence.sqlite import LETTER_BYTES, SqliteStore
from tests.fakes.log import MemoryLog
from tests.fakes.stores import START, SqliteState

SOURCE = "casb#alerts"
EVERY = Filter()
HOUR_NUMBER = START // HOUR


@pytest.fixture
def state(tmp_path: Path) -> SqliteState:
    """An empty place."""
    return SqliteState(tmp_path / "state")


def opened(state: SqliteState, letter_bytes: int = LETTER_BYTES) -> SqliteStore:
    """The store, with this bound."""
    return SqliteStore.open(state.folder, state.clock, letter_bytes=letter_bytes)


def batch(*outputs: str, lines: int = 4, lane: str = "standard") -> Batch:
    """Numbered lines; the first two count in one hour, the rest in the next."""
    return Batch(
        source=SOURCE,
        tag="t",
        lane=lane,
        mode="live",
        count=lines,
        body=b"".join(b'{"n":%d}\n' % number for number in range(lines)),
        first=START + 5,
        last=START + HOUR,
        outputs=outputs,
        hours=((HOUR_NUMBER, 2), (HOUR_NUMBER + 1, lines - 2)) if lane == "standard" else (),
    )


def commit(*batches: Batch, letters: list[DeadLetter] | None = None) -> Commit:
    """A commit of these."""
    return Commit(
        source=SOURCE,
        checkpoint=started(START),
        observed=START,
        batches=batches,
        dead_letters=letters or [],
    )


def unreadable(raw: bytes = b"\xff{", reason: str = "not JSON") -> DeadLetter:
    """Bytes of the vendor that hold no record."""
    return DeadLetter(
        source=SOURCE, tag="t", reason=reason, raw=raw, observed=START + 7, hour=START
    )


def refuse(store: SqliteStore, output: str, *indexes: int, lane: str = "standard") -> int:
    """The output refuses these lines of its oldest batch; the batch's id."""
    (taken,) = store.spool.take(output, lane, 0, 1)
    lines = taken.lines()
    refusals = [
        Refusal(batch=taken.id, index=index, raw=lines[index], reason="HTTP 400")
        for index in indexes
    ]
    store.spool.confirm(output, lane, [taken.id], refusals, None)
    return taken.id


def listed(store: SqliteStore, wanted: Filter = EVERY) -> list[Letter]:
    """The dead letters that fit."""
    return store.dead_letters(wanted, 0, 100)


def test_a_refused_record_keeps_what_its_replay_needs(state: SqliteState) -> None:
    """Lane, event time, and the hour in which the line counts."""
    with closing(opened(state)) as store:
        store.commit(commit(batch("siem", "lake")))
        refuse(store, "siem", 1, 3)
        first, second = listed(store)
        assert (first.source, first.output, first.lane, first.reason) == (
            SOURCE,
            "siem",
            "standard",
            "HTTP 400",
        )
        assert (first.hour, second.hour) == (START, START + HOUR)
        assert (first.time, first.size) == (START + 5, 7)
        assert store.dead_letter(second.id) == b'{"n":3}'


def test_a_confirmation_made_twice_keeps_and_counts_once(state: SqliteState) -> None:
    """Also while another output still waits for the batch."""
    with closing(opened(state)) as store:
        store.commit(commit(batch("siem", "lake")))
        (taken,) = store.spool.take("siem", "standard", 0, 1)
        refusal = Refusal(batch=taken.id, index=0, raw=b'{"n":0}', reason="HTTP 400")
        for _ in range(2):
            store.spool.confirm("siem", "standard", [taken.id], [refusal], None)
        assert len(listed(store)) == 1
        assert state.run("SELECT sum(records) FROM delivered") == [(3,)]


def test_a_replayed_record_waits_for_the_output_that_refused_it_and_no_other(
    state: SqliteState,
) -> None:
    """In one transaction with its removal; once delivered it counts in its hour."""
    with closing(opened(state)) as store:
        store.commit(commit(batch("siem", "lake")))
        refuse(store, "siem", 3)
        lake = store.spool.backlog()[("lake", "standard")]
        store.send_again(listed(store))
        assert listed(store) == []
        (again,) = store.spool.take("siem", "standard", 0, 1)
        assert (again.body, again.mode, again.tag) == (b'{"n":3}\n', "replay", "t")
        assert (again.first, again.last) == (START + 5, START + 5)
        assert store.spool.backlog()[("lake", "standard")] == lake
        size = store.spool.size
        store.spool.confirm("siem", "standard", [again.id], [], None)
        assert store.spool.size == size - len(again.body)
    counted = state.run("SELECT start, records FROM delivered WHERE output = 'siem' ORDER BY start")
    assert counted == [(START, 2), (START + HOUR, 2)]


def test_a_replay_that_fails_changes_nothing(state: SqliteState) -> None:
    """The record is dead as before, and not spooled."""
    with closing(opened(state)) as store:
        store.commit(commit(batch("siem")))
        refuse(store, "siem", 0)
        state.break_writes_to("pending")
        with pytest.raises(StateError):
            store.send_again(listed(store))
        assert len(listed(store)) == 1
        assert store.spool.size == 0


def test_an_output_that_is_gone_can_be_abandoned(state: SqliteState) -> None:
    """Its batches free their room where nobody else waits for them; the others keep theirs."""
    with closing(opened(state)) as store:
        store.commit(commit(batch("gone", "siem"), batch("gone")))
        store.announce(batch("gone", lane="internal"))
        assert store.spool.abandon("gone") == 12
        assert store.spool.backlog() == {("siem", "standard"): 4}
        assert store.spool.size == len(batch("siem").body)
        assert store.spool.abandon("gone") == 0
    assert state.run("SELECT count(*) FROM spool") == [(1,)]


def test_an_internal_record_counts_in_no_hour(state: SqliteState) -> None:
    """Metrics that are refused are kept like all else."""
    with closing(opened(state)) as store:
        store.announce(batch("siem", lane="internal"))
        refuse(store, "siem", 0, lane="internal")
        (letter,) = listed(store)
        assert (letter.lane, letter.hour) == ("internal", NO_TIME)
        store.send_again([letter])
        assert [each.lane for each in store.spool.take("siem", "internal", 0, 1)] == ["internal"]


def test_unreadable_bytes_are_no_batch(state: SqliteState) -> None:
    """They are for no output; they must be read first."""
    with closing(opened(state)) as store:
        store.commit(commit(letters=[unreadable()]))
        with pytest.raises(ValueError, match="no output"):
            store.send_again(listed(store))
        assert len(listed(store)) == 1


def test_a_commit_settles_letters(state: SqliteState) -> None:
    """What could be read after all is dead no more, in the transaction that spools it."""
    with closing(opened(state)) as store:
        store.commit(commit(letters=[unreadable(), unreadable()]))
        first, second = listed(store)
        store.commit(msgspec.structs.replace(commit(batch("siem")), replayed=[first.id]))
        assert listed(store) == [second]


def test_filters(state: SqliteState) -> None:
    """By service, by output, by a part of the reason in any case, by id, and by all of them."""
    with closing(opened(state)) as store:
        store.commit(commit(batch("siem"), letters=[unreadable(reason="Not JSON at 7")]))
        refuse(store, "siem", 0, 1)
        letter, *refused = listed(store)
        assert listed(store, Filter(source=SOURCE)) == [letter, *refused]
        assert listed(store, Filter(source="pod#audit")) == []
        assert listed(store, Filter(output="siem")) == refused
        assert listed(store, Filter(reason="not json")) == [letter]
        assert listed(store, Filter(reason="%")) == []
        assert listed(store, Filter(ids=(refused[1].id, 999))) == [refused[1]]
        assert listed(store, Filter(ids=(letter.id,), output="siem")) == []
        assert store.count_letters(Filter(output="siem")) == 2
        many = tuple(range(1, 40_000))
        assert len(listed(store, Filter(ids=many))) == 3


def test_dropping_takes_out_what_fits(state: SqliteState) -> None:
    """And only that; a person's drop is not counted as a loss for want of room."""
    with closing(opened(state)) as store:
        store.commit(commit(batch("siem"), letters=[unreadable()]))
        refuse(store, "siem", 0, 1)
        store.drop_letters(Filter(output="siem"))
        assert [each.output for each in listed(store)] == [None]
        assert sum(each.dropped for each in store.letter_totals()) == 0


def test_the_oldest_are_deleted_and_counted(state: SqliteState) -> None:
    """The bytes never exceed the bound, and each loss is counted where it happened."""
    with closing(opened(state, letter_bytes=1000)) as store:
        for number in range(20):
            store.commit(commit(letters=[unreadable(b"%0100d" % number)]))
            kept = sum(each.size for each in listed(store))
            assert kept == min(number + 1, 10) * 100
        raws = [store.dead_letter(each.id) for each in listed(store)]
        assert raws == [b"%0100d" % number for number in range(10, 20)]
        assert store.letter_totals() == [
            Totals(
                source=SOURCE,
                output=None,
                records=10,
                bytes=1000,
                dropped=10,
                dropped_bytes=1000,
            )
        ]


def test_refused_records_are_bounded_too(state: SqliteState) -> None:
    """In the transaction of the confirmation that keeps them."""
    with closing(opened(state, letter_bytes=20)) as store:
        store.commit(commit(batch("siem", lines=6)))
        refuse(store, "siem", *range(6))
        assert [store.dead_letter(each.id) for each in listed(store)] == [b'{"n":4}', b'{"n":5}']
        (totals,) = store.letter_totals()
        assert (totals.output, totals.records, totals.dropped) == ("siem", 2, 4)


def test_the_log_warns_before_any_is_lost_and_tells_each_loss(state: SqliteState) -> None:
    """Once for the same state of things, with what to do."""
    log = MemoryLog()
    with closing(opened(state, letter_bytes=1000)) as store:
        watch = LetterWatch(store, 1000, log)
        for count, warnings, errors in ((7, 0, 0), (2, 1, 0), (0, 1, 0), (3, 1, 1), (0, 1, 1)):
            store.commit(commit(letters=[unreadable(bytes(100))] * count))
            watch.look()
            assert (len(log.texts("WARNING")), len(log.texts("ERROR"))) == (warnings, errors)
        assert "2 oldest dead letters were deleted" in log.texts("ERROR")[0]
        store.drop_letters(EVERY)
        watch.look()
    watch.look()
    assert "213" in log.texts("ERROR")[-1]


def test_one_letter_over_the_bound_is_kept_alone(state: SqliteState) -> None:
    """The newest is never dropped for its size: somebody has to see it."""
    with closing(opened(state, letter_bytes=100)) as store:
        store.commit(commit(letters=[unreadable(b"small")]))
        store.commit(commit(letters=[unreadable(bytes(5000))]))
        assert [each.size for each in listed(store)] == [5000]
        store.commit(commit(letters=[unreadable(b"next")]))
        assert [each.size for each in listed(store)] == [4]


def test_a_look_beside_a_running_collector(state: SqliteState) -> None:
    """The report needs no lock, and says what is there as JSON, too."""
    with closing(opened(state, letter_bytes=100)) as store:
        store.commit(commit(letters=[unreadable(b"x" * 90), unreadable(b"\x1b[31m")]))
        store.commit(commit(letters=[unreadable(b"y" * 90)]))
        report = LetterReport.read(state.folder, EVERY, 1)
        assert (len(report.letters), report.count, report.dropped) == (1, 2, 1)
        assert msgspec.json.decode(msgspec.json.encode(report.as_dict())) == report.as_dict()
        letter, raw = letter_report.one(state.folder, report.letters[0].id)
        assert (letter.reason, raw) == ("not JSON", b"\x1b[31m")
        with pytest.raises(StateError, match=r"221.*no dead letter 999"):
            letter_report.one(state.folder, 999)


def test_a_damaged_letter_is_not_shown(state: SqliteState) -> None:
    """Bytes that are not as they were kept are no evidence."""
    with closing(opened(state)) as store:
        store.commit(commit(letters=[unreadable()]))
        state.run("UPDATE dead_letter SET raw = x'00'")
        with pytest.raises(StateError, match=r"205.*dead_letter"):
            store.dead_letter(1)
