"""An hour that cannot be read holds up no other, and is asked for again while it is owed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from collector.core import checkpoint as rules
from collector.core.ledger import COMPLETE, PARTIAL, UNRECOVERABLE, VERIFIED
from collector.core.model import Request, Response, Window
from collector.core.times import DAY, HOUR, parse
from collector.errors import (
    AuthenticationError,
    CollectorError,
    HoursPutOff,
    SessionEnded,
    SessionSilent,
    SessionTaken,
    UnreadableAnswer,
    VendorRefused,
    VendorUnavailable,
)
from tests.fakes.pulls import START, Bench, hours, message
from tests.fakes.sources import messages

CUT = SessionEnded(303, "the session was cut", "a retry follows")
TOO_OLD = VendorRefused(400, "the vendor calls the request malformed (HTTP 400)", "change it")


class Archive:
    """Has one message in each hour, and fails at some; ``asked`` counts the requests by hour."""

    def __init__(self, failures: dict[int, CollectorError]) -> None:
        self.failures = failures
        self.asked: Counter[int] = Counter()

    def __call__(self, request: Request) -> Iterator[Response]:
        """The hour that was asked for."""
        hour = (parse(request.params["sinceTime"]) - START) // HOUR
        self.asked[hour] += 1
        if hour in self.failures:
            raise self.failures[hour]
        yield Response(request=request, status=101, messages=[message(hour, START + hour * HOUR)])


def archive(count: int) -> Bench:
    """A service in archive mode that owes so many hours."""
    return Bench(messages(mode="archive"), START + (count + 1) * HOUR)


def each_hour(*numbers: int) -> set[Window]:
    """These hours."""
    return {hours(number, number + 1) for number in numbers}


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (CUT, 3),
        (UnreadableAnswer(305, "no JSON", "wait"), 3),
        (SessionSilent(303, "the session was silent", "wait"), 1),
        (TOO_OLD, 1),
    ],
    ids=lambda each: type(each).__name__,
)
def test_the_hours_after_it_are_read(error: CollectorError, tries: int) -> None:
    """In the same pull, which tells of it in the end; the ledger says why it is not there."""
    bench = archive(6)
    vendor = Archive({1: error})
    with pytest.raises(HoursPutOff) as told:
        bench.puller(vendor).pull()
    assert (told.value.number, told.value.exit_code) == (313, 5)
    assert error.cause in told.value.cause
    assert vendor.asked == {0: 1, 1: tries, 2: 1, 3: 1, 4: 1, 5: 1}
    assert bench.checkpoint.owed == (hours(1, 2),)
    assert bench.store.states_of(PARTIAL) == each_hour(1)
    assert bench.store.account("tenant#service", hours(1, 2)).reason == error.cause
    assert bench.store.states_of(COMPLETE) == each_hour(0, 2, 3, 4, 5)
    assert "The data is up to date!" not in bench.log.texts("INFO")


def test_it_is_asked_for_ever_more_seldom_and_a_restart_forgets_nothing() -> None:
    """A pull each ten minutes for three days; each pull tells of it, whether it asks or not."""
    bench = archive(2)
    vendor = Archive({0: CUT})
    told = 0
    for _ in range(3 * 144):
        with pytest.raises(HoursPutOff):
            bench.puller(vendor).pull()
        told += 1
        bench.restart()
        bench.clock.advance(600)
    assert told == 3 * 144
    assert vendor.asked[0] <= 3 * 12
    assert bench.checkpoint.owed == (hours(0, 1),)
    assert set(range(1, 70)) <= set(vendor.asked)


def test_it_is_read_in_the_end() -> None:
    """Then nothing is put off, and the next pull tells of nothing."""
    bench = archive(3)
    vendor = Archive({0: CUT})
    with pytest.raises(HoursPutOff):
        bench.puller(vendor).pull()
    vendor.failures.clear()
    bench.clock.advance(60)
    bench.puller(vendor).pull()
    assert (bench.checkpoint.owed, bench.checkpoint.put_off) == ((), ())
    assert bench.store.states_of(COMPLETE) == each_hour(0, 1, 2)
    assert bench.log.texts("INFO")[-2] == "The data is up to date!"


def test_it_is_given_up_when_the_vendor_can_no_longer_have_it() -> None:
    """By ``retention_in_hours``, like any other."""
    bench = archive(2)
    vendor = Archive({0: CUT})
    with pytest.raises(HoursPutOff):
        bench.puller(vendor).pull()
    bench.wake(START + 31 * DAY)
    bench.puller(vendor).pull()
    assert bench.checkpoint.put_off == ()
    assert hours(0, 1) in bench.store.states_of(UNRECOVERABLE)


def test_a_vendor_that_keeps_less_than_we_believe() -> None:
    """Forty hours are refused one by one; all that it still has is collected in that pull."""
    bench = archive(60)
    vendor = Archive(dict.fromkeys(range(40), TOO_OLD))
    with pytest.raises(HoursPutOff, match="39 more"):
        bench.puller(vendor).pull()
    assert bench.store.states_of(COMPLETE) == each_hour(*range(40, 60))
    assert set(vendor.asked.values()) == {1}


@pytest.mark.parametrize(("error", "hours_of_a_pull"), [(CUT, 3), (TOO_OLD, 48)])
def test_a_vendor_that_fails_at_every_hour(error: CollectorError, hours_of_a_pull: int) -> None:
    """It is not asked for them all: the pull ends, and the next one goes on behind."""
    bench = archive(100)
    vendor = Archive(dict.fromkeys(range(100), error))
    for pull in (1, 2):
        with pytest.raises(type(error)) as caught:
            bench.puller(vendor).pull()
        assert caught.value is error
        assert set(vendor.asked) == set(range(pull * hours_of_a_pull))


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError(103, "refused", "check"),
        SessionTaken(409, "taken", "wait"),
        VendorUnavailable(503, "down", "wait"),
        VendorRefused(404, "no such address", "check"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_concerns_the_whole_service_ends_the_pull(error: CollectorError) -> None:
    """At once, and nothing is put off for it."""
    bench = archive(5)
    vendor = Archive({1: error})
    with pytest.raises(type(error)):
        bench.puller(vendor).pull()
    assert vendor.asked == {0: 1, 1: 1}
    assert bench.checkpoint.put_off == ()


def test_a_second_look_is_put_off_too() -> None:
    """What the first reading has proven stays; the looks behind it are taken."""
    bench = archive(3)
    vendor = Archive({})
    bench.puller(vendor).pull()
    bench.stand_at(rules.look_again(bench.checkpoint, hours(0, 3), bench.clock.now()))
    vendor.failures[0] = CUT
    with pytest.raises(HoursPutOff):
        bench.puller(vendor).pull()
    assert bench.store.states_of(VERIFIED) == each_hour(1, 2)
    assert bench.store.states_of(COMPLETE) == each_hour(0)
    vendor.failures.clear()
    bench.clock.advance(60)
    bench.puller(vendor).pull()
    assert bench.store.states_of(VERIFIED) == each_hour(0, 1, 2)
