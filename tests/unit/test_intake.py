"""Where every page goes through."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.core import checkpoint as rules
from collector.core import ledger
from collector.core.dedup import digest
from collector.core.ledger import Entry
from collector.core.model import NO_TIME, Counts, Page, Rejected, Window
from collector.core.times import HOUR
from tests.fakes.pulls import SOURCE_ID, START, Bench, event, hours
from tests.fakes.sources import alerts, events
from tests.fakes.store import Crash

NOW = START + 5 * HOUR


@pytest.fixture
def bench() -> Bench:
    """A bench with the alerts source."""
    return Bench(alerts(), NOW)


def take(bench: Bench, *numbers: int, **changed: Any) -> None:
    """Commit a page of numbered events."""
    page = Page(events=[event(n) for n in numbers])
    bench.intake.take(page, mode="window", pulling_id="1", **changed)


def test_a_page_is_one_commit(bench: Bench) -> None:
    """Records, ids, rejects, ledger and checkpoint go together."""
    stats = bench.intake.take(
        Page(
            events=[event(1), event(2), event(1)],
            rejected=[Rejected(b"}", "not JSON")],
        ),
        mode="window",
        pulling_id="1",
        move=lambda checkpoint: rules.completed(checkpoint, NOW),
    )
    assert bench.store.commits == 1
    assert bench.delivered() == ["id-1", "id-2"]
    assert (stats.received, stats.duplicates, stats.generated, stats.rejected) == (4, 1, 2, 1)
    assert bench.store.totals(SOURCE_ID) == Counts(
        received=4, spooled=2, duplicate=1, dead_lettered=1
    )
    (letter,) = bench.store.letters
    assert (letter.raw, letter.reason, letter.tag) == (b"}", "not JSON", bench.source.tag)
    assert letter.observed == NOW
    stored = bench.store.checkpoint(SOURCE_ID)
    assert stored == bench.checkpoint
    assert (stored.since, stored.last_ids) == (NOW, ("id-1", "id-2"))


def test_known_events_are_not_delivered_again(bench: Bench) -> None:
    """Neither in this process nor after a restart."""
    take(bench, 1, 2)
    take(bench, 2, 3)
    bench.restart()
    take(bench, 3, 1, 4)
    assert bench.delivered() == ["id-1", "id-2", "id-3", "id-4"]


def test_a_lost_commit_changes_nothing(bench: Bench) -> None:
    """After a failed commit the same page is new, and the checkpoint where it was."""
    bench.store.crash_before = 0
    with pytest.raises(Crash):
        take(bench, 1, move=lambda checkpoint: rules.completed(checkpoint, NOW))
    bench.store.crash_before = None
    assert bench.checkpoint.since == START
    take(bench, 1)
    assert bench.delivered() == ["id-1"]
    assert bench.intake.totals().received == 1


def test_counted_in_one_hour(bench: Bench) -> None:
    """What an archive hour gives is counted there."""
    take(bench, 1, counted_in=hours(3, 4))
    assert bench.intake.account(hours(3, 4)).counts.spooled == 1
    assert bench.intake.account(hours(0, 1)).counts.spooled == 0


def test_conclusions(bench: Bench) -> None:
    """What a move means for the ledger is concluded from before and after."""
    seen = []

    def conclude(before: rules.Checkpoint, after: rules.Checkpoint) -> list[Entry]:
        seen.append((before.since, after.since))
        return [Entry(span=hours(0, 1), state="complete")]

    take(bench, 1, move=lambda checkpoint: rules.completed(checkpoint, NOW), conclude=conclude)
    assert seen == [(START, NOW)]
    assert bench.store.states_of("complete") == {hours(0, 1)}


def test_advance(bench: Bench) -> None:
    """Moving the checkpoint alone is a commit, staying is none, unless there is news."""
    bench.intake.advance(lambda checkpoint: checkpoint)
    assert bench.store.commits == 0
    bench.intake.advance(lambda checkpoint: rules.completed(checkpoint, NOW))
    assert bench.store.checkpoint(SOURCE_ID) == bench.checkpoint
    bench.intake.advance(lambda checkpoint: checkpoint, [Entry(span=hours(0, 1), state="open")])
    assert bench.store.commits == 2


def test_keep_aside(bench: Bench) -> None:
    """Bytes that are no page are kept and counted in the hour in which they came."""
    bench.intake.keep_aside(b"<html>", "not JSON")
    assert [letter.raw for letter in bench.store.letters] == [b"<html>"]
    row = bench.intake.account(Window(NOW, NOW + HOUR))
    assert row.counts == Counts(received=1, dead_lettered=1)


def test_totals(bench: Bench) -> None:
    """The totals since the start are a copy."""
    take(bench, 1, 1)
    totals = bench.intake.totals()
    totals.received = 99
    assert bench.intake.totals().received == 2


def test_needed_from(bench: Bench) -> None:
    """Ids are needed an hour back from what is complete, and for every second look."""
    bench.stand_at(rules.taken(bench.checkpoint, [event(1, NOW)]))
    bench.stand_at(rules.completed(bench.checkpoint, NOW))
    assert bench.intake.needed_from() == NOW - HOUR
    bench.stand_at(rules.look_again(bench.checkpoint, hours(1, 2), NOW))
    assert bench.intake.needed_from() == START + HOUR
    bench.stand_at(rules.owing(bench.checkpoint, START, START + HOUR))
    assert bench.intake.needed_from() == START - HOUR


def test_ids_are_kept_for_what_a_source_asks_for_again() -> None:
    """A service that loses its cursor goes back in time: all that is there is known."""
    bench = Bench(events(cursor_lookback=7 * HOUR), NOW)
    bench.stand_at(rules.taken(bench.checkpoint, [event(1, NOW)]))
    bench.stand_at(rules.completed(bench.checkpoint, NOW))
    assert bench.intake.needed_from() == NOW - 7 * HOUR


def test_ids_around_the_newest_event_are_kept(bench: Bench) -> None:
    """However far ahead a wrong clock has brought the checkpoint, it goes back to there."""
    bench.stand_at(rules.completed(bench.checkpoint, NOW + 9000 * HOUR))
    assert bench.intake.needed_from() == START - HOUR


def test_forgotten_ids(bench: Bench) -> None:
    """An hour is forgotten when the ids of its events are gone, wherever those are kept."""
    assert not bench.intake.has_forgotten(bench.intake.account(hours(0, 1)))
    take(bench, 1, counted_in=hours(3, 4))
    timeless = Page(events=[event(2, NO_TIME)])
    bench.intake.take(timeless, mode="live", pulling_id="1")
    rows = [bench.intake.account(hours(n, n + 1)) for n in (3, 5)]
    assert [row.counts.spooled for row in rows] == [1, 1]
    assert not any(bench.intake.has_forgotten(row) for row in rows)
    bench.store.forget(SOURCE_ID)
    assert all(bench.intake.has_forgotten(row) for row in rows)


def test_an_hour_of_which_ids_are_gone_is_forgotten(bench: Bench) -> None:
    """Also when other ids lie in its slot: of a late event, or counted in a neighbouring row."""
    early = Page(events=[event(n, START + n * HOUR // 3) for n in range(4)])
    bench.intake.take(early, mode="archive", pulling_id="1", counted_in=hours(0, 1))
    assert not bench.intake.has_forgotten(bench.intake.account(hours(0, 1)))
    bench.store.forget(SOURCE_ID)
    bench.restart()
    late = Page(events=[event(n, START + HOUR + n) for n in range(4, 9)])
    bench.intake.take(late, mode="archive", pulling_id="1", counted_in=hours(1, 2))
    assert bench.intake.has_forgotten(bench.intake.account(hours(0, 1)))
    assert not bench.intake.has_forgotten(bench.intake.account(hours(1, 2)))


def test_a_few_ids_in_a_forgotten_hour_do_not_hide_it(bench: Bench) -> None:
    """What comes late is known, and the hour is compared all the same."""
    take(bench, 1, 2, 3)
    bench.store.forget(SOURCE_ID)
    bench.restart()
    take(bench, 4)
    assert bench.intake.has_forgotten(bench.intake.account(hours(0, 1)))


def test_events_without_a_time_count_beside_the_others(bench: Bench) -> None:
    """Their ids lie in a slot of their own, and are no less kept."""
    page = Page(events=[event(1), event(2, NO_TIME), event(3, NO_TIME)])
    bench.intake.take(page, mode="archive", pulling_id="1", counted_in=hours(0, 1))
    assert not bench.intake.has_forgotten(bench.intake.account(hours(0, 1)))


def test_what_is_taken_again_is_not_stored_into_a_forgotten_hour(bench: Bench) -> None:
    """The hour stays forgotten, and the event counts with the digest it had."""
    take(bench, 1, 2)
    before = bench.intake.account(hours(0, 1))
    bench.store.forget(SOURCE_ID)
    bench.restart()
    letter = digest(event(1))
    restored = Page(events=[msgspec.structs.replace(event(1), id="other-session")])
    bench.intake.take(
        restored,
        mode="replay",
        pulling_id="1",
        again=letter,
        conclude=lambda _before, _after: [Entry(span=hours(0, 1), digest=-ledger.total([letter]))],
    )
    row = bench.intake.account(hours(0, 1))
    assert row.counts.spooled == 3
    assert row.digest == before.digest
    assert bench.intake.has_forgotten(row)


def test_usual(bench: Bench) -> None:
    """The store knows what is usual for the source."""
    assert bench.intake.usual(hours(3, 4)) is None
