"""What a puller tells its operator."""

from __future__ import annotations

from collector.core.stats import PullStats
from collector.core.times import HOUR, SECOND
from collector.errors import SessionTaken, VendorUnavailable
from collector.pullers.journal import Journal
from tests.fakes.clock import ManualClock
from tests.fakes.log import MemoryLog
from tests.fakes.pulls import START, hours

TAKEN = SessionTaken(409, "taken", "wait")
DOWN = VendorUnavailable(503, "down", "wait")
PAGE = PullStats(requests=0, received=10, duplicates=4, generated=12, rejected=1)


def journal(period: float = 600.0) -> tuple[Journal, MemoryLog, ManualClock]:
    """A journal with its log and clock."""
    log, clock = MemoryLog(), ManualClock(START)
    return Journal(log, "alerts", clock, period), log, clock


def test_a_pull() -> None:
    """The lines of a pull, in the words of the reference page, all under its pulling id."""
    book, log, clock = journal()
    cycle = book.begin(START)
    cycle.retrieving(hours(0, 1))
    cycle.stats.requests += 1
    cycle.page(PAGE)
    clock.advance(2)
    cycle.retrieved(hours(0, 1))
    cycle.finished()
    span = "2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+00:00"
    numbers = (
        f"Statistics for this pull cycle (@devo_pulling_id={START // 1000}):"
        "Number of requests made: 1; Number of events received: 10; "
        "Number of duplicated events filtered out: 4; "
        "Number of events generated and sent: 12; "
    )
    assert log.texts("INFO") == [
        "Pull Started",
        f"Retrieving/sending alerts event(s) having timestamp between {span[0]} and {span[1]}",
        f"(Partial) {numbers}Average of events per second: 0.000.",
        f"Retrieved 10 alerts event(s) from {span[0]} to {span[1]}",
        f"(Partial) {numbers}Average of events per second: 6.000.",
        f"{numbers}Average of events per second: 6.000.",
        "The data is up to date!",
        (
            "Data collection completed. Elapsed time: 2.000 seconds. "
            "Waiting for 598.000 second(s) until the next one"
        ),
    ]
    assert {pulling_id for _, pulling_id, _ in log.lines} == {START // 1000}


def test_no_flood_of_partial_statistics() -> None:
    """A flood of pages is a line every few seconds."""
    book, log, clock = journal()
    cycle = book.begin(START)
    for _ in range(100):
        cycle.page(PAGE)
        clock.advance(0.1)
    assert 2 <= sum(text.startswith("(Partial)") for text in log.texts("INFO")) <= 3
    assert cycle.stats.received == 1000


def test_each_span_counts_its_own() -> None:
    """What was retrieved for one span is not counted for the next."""
    book, log, _ = journal()
    cycle = book.begin(START)
    for hour in (hours(0, 1), hours(1, 2)):
        cycle.retrieving(hour)
        cycle.page(PAGE)
        cycle.retrieved(hour)
    assert [text[:12] for text in log.texts("INFO") if text[:9] == "Retrieved"] == [
        "Retrieved 10",
        "Retrieved 10",
    ]


def test_nobody_waits() -> None:
    """Neither for a pull that does not follow, nor for one that is late; the line is the same."""
    for period in (0.0, 5.0):
        book, log, clock = journal(period)
        cycle = book.begin(START)
        clock.advance(9)
        cycle.finished()
        assert log.texts("INFO")[-1] == (
            "Data collection completed. Elapsed time: 9.000 seconds. "
            "Waiting for 0.000 second(s) until the next one"
        )


def test_waits_and_repeats() -> None:
    """What is done again is a warning with its reason."""
    book, log, _ = journal()
    book.waiting(DOWN, 1.25)
    book.repeating(DOWN, 2.0)
    book.fell_back(DOWN)
    first, second, third = log.texts("WARNING")
    assert first.endswith("next try in 1.2 seconds")
    assert "down -> wait" in second
    assert "reading again from before the last complete moment" in third


def test_a_session_that_stays_taken_is_an_alarm() -> None:
    """409 is normal for some minutes; then somebody else uses the token."""
    book, log, clock = journal()
    hear = book.taken_alarm(360.0)
    hear(TAKEN, 60.0)
    clock.advance(360)
    hear(TAKEN, 60.0)
    assert log.texts("ERROR") == []
    clock.advance(1)
    hear(DOWN, 60.0)
    assert log.texts("ERROR") == []
    hear(TAKEN, 60.0)
    (alarm,) = log.texts("ERROR")
    assert "longer than 360 seconds" in alarm


def test_live_session() -> None:
    """A live session is one long pull that can be summed up."""
    book, log, _ = journal()
    cycle = book.listen(START + HOUR)
    cycle.summary()
    assert cycle.pulling_id == (START + HOUR) // 1000
    assert log.texts("INFO")[0].startswith("Live session is open")
    assert log.texts("INFO")[1].startswith("(Partial) Statistics")


def test_narrowed() -> None:
    """A window that is cut says how long it was."""
    book, log, _ = journal()
    book.begin(START).narrowed(hours(0, 1))
    assert f"{HOUR / SECOND:.3f} seconds" in log.texts("INFO")[-1]
