"""Replaying dead letters: what becomes of each, in the spool, in the ledger and in the index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.app.inputs import reader
from collector.app.replay import Replay, Replayed
from collector.core import ledger
from collector.core.checkpoint import started
from collector.core.ledger import Account, Entry
from collector.core.model import (
    NO_TIME,
    Batch,
    Counts,
    Micros,
    Page,
    Refusal,
    Request,
    Response,
    Window,
)
from collector.core.stats import PullStats
from collector.core.store import Commit, DeadLetter
from collector.core.times import HOUR
from collector.persistence.letters import Filter
from collector.persistence.sqlite import SqliteStore
from collector.pullers.base import Source
from collector.pullers.framed import Arrival
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


def test_a_letter_without_a_time_was_never_in_the_digest(store: SqliteStore) -> None:
    """It is delivered, and the row can be compared as before."""
    source, intake = opened(store, PIPED, POD)
    page = source.reread(b'{"guid":"g-1"}')
    intake.take(page, mode="archive", pulling_id="1", counted_in=HOUR_OF_IT)
    before = row(store, POD, HOUR_OF_IT.start)
    assert (before.counts, before.digest) == (Counts(received=1, dead_lettered=1), 0)
    assert replay(store).records == 1
    after = row(store, POD, HOUR_OF_IT.start)
    assert (after.counts, after.digest) == (Counts(received=1, spooled=1), 0)


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


def take_hour(store: SqliteStore, document: dict[str, Any], *numbers: int) -> PullStats:
    """Records of the hour are read, by these settings."""
    _source, intake = opened(store, document, POD)
    return intake.take(hour_of(*numbers), mode="archive", pulling_id="1", counted_in=HOUR_OF_IT)


def opened(store: SqliteStore, document: dict[str, Any], name: str) -> tuple[Source, Intake]:
    """A source under these settings, and its committed side."""
    found = reader(settings(document), name)
    checkpoint = store.checkpoint(name)
    assert found is not None
    assert checkpoint is not None
    source, to = found
    return source, Intake(store, source, to, checkpoint, SqliteState(Path()).clock)


def hour_of(*numbers: int) -> Page:
    """A page of records of the hour."""
    read = reader(settings(MINIMAL), POD)
    assert read is not None
    raws = [message(number, HOUR_OF_IT.start + number) for number in numbers]
    return Page(events=[event for raw in raws for event in read[0].reread(raw).events])


def forgotten(store: SqliteStore) -> bool:
    """Whether the ids of the hour are gone."""
    return opened(store, MINIMAL, POD)[1].has_forgotten(row(store, POD, HOUR_OF_IT.start))


def test_a_letter_of_a_forgotten_hour_leaves_it_forgotten(store: SqliteStore) -> None:
    """Else the next reading of the hour would take all the others for new."""
    take_hour(store, PIPED, 1)
    take_hour(store, MINIMAL, 2, 3)
    before = row(store, POD, HOUR_OF_IT.start)
    store.forget(POD, 1 << 60, 1 << 40)
    assert forgotten(store)
    assert replay(store).records == 1
    assert forgotten(store)
    after = row(store, POD, HOUR_OF_IT.start)
    assert (after.counts, after.digest) == (Counts(received=3, spooled=3), before.digest)


def test_an_unreadable_letter_of_a_forgotten_hour(store: SqliteStore) -> None:
    """It is known from now on, and its hour is forgotten none the less."""
    take_hour(store, MINIMAL, 2, 3)
    store.forget(POD, 1 << 60, 1 << 40)
    for _ in range(2):
        keep(store, message(1, HOUR_OF_IT.start + 1))
    done = replay(store)
    assert (done.records, done.repeats) == (1, 1)
    assert forgotten(store)


def test_a_letter_from_before_a_reset_takes_nothing_off_a_row(store: SqliteStore) -> None:
    """The letter that its hour has got since is the one that counts there."""
    read_hour(store, PIPED)
    store.reset(POD, started(START), NOW, "test")
    read_hour(store, PIPED)
    before = row(store, POD, HOUR_OF_IT.start)
    old = store.dead_letters(EVERY, 0, 2)
    assert [each.hour for each in old] == [NO_TIME, NO_TIME]
    done = replay(store, Filter(ids=tuple(each.id for each in old)))
    assert (done.letters, done.records, done.repeats, left(store)) == (2, 0, 2, 2)
    counts = row(store, POD, HOUR_OF_IT.start).counts
    assert counts == Counts(received=3, duplicate=1, dead_lettered=2)
    assert replay(store).records == 2
    after = row(store, POD, HOUR_OF_IT.start)
    assert after.counts == Counts(received=3, spooled=2, duplicate=1)
    assert after.digest == before.digest


def test_a_count_that_went_with_another_letter(store: SqliteStore) -> None:
    """An earlier release took it off; the digest of the event is still there only once."""
    take_hour(store, PIPED, 1)
    before = row(store, POD, HOUR_OF_IT.start)
    less = Entry(span=HOUR_OF_IT, counts=Counts(received=-1, dead_lettered=-1))
    store.commit(Commit(source=POD, checkpoint=started(START), observed=START, entries=[less]))
    replay(store)
    after = row(store, POD, HOUR_OF_IT.start)
    assert (after.counts, after.digest) == (Counts(received=1, spooled=1), before.digest)


def test_a_refused_record_counts_in_no_row_after_a_reset(store: SqliteStore) -> None:
    """The row in which it was is gone."""
    refused(store)
    store.reset(POD, started(START), NOW, "test")
    (letter,) = store.dead_letters(EVERY, 0, 9)
    assert letter.hour == NO_TIME
    assert replay(store).records == 1


PIPED_CASB = changed("pipelines", {"strict": {"steps": [REFUSING]}})
PIPED_CASB["inputs"]["casb"]["pipelines"] = ["strict"]
EVENT = {"eventId": "1", "timestamp": "2026-01-01T00:00:00Z"}
ALERT = {"id": "1", "timestamp": START // 1000}


@pytest.mark.parametrize(
    ("name", "field", "record"),
    [
        (EVENTS, "content", {**EVENT, "content": [{**EVENT, "eventId": "2"}]}),
        (EVENTS, "content", {**EVENT, "content": []}),
        (EVENTS, "content", {**EVENT, "content": ["text"]}),
        (ALERTS, "alerts", {**ALERT, "alerts": [{**ALERT, "id": "9"}]}),
    ],
)
@pytest.mark.parametrize("reset", [False, True])
def test_an_event_that_holds_what_looks_like_a_page(
    store: SqliteStore, name: str, field: str, record: dict[str, Any], *, reset: bool
) -> None:
    """It is the event that it was, not what is in it; also after a reset."""
    source, intake = opened(store, PIPED_CASB, name)
    page = source.reread(as_json({field: [record]}))
    assert len(page.events) == 1
    intake.take(page, mode="archive", pulling_id="1")
    if reset:
        store.reset(name, started(START), NOW, "test")
    done = replay(store)
    assert (done.letters, done.records, left(store)) == (1, 1, 0)
    (delivered,) = records(store)
    delivered.pop("@collector")
    assert delivered == record


VECTOR = {"tag": "vector", "codec": "native_json", "framing": {"method": "none"}}
STREAM = "sensor#stream"


def stream(**service: Any) -> dict[str, Any]:
    """A configuration with a WebSocket input whose pipeline keeps aside what is not no. 1."""
    document = changed("pipelines", {"strict": {"steps": [REFUSING]}})
    document["inputs"]["sensor"] = {
        "type": "websocket",
        "uri": "wss://stream.example.com/",
        "pipelines": ["strict"],
        "services": {"stream": {**VECTOR, **service}},
    }
    return document


def heard(store: SqliteStore, document: dict[str, Any], frame: bytes) -> None:
    """A frame of the stream came an hour after the start, and was taken."""
    store.commit(Commit(source=STREAM, checkpoint=started(START), observed=START))
    source, intake = opened(store, document, STREAM)
    request = Request(method="GET", url="wss://stream.example.com/")
    arrival = msgspec.msgpack.encode(Arrival(frame, START + HOUR, "s", 7))
    page = source.read(Response(request=request, status=101, messages=[arrival]))
    intake.take(page, mode="live", pulling_id="1")


def without_pipeline(document: dict[str, Any]) -> dict[str, Any]:
    """The same configuration with nothing between stream and spool."""
    mended = deepcopy(document)
    del mended["inputs"]["sensor"]["pipelines"]
    return mended


@pytest.mark.parametrize("reset", [False, True])
def test_an_event_of_a_stream_keeps_its_time_and_its_row(
    store: SqliteStore, *, reset: bool
) -> None:
    """Though the time is that of its arrival, and no session gives its id once more."""
    document = stream()
    heard(store, document, b'{"log":{"text":"x"}}')
    before = row(store, STREAM, START + HOUR)
    if reset:
        store.reset(STREAM, started(START), NOW, "test")
    assert replay(store, document=without_pipeline(document)).records == 1
    (record,) = records(store)
    assert record["text"] == "x"
    assert record["@collector"]["event_time"] == "2026-01-01T01:00:00Z"
    after = row(store, STREAM, START + HOUR)
    assert after.counts == Counts(received=1, spooled=1)
    assert reset or after.digest == before.digest


def test_bytes_that_are_no_utf8_still_say_so(store: SqliteStore) -> None:
    """The flag of a message in base64 goes with it."""
    document = stream(codec="raw")
    heard(store, document, b"h\xff")
    assert replay(store, document=without_pipeline(document)).records == 1
    assert records(store)[0]["@collector"]["flags"] == ["base64"]


def test_an_event_that_is_several_now(store: SqliteStore) -> None:
    """Under another codec; it was counted as one, and stays until it is read as one."""
    document = stream(codec="json")
    heard(store, document, b'[[{"log":{"a":"\xff"}},{"log":{"a":1}}]]')
    done = replay(store, document=without_pipeline(stream()))
    assert (done.letters, done.left, left(store)) == (0, 1, 1)
    assert "several" in done.reasons[0]
    assert replay(store, document=without_pipeline(document)).records == 1


def unmarked(store: SqliteStore, raw: bytes, reason: str) -> None:
    """A letter of an earlier release, which did not say whether it was an event."""
    store.commit(
        Commit(
            source=STREAM,
            checkpoint=started(START),
            observed=START,
            dead_letters=[
                DeadLetter(source=STREAM, tag="t", reason=reason, raw=raw, observed=START)
            ],
        )
    )


def test_an_event_kept_aside_by_an_earlier_release(store: SqliteStore) -> None:
    """What the codec had made is no frame of its own, and is taken as what it is."""
    unmarked(store, b'{"text":"x"}', "filter: no such field")
    assert replay(store, document=without_pipeline(stream())).records == 1
    assert records(store)[0]["text"] == "x"


def test_what_the_codec_refused_is_refused_still(store: SqliteStore) -> None:
    """For the same reason as then: it never was an event."""
    document = without_pipeline(stream())
    heard(store, document, b'{"text":"x"}')
    done = replay(store, document=document)
    assert (done.letters, done.left) == (0, 1)
    assert "no event of Vector's" in done.reasons[0]
