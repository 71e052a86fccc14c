"""What is done with the records of a page before they are delivered."""

from __future__ import annotations

import json

from collector.core import ledger
from collector.core.dedup import digest
from collector.core.known import Known
from collector.core.model import Counts, Event, Page
from collector.core.stats import PullStats
from collector.core.times import HOUR
from collector.core.work import Outcome, piped
from collector.pullers.reading import Comparison
from tests.fakes.pulls import SOURCE_ID, START, Bench, hours
from tests.fakes.sources import messages


def odd_ones_out(record: bytes) -> Outcome:
    """A pipeline: drops number 1, cannot do number 2, doubles number 3, and flags number 4."""
    match json.loads(record)["n"]:
        case 1:
            return Outcome([])
        case 2:
            return Outcome([], ("add_failed",), "add: no such field")
        case 3:
            return Outcome([record, record])
        case 4:
            return Outcome([record], ("not_utf8",))
        case _:
            return Outcome([record])


EVENTS = [Event(f"id-{n}", START, b'{"n":%d}' % n) for n in range(5)]


def known() -> Known:
    """An index that knows nothing."""
    return Known(lambda _slot: ())


def test_each_event_goes_one_way() -> None:
    """Delivered, filtered or kept aside; whatever became of it, it is known from then on."""
    worked = piped(known().fresh(EVENTS), lambda each: [each.raw], odd_ones_out)
    lines = list(worked.lines)
    assert [(each.id, len(records)) for each, records in lines] == [
        ("id-0", 1),
        ("id-3", 2),
        ("id-4", 1),
    ]
    assert [each.id for each in worked.filtered] == ["id-1"]
    assert [(each.event.id, each.reason) for each in worked.dead] == [
        ("id-2", "add: no such field")
    ]
    assert [each.digest for each in worked.dead] == [digest(EVENTS[2])]
    assert worked.fresh.events == EVENTS
    assert sum(map(len, worked.fresh.slots.values())) == len(worked.fresh.digests) == 5


def test_what_was_repaired_keeps_its_original() -> None:
    """A pipeline decodes what the fast way never looks into."""
    lines = list(piped(known().fresh(EVENTS), lambda each: [each.raw], odd_ones_out).lines)
    repaired = lines[-1][0]
    assert (repaired.flags, repaired.original) == (("not_utf8",), b'{"n":4}')


def test_an_event_is_kept_aside_as_a_whole() -> None:
    """When one of its flat records cannot go through, none of them is delivered."""
    flat = [b'{"n":0}', b'{"n":2}']
    worked = piped(known().fresh(EVENTS[:1]), lambda _each: flat, odd_ones_out)
    assert (list(worked.lines), len(worked.dead)) == ([], 1)


def bench() -> Bench:
    """A service with that pipeline, after one page of an archive hour."""
    made = Bench(messages(), START, pipeline=odd_ones_out)
    take(made)
    return made


def take(made: Bench) -> PullStats:
    """The page comes."""
    page = Page(events=EVENTS)
    return made.intake.take(page, mode="archive", pulling_id="1", counted_in=hours(0, 1))


def test_the_ledger_adds_up() -> None:
    """Received is spooled, filtered and dead-lettered, to one."""
    made = bench()
    row = made.intake.account(hours(0, 1))
    assert row.counts == Counts(received=5, spooled=3, filtered=1, dead_lettered=1)
    assert row.counts.balanced()
    assert row.state == ledger.OPEN
    assert [entry["n"] for entry in made.store.records()] == [0, 3, 3, 4]


def test_a_page_that_comes_again() -> None:
    """All of it is known: one event is one dead letter, however often it is read."""
    made = bench()
    for _ in range(3):
        made.restart()
        stats = take(made)
        assert (stats.duplicates, stats.generated, stats.filtered, stats.rejected) == (5, 0, 0, 0)
    assert len(made.store.letters) == 1
    assert made.store.letters[0].event == digest(EVENTS[2])
    row = made.intake.account(hours(0, 1))
    expected = Counts(received=20, spooled=3, duplicate=15, filtered=1, dead_lettered=1)
    assert row.counts == expected


def test_a_letter_counts_in_the_hour_of_its_event() -> None:
    """So that a replay can take it out of the row that counted it."""
    made = Bench(messages(), START + HOUR, pipeline=odd_ones_out)
    made.intake.take(Page(events=EVENTS[2:3]), mode="live", pulling_id="1")
    (letter,) = made.store.letters
    assert (letter.hour, letter.raw, letter.reason) == (START, b'{"n":2}', "add: no such field")


def test_dead_letters_hold_what_came() -> None:
    """Bytes that were repaired with loss are kept aside as they were before."""
    bench = Bench(messages(), START + HOUR, pipeline=odd_ones_out)
    repaired = Event("id-2", START, b'{"n":2,"x":"\xef\xbf\xbd"}', original=b'{"n":2,"x":"\xff"}')
    bench.intake.take(Page(events=[repaired]), mode="archive", pulling_id="1")
    assert [letter.raw for letter in bench.store.letters] == [b'{"n":2,"x":"\xff"}']


def compared(*events: Event) -> ledger.Entry:
    """The verdict on the hour when the vendor has these events and their ids are gone."""
    row = bench().intake.account(hours(0, 1))
    comparison = Comparison()
    comparison.add(events)
    return comparison.verdict(row)


def test_what_was_filtered_or_kept_aside_is_not_missing() -> None:
    """An hour is what it was when its events are, whatever the pipeline made of them."""
    assert compared(*reversed(EVENTS)).state == ledger.VERIFIED
    assert compared(*EVENTS, *EVENTS).state == ledger.VERIFIED


def test_what_is_really_missing_is() -> None:
    """One more or one less, or another in place of one; the row says what was taken."""
    other = Event("id-9", START, b"{}")
    for events in (EVENTS[:-1], [*EVENTS, other], [*EVENTS[:-1], other]):
        found = compared(*events)
        assert found.state == ledger.PARTIAL
        assert found.reason is not None
        assert "3 delivered, 1 filtered, 1 kept aside" in found.reason


def test_an_hour_of_dead_letters_alone() -> None:
    """Its ids are kept, and forgotten, like those of any other."""
    made = Bench(messages(), START, pipeline=odd_ones_out)
    made.intake.take(
        Page(events=EVENTS[2:3]), mode="archive", pulling_id="1", counted_in=hours(0, 1)
    )
    assert not made.intake.has_forgotten(made.intake.account(hours(0, 1)))
    made.store.forget(SOURCE_ID)
    assert made.intake.has_forgotten(made.intake.account(hours(0, 1)))
