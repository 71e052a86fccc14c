"""Bytes that hold no record, given again: counted as repeats, kept aside once."""

from __future__ import annotations

import pytest

from collector.core import rejects
from collector.core.model import Counts, Micros, Page, Rejected
from collector.core.rejects import MOST_A_DAY, KnownRejects
from collector.core.times import DAY, HOUR
from collector.core.work import Aside
from tests.fakes.pulls import SOURCE_ID, START, Bench, event, hours
from tests.fakes.sources import alerts
from tests.fakes.store import Crash

NOW = START + 5 * HOUR
ODD = Rejected(b"{", "not JSON: it ends early")
OTHER = Rejected(b"}", "not JSON: it begins with a brace")


@pytest.fixture
def bench() -> Bench:
    """A bench with the alerts source."""
    return Bench(alerts(), NOW)


def take(bench: Bench, *rejected: Rejected, mode: str = "live") -> Counts:
    """Commit a page of one readable record and these; what the ledger says in all."""
    page = Page(events=[event(1)], rejected=list(rejected))
    counted = hours(0, 1) if mode == "archive" else None
    bench.intake.take(page, mode=mode, pulling_id="1", counted_in=counted)
    return bench.store.totals(SOURCE_ID)


def kept(bench: Bench) -> list[bytes]:
    """What lies aside."""
    return [letter.raw for letter in bench.store.letters]


def test_live_and_then_the_archive(bench: Bench) -> None:
    """One letter for both, and the account adds up: the second time is a duplicate."""
    take(bench, ODD)
    bench.restart()
    total = take(bench, ODD, OTHER, mode="archive")
    assert kept(bench) == [ODD.raw, OTHER.raw]
    assert total == Counts(received=5, spooled=1, duplicate=2, dead_lettered=2)
    archived = bench.intake.account(hours(0, 1)).counts
    assert archived == Counts(received=4, spooled=1, duplicate=2, dead_lettered=1)


def test_a_page_of_repeats_alone(bench: Bench) -> None:
    """It is accounted for, though it brings neither a record nor a letter."""
    bench.intake.take(Page(events=[], rejected=[ODD]), mode="live", pulling_id="1")
    stats = bench.intake.take(Page(events=[], rejected=[ODD]), mode="live", pulling_id="1")
    assert (stats.received, stats.duplicates, stats.rejected) == (1, 1, 0)
    assert bench.store.totals(SOURCE_ID) == Counts(received=2, duplicate=1, dead_lettered=1)


def test_twice_in_one_page(bench: Bench) -> None:
    """Nobody can tell two that are the same from one that is repeated."""
    assert take(bench, ODD, ODD, OTHER).duplicate == 1
    assert kept(bench) == [ODD.raw, OTHER.raw]


def test_the_same_beginning_of_two_lengths(bench: Bench) -> None:
    """Where only the beginning is kept, the length in the reason tells them apart."""
    take(bench, Rejected(b"same", "larger than 9 (11 > 9)"), Rejected(b"same", "larger (12 > 9)"))
    assert kept(bench) == [b"same", b"same"]


def test_an_unreadable_page_again_and_again(bench: Bench) -> None:
    """Whatever the vendor says at every pull for a week is kept once."""
    for _ in range(7 * 24):
        bench.intake.keep_aside(b"<html>", "not JSON")
        bench.clock.sleep(3600.0)
    assert kept(bench) == [b"<html>"]
    assert bench.store.totals(SOURCE_ID) == Counts(received=168, duplicate=167, dead_lettered=1)


@pytest.mark.parametrize(("later", "letters"), [(DAY - HOUR, 1), (2 * DAY, 2)])
def test_known_for_the_day_and_the_next(bench: Bench, later: Micros, letters: int) -> None:
    """After that the bytes are kept again."""
    take(bench, ODD)
    bench.wake(NOW + later)
    take(bench, ODD)
    assert len(kept(bench)) == letters


def test_a_lost_commit_makes_nothing_known(bench: Bench) -> None:
    """What was not stored is no repeat when it comes again."""
    bench.store.crash_before = 0
    with pytest.raises(Crash):
        take(bench, ODD)
    bench.store.crash_before = None
    assert take(bench, ODD).dead_lettered == 1


def test_readable_records_load_nothing() -> None:
    """No stored digest is looked at before something unreadable comes."""
    asked: list[int] = []

    def load(slot: int) -> list[bytes]:
        asked.append(slot)
        return []

    known = KnownRejects(load)
    assert known.fresh((), NOW) == Aside()
    assert asked == []
    known.fresh([ODD], NOW)
    assert asked == [rejects.slot(NOW), rejects.slot(NOW - DAY)]


def test_a_sender_that_repeats_nothing() -> None:
    """Equal bytes are different ones there."""
    known = KnownRejects(lambda _slot: (), repeated=False)
    assert known.fresh([ODD, ODD], NOW) == Aside([ODD, ODD])


def test_a_flood_of_rejects_is_bounded() -> None:
    """Beyond the bound of a day they are kept aside and not known; the next day begins anew."""
    known = KnownRejects(lambda _slot: ())
    flood = [Rejected(b"%d" % number, "not JSON") for number in range(MOST_A_DAY + 5)]
    found = known.fresh(flood, NOW)
    assert len(found.rejected) == len(flood)
    assert len(found.slots[rejects.slot(NOW)]) == MOST_A_DAY
    known.remember(found.slots)
    again = known.fresh(flood[-6:], NOW)
    assert (len(again.rejected), again.repeats, again.slots) == (5, 1, {})
    assert known.fresh(flood[-1:], NOW + DAY).slots
