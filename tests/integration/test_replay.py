"""Replaying dead letters: what becomes of each, in the spool, in the ledger and in the index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.app.inputs import reader
from collector.app.replay import Replay, Replayed
from collector.core import ledger
from collector.core.checkpoint import started
from collector.core.ledger import Account, Entry
from collector.core.model import Batch, Counts, Micros, Page, Refusal, Window
from collector.core.stats import PullStats
from collector.core.store import Commit, DeadLetter
from collector.core.times import HOUR
from collector.persistence.letters import Filter
from collector.persistence.sqlite import SqliteStore
from collector.pullers.intake import Intake
from tests.fakes.config import MINIMAL, changed, settings
from tests.fakes.pulls import as_json, message
from tests.fakes.stores import START, SqliteState

EVERY = Filter()
NOW = START + 5 * HOUR
POD, ALERTS, EVENTS = "pod#message", "casb#alerts", "casb#events"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store in which all services have started."""
    state = SqliteState(tmp_path / "state")
    state.clock.advance((NOW - START) / 1_000_000)
    opened = state.open()
    for source in (POD, ALERTS, EVENTS):
        opened.commit(Commit(source=source, checkpoint=started(START), observed=START))
    yield opened
    opened.close()


def keep(store: SqliteStore, raw: bytes, source: str = POD, hour: Micros = START) -> None:
    """Bytes that could not be read, counted in an hour, as a pull keeps them."""
    letter = DeadLetter(source=source, tag="t", reason="r", raw=raw, observed=START, hour=hour)
    counts = Counts(received=1, dead_lettered=1)
    store.commit(
        Commit(
            source=source,
            checkpoint=started(START),
            observed=START,
            entries=[Entry(span=Window(hour, hour + HOUR), counts=counts)],
            dead_letters=[letter],
        )
    )


def replay(
    store: SqliteStore, wanted: Filter = EVERY, document: dict[str, Any] | None = None
) -> Replayed:
    """Replay them under the small configuration, or another one."""
    found = settings(document or changed("globals.id", "4711"))
    clock = SqliteState(Path()).clock
    clock.advance((NOW - START) / 1_000_000)
    return Replay(found, store, clock).run(wanted)


def records(store: SqliteStore) -> list[dict[str, Any]]:
    """The records that wait for the output."""
    batches = store.spool.take("archive", "standard", 0, 1 << 24)
    return [json.loads(line) for batch in batches for line in batch.lines()]


def row(store: SqliteStore, source: str, hour: Micros) -> Account:
    """A row of the ledger."""
    return store.account(source, Window(hour, hour + HOUR))


def left(store: SqliteStore) -> int:
    """How many dead letters there are."""
    return store.count_letters(EVERY)


def test_what_reads_now_is_delivered(store: SqliteStore) -> None:
    """A PoD record goes through today's reader, with metadata that says how it came."""
    keep(store, message(1, START + 2 * HOUR))
    done = replay(store)
    assert (done.letters, done.records, done.repeats, done.left) == (1, 1, 0, 0)
    (record,) = records(store)
    assert record["guid"] == "g-1"
    assert record["@collector"]["mode"] == "replay"
    assert record["@collector"]["event_id"] == "g-1"
    assert left(store) == 0


def test_the_ledger_counts_it_where_it_belongs(store: SqliteStore) -> None:
    """Dead in one hour no more, spooled in the hour of its own time: both rows add up."""
    keep(store, message(1, START + 2 * HOUR))
    assert row(store, POD, START).counts == Counts(received=1, dead_lettered=1)
    replay(store)
    assert row(store, POD, START).counts == Counts()
    assert row(store, POD, START + 2 * HOUR).counts == Counts(received=1, spooled=1)


def test_the_same_hour_is_one_row(store: SqliteStore) -> None:
    """Received stays what it was."""
    keep(store, message(1, START + 1))
    replay(store)
    assert row(store, POD, START).counts == Counts(received=1, spooled=1)


def test_an_hour_that_was_forgotten_is_not_charged(store: SqliteStore) -> None:
    """After a reset there is no row that counted the letter; none goes below nothing."""
    keep(store, message(1, START + 2 * HOUR))
    store.reset(POD, started(START), NOW, "test")
    replay(store)
    assert row(store, POD, START).counts == Counts()
    assert row(store, POD, START + 2 * HOUR).counts == Counts(received=1, spooled=1)


def test_a_record_that_came_since_is_not_delivered_twice(store: SqliteStore) -> None:
    """Known ids are known: the letter is settled, the record is a repeat."""
    for _ in range(2):
        keep(store, message(1, START))
    done = replay(store)
    assert (done.letters, done.records, done.repeats) == (2, 1, 1)
    assert len(records(store)) == 1
    assert row(store, POD, START).counts == Counts(received=2, spooled=1, duplicate=1)


def test_what_is_unreadable_still_stays(store: SqliteStore) -> None:
    """With the reason of today; nothing else changes."""
    keep(store, b"\xff{")
    keep(store, b"  ")
    done = replay(store)
    assert (done.letters, done.left) == (0, 2)
    assert "not JSON" in done.reasons[0]
    assert "holds no record" in done.reasons[1]
    assert left(store) == 2
    assert row(store, POD, START).counts == Counts(received=2, dead_lettered=2)


@pytest.mark.parametrize(
    ("source", "field", "record"),
    [
        (ALERTS, "alerts", {"id": "1", "timestamp": START // 1000, "related_events": [{"a": 1}]}),
        (EVENTS, "content", {"eventId": "1", "timestamp": "2026-01-01T00:00:00Z"}),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_casb_records_alone_and_as_whole_answers(
    store: SqliteStore, source: str, field: str, record: dict[str, Any], *, whole: bool
) -> None:
    """An answer that could not be cut is cut by today's rules; a record alone is one."""
    keep(store, as_json({field: [record]} if whole else record), source)
    assert replay(store).records == 1
    assert records(store)[0]["@collector"]["service"] == source.partition("#")[2]


def refused(store: SqliteStore, output: str = "archive") -> None:
    """A record that an output refused."""
    batch = Batch(
        source=POD,
        tag="t",
        lane="standard",
        mode="live",
        count=1,
        body=b'{"n":1}\n',
        first=START,
        last=START,
        outputs=(output,),
        hours=((START // HOUR, 1),),
    )
    store.commit(Commit(source=POD, checkpoint=started(START), observed=START, batches=[batch]))
    (taken,) = store.spool.take(output, "standard", 0, 1)
    refusal = Refusal(batch=taken.id, index=0, raw=b'{"n":1}', reason="HTTP 400")
    store.spool.confirm(output, "standard", [taken.id], [refusal], None)


def test_a_refused_record_is_sent_again_as_it_was(store: SqliteStore) -> None:
    """Byte for byte, for the output that refused it."""
    refused(store)
    done = replay(store)
    assert (done.letters, done.records, done.left) == (1, 1, 0)
    assert records(store) == [{"n": 1}]


def test_an_output_that_is_gone(store: SqliteStore) -> None:
    """Its records stay, and it is named."""
    refused(store, "lake")
    done = replay(store)
    assert (done.letters, done.left) == (0, 1)
    assert "lake" in done.reasons[0]
    assert left(store) == 1


def test_a_service_that_is_gone_or_has_no_state(store: SqliteStore) -> None:
    """There is nobody to read it, and nowhere to count it."""
    keep(store, message(1, START), "other#message")
    keep(store, message(1, START), "pod#audit")
    done = replay(store)
    assert (done.letters, done.left, left(store)) == (0, 2, 2)


def test_only_those_that_were_chosen(store: SqliteStore) -> None:
    """By the same filters that the list has."""
    keep(store, message(1, START))
    keep(store, message(2, START))
    assert replay(store, Filter(ids=(2,))).letters == 1
    assert records(store)[0]["guid"] == "g-2"
    assert left(store) == 1


def test_a_full_spool_stops_the_replay(store: SqliteStore) -> None:
    """What does not fit stays dead, and it is said."""
    for number in range(3):
        keep(store, message(number, START, text="x" * 400_000))
    small = changed("globals.spool", {"max_bytes": 1024 * 1024})
    done = replay(store, document=small)
    assert done.full
    assert (done.letters, left(store)) == (2, 1)
    assert store.spool.size <= 1024 * 1024


def test_many_are_replayed_in_order(store: SqliteStore) -> None:
    """More than are looked at together; reasons are told for some, counted for all."""
    for number in range(450):
        keep(store, message(number, START) if number % 3 else b"[]")
    done = replay(store)
    assert (done.letters, done.left, len(done.reasons)) == (300, 150, 20)
    guids = [record["guid"] for record in records(store)]
    assert guids == [f"g-{number}" for number in range(450) if number % 3]
    assert row(store, POD, START).counts.balanced()
    assert row(store, POD, START).digest != ledger.total([])


REFUSING = {"type": "filter", "condition": "record.no == 1", "on_error": "dead_letter"}
PIPED = changed("pipelines", {"strict": {"steps": [REFUSING]}})
PIPED["inputs"]["pod"]["pipelines"] = ["strict"]
HOUR_OF_IT = Window(START + 2 * HOUR, START + 3 * HOUR)


def read_hour(store: SqliteStore, document: dict[str, Any]) -> PullStats:
    """The archive hour of a record is read, by these settings."""
    found = reader(settings(document), POD)
    checkpoint = store.checkpoint(POD)
    assert found is not None
    assert checkpoint is not None
    source, to = found
    clock = SqliteState(Path()).clock
    intake = Intake(store, source, to, checkpoint, clock)
    raws = [message(1, HOUR_OF_IT.start), message(2, HOUR_OF_IT.end + 5)]
    page = Page(events=[event for raw in raws for event in source.reread(raw).events])
    return intake.take(page, mode="archive", pulling_id="1", counted_in=HOUR_OF_IT)


def test_one_event_is_one_letter(store: SqliteStore) -> None:
    """However often its hour is read: then it is a repeat, as a delivered one would be."""
    for _ in range(3):
        read_hour(store, PIPED)
    assert left(store) == 2
    counts = row(store, POD, HOUR_OF_IT.start).counts
    assert counts == Counts(received=6, duplicate=4, dead_lettered=2)


def test_a_letter_of_a_pipeline_is_delivered_though_it_is_known(store: SqliteStore) -> None:
    """Once the pipeline takes it; in the row that counted it, and only once."""
    read_hour(store, PIPED)
    before = row(store, POD, HOUR_OF_IT.start)
    done = replay(store)
    assert (done.letters, done.records, done.repeats, done.left) == (2, 2, 0, 0)
    assert [record["guid"] for record in records(store)] == ["g-1", "g-2"]
    after = row(store, POD, HOUR_OF_IT.start)
    assert after.counts == Counts(received=2, spooled=2)
    assert after.digest == before.digest
    assert (read_hour(store, MINIMAL).duplicates, len(records(store))) == (2, 2)


def test_a_letter_that_the_pipeline_still_refuses(store: SqliteStore) -> None:
    """It stays one letter, which can be tried again."""
    read_hour(store, PIPED)
    before = row(store, POD, HOUR_OF_IT.start)
    for _ in range(2):
        done = replay(store, document=PIPED)
        assert (done.letters, done.left, left(store)) == (0, 2, 2)
        after = row(store, POD, HOUR_OF_IT.start)
        assert (after.counts, after.digest) == (before.counts, before.digest)
    assert replay(store).letters == 2
    assert len(records(store)) == 2


def test_after_a_reset_a_letter_is_an_event_like_any_other(store: SqliteStore) -> None:
    """Its id was forgotten: what was read again since is not delivered once more."""
    read_hour(store, PIPED)
    store.reset(POD, started(START), NOW, "test")
    read_hour(store, MINIMAL)
    done = replay(store)
    assert (done.letters, done.records, done.repeats) == (2, 0, 2)
    assert len(records(store)) == 2


def test_a_dropped_letter_is_given_up_for_good(store: SqliteStore) -> None:
    """The next reading of its hour does not bring it back."""
    read_hour(store, PIPED)
    store.drop_letters(EVERY)
    assert read_hour(store, PIPED).duplicates == 2
    assert left(store) == 0
