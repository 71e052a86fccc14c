"""Hours of CASB that are read once more: their row takes what is theirs, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from collector.core import checkpoint as rules
from collector.core.ledger import COMPLETE, PARTIAL, REPAIRED, VERIFIED
from collector.core.model import Counts, Micros, Request
from collector.core.times import HOUR, SECOND, isoformat, parse
from collector.pullers.base import Source
from tests.fakes.pulls import MINUTE, SOURCE_ID, START, Bench, as_json, hours
from tests.fakes.sources import alerts, events
from tests.fakes.wire import AnsweringFetch

NOW = START + 6 * HOUR
TIMELESS = "no time"


class Vendor:
    """Has one record each ten minutes; some say nothing of their time."""

    def __init__(self, *timeless: int, page_size: int = 4) -> None:
        self.fetch = AnsweringFetch(self._answer)
        self._timeless = timeless
        self._page_size = page_size
        self._times = [START + n * 10 * MINUTE for n in range(36)]

    def lose(self, number: int) -> None:
        """One record is there no more; it takes the place of another's repeat."""
        self._times[number] = -HOUR

    def _answer(self, request: Request) -> bytes:
        return self._alerts(request.json) if request.json else self._events(request.params)

    def _events(self, asked: Any) -> bytes:
        if "nextPage" in asked:
            start, first = map(int, asked["nextPage"].split("+"))
        else:
            start, first = parse(asked["startTime"]), 0
        found = [n for n, time in enumerate(self._times) if time >= start]
        page = found[first : first + self._page_size]
        content = [{"eventId": f"{n}", "timestamp": self._said(n, isoformat)} for n in page]
        return as_json({"content": content, "nextPageToken": f"{start}+{first + len(page)}"})

    def _alerts(self, asked: Any) -> bytes:
        span = asked["time_range"]
        unit = SECOND if span["from"] * SECOND <= NOW else SECOND // 1000
        found = [
            n for n, time in enumerate(self._times) if span["from"] <= time // unit <= span["to"]
        ]
        page = found[::-1] if asked["page"] == 0 else []
        records = [{"id": f"{n}", "timestamp": self._said(n, _milliseconds)} for n in page]
        return as_json({"alerts": records})

    def _said(self, number: int, spelled: Any) -> Any:
        return TIMELESS if number in self._timeless else spelled(self._times[number])


def _milliseconds(instant: Micros) -> int:
    return instant // 1000


def looked_at(bench: Bench, vendor: Vendor, *wanted: int) -> None:
    """The hours are read once more, as a person asks for it."""
    mark = bench.checkpoint
    for hour in wanted:
        mark = rules.look_again(mark, hours(hour, hour + 1), NOW)
    bench.stand_at(mark)
    bench.puller(vendor.fetch).pull()


def first_read(source: Source, vendor: Vendor, *, start: int = 0) -> Bench:
    """A service that has read all from that hour on, and whose ids are forgotten."""
    bench = Bench(source, NOW, start=START + start * HOUR)
    bench.puller(vendor.fetch).pull()
    bench.store.forget(SOURCE_ID)
    bench.restart()
    return bench


def numbers(bench: Bench) -> list[int]:
    """The records delivered, in order of their numbers."""
    return sorted(int(each["@collector"]["event_id"]) for each in bench.store.records())


def row(bench: Bench, hour: int) -> tuple[str, Counts]:
    """What the ledger says of an hour."""
    account = bench.intake.account(hours(hour, hour + 1))
    return account.state, account.counts


@pytest.mark.parametrize("timeless", [(), (7, 10, 11, 14, 33)], ids=["dated", "some without"])
def test_an_hour_before_the_start(timeless: tuple[int, ...]) -> None:
    """Only its own events are taken: those after it were delivered, though their ids are gone."""
    vendor = Vendor(*timeless)
    bench = first_read(events(), vendor, start=2)
    before = len(vendor.fetch.requests)
    looked_at(bench, vendor, 1)
    assert numbers(bench) == list(range(6, 36))
    assert row(bench, 1) == (COMPLETE, Counts(received=6, spooled=6))
    assert len(vendor.fetch.requests) - before <= 3


def test_the_hours_around_stay_provable() -> None:
    """What was looked at leaves no event in the row of another hour."""
    vendor = Vendor()
    bench = first_read(events(), vendor, start=2)
    looked_at(bench, vendor, 0, 1)
    bench.store.forget(SOURCE_ID)
    bench.restart()
    looked_at(bench, vendor, *range(5))
    assert {row(bench, n)[0] for n in range(5)} == {VERIFIED}
    assert numbers(bench) == list(range(36))


@pytest.mark.parametrize("source", [events(), alerts(), alerts(time_format="epoch_s")])
@pytest.mark.parametrize("timeless", [(), (8, 12, 17)], ids=["dated", "some without"])
def test_a_sound_hour_is_verified(source: Source, timeless: tuple[int, ...]) -> None:
    """It is compared with the events of its own time, and those without one say nothing."""
    vendor = Vendor(*timeless)
    bench = first_read(source, vendor)
    looked_at(bench, vendor, 1, 2)
    assert (row(bench, 1)[0], row(bench, 2)[0]) == (VERIFIED, VERIFIED)
    assert numbers(bench) == list(range(36))


@pytest.mark.parametrize("source", [events(), alerts()], ids=lambda each: each.service)
def test_an_hour_that_is_not_what_it_was(source: Source) -> None:
    """An event that the vendor has no more is noticed."""
    vendor = Vendor(8)
    bench = first_read(source, vendor)
    vendor.lose(9)
    looked_at(bench, vendor, 1)
    assert row(bench, 1)[0] == PARTIAL


def test_known_events_are_counted_once_more() -> None:
    """Where the ids are kept an event of the hour is a repeat, one of another hour is nothing."""
    vendor = Vendor(7)
    bench = Bench(events(), NOW)
    bench.puller(vendor.fetch).pull()
    looked_at(bench, vendor, 1)
    assert row(bench, 1) == (VERIFIED, Counts(received=11, spooled=5, duplicate=6))


def test_a_missing_event_is_delivered() -> None:
    """Also one without a time, which stands among those of the hour."""
    vendor, all_of_them = Vendor(8), Vendor(8)
    vendor.lose(8)
    vendor.lose(10)
    bench = Bench(events(), NOW)
    bench.puller(vendor.fetch).pull()
    looked_at(bench, all_of_them, 1)
    assert numbers(bench) == list(range(36))
    assert row(bench, 1) == (REPAIRED, Counts(received=10, spooled=6, duplicate=4))
