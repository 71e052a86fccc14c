"""The pull loop, over scripted answers."""

from __future__ import annotations

from typing import Any

import pytest

from collector.core import checkpoint as rules
from collector.core.checkpoint import Checkpoint
from collector.core.ledger import COMPLETE, PARTIAL, REPAIRED, SETTLING, VERIFIED
from collector.core.model import Micros, Request, Window
from collector.core.times import HOUR, SECOND, isoformat
from collector.errors import (
    HoursPutOff,
    SessionEnded,
    Stopped,
    UnreadableAnswer,
    VendorRefused,
    VendorUnavailable,
)
from tests.fakes.gates import ShutAfter
from tests.fakes.pulls import SOURCE_ID, START, Bench, as_json, hours, message
from tests.fakes.sources import alerts, events, messages
from tests.fakes.wire import AnsweringFetch, ScriptedFetch

NOW = START + HOUR
MS = START // 1000
CUT = SessionEnded(303, "the session was cut", "a retry follows")


def alert(number: int, time: Micros = START) -> dict[str, Any]:
    """An alert."""
    return {"id": f"{number}", "timestamp": time // 1000}


def alert_page(*numbers: int) -> bytes:
    """A page of alerts."""
    return as_json({"alerts": [alert(n) for n in numbers]})


def event_page(cursor: str | None, *numbers: int) -> bytes:
    """A page of events."""
    content = [{"eventId": f"{n}", "timestamp": "2026-01-01T00:00:00Z"} for n in numbers]
    return as_json({"content": content, "nextPageToken": cursor, "size": len(content)})


def refusal(status: int) -> VendorRefused:
    """A refused request."""
    return VendorRefused(status, "refused", "change it")


def ids(bench: Bench) -> list[str]:
    """The ids of all events delivered, in order."""
    return [record["@collector"]["event_id"] for record in bench.store.records()]


def test_pages_to_the_end() -> None:
    """All pages of a window, then the checkpoint moves, and what follows is up to date."""
    bench = Bench(alerts(page_size=2), NOW)
    fetch = ScriptedFetch(alert_page(4, 3), alert_page(2, 1), alert_page())
    stats = bench.puller(fetch).pull()
    assert ids(bench) == ["4", "3", "2", "1"]
    assert [request.json["page"] for request in fetch.requests] == [0, 1, 2]
    assert (stats.requests, stats.received, stats.generated) == (3, 4, 4)
    assert bench.checkpoint.since == NOW - 60 * SECOND
    assert bench.log.texts("INFO")[-2] == "The data is up to date!"
    bench.puller(fetch).pull()
    assert fetch.left == 0


def test_several_windows() -> None:
    """A long way back is gone window by window."""
    bench = Bench(alerts(max_window=HOUR), START + 3 * HOUR)
    fetch = ScriptedFetch(alert_page(1), alert_page(2), alert_page(3))
    bench.puller(fetch).pull()
    spans = [request.json["time_range"] for request in fetch.requests]
    assert [span["from"] - MS for span in spans] == [0, 3_600_000, 7_200_000]
    assert bench.store.states_of(COMPLETE) == {hours(0, 1), hours(1, 2)}


def test_since_moves_only_when_the_window_is_complete() -> None:
    """A failure on the way leaves the checkpoint, and what was taken is not taken again."""
    bench = Bench(alerts(page_size=2), NOW)
    down = VendorUnavailable(503, "down", "wait")
    with pytest.raises(VendorUnavailable):
        bench.puller(ScriptedFetch(alert_page(4, 3), down)).pull()
    assert bench.checkpoint.since == START
    bench.restart()
    stats = bench.puller(ScriptedFetch(alert_page(4, 3), alert_page(2))).pull()
    assert ids(bench) == ["4", "3", "2"]
    assert stats.duplicates == 2
    assert bench.checkpoint.since == NOW - 60 * SECOND


def vendor_of(times: list[Micros], page_size: int) -> AnsweringFetch:
    """A vendor of alerts at these times, newest first, both bounds inclusive."""

    def answer(request: Request) -> bytes:
        span, page = request.json["time_range"], request.json["page"]
        within = [
            alert(n, time)
            for n, time in sorted(enumerate(times), key=lambda each: each[1], reverse=True)
            if span["from"] <= time // 1000 <= span["to"]
        ]
        return as_json({"alerts": within[page * page_size : (page + 1) * page_size]})

    return AnsweringFetch(answer)


def test_too_many_pages_are_halved_never_truncated() -> None:
    """A window with more pages than allowed is cut until its parts can be read whole."""
    times = [START + n * SECOND for n in range(100)]
    bench = Bench(alerts(page_size=5, max_pages=3), NOW)
    fetch = vendor_of(times, 5)
    bench.puller(fetch).pull()
    assert sorted(map(int, ids(bench))) == list(range(100))
    assert bench.checkpoint.since == NOW - 60 * SECOND
    assert any("reading its halves" in text for text in bench.log.texts("INFO"))
    assert max(request.json["page"] for request in fetch.requests) <= 15


def test_what_cannot_be_halved_is_read_to_its_end() -> None:
    """More alerts in one millisecond than pages allowed: all of them are taken."""
    bench = Bench(alerts(page_size=5, max_pages=2), NOW)
    bench.puller(vendor_of([START + 7000] * 60, 5)).pull()
    assert len(ids(bench)) == 60
    assert bench.checkpoint.since == NOW - 60 * SECOND


def test_halves_are_closed_oldest_first() -> None:
    """A failure in the second half leaves the first one complete."""
    bench = Bench(alerts(page_size=1, max_pages=1), NOW)
    down = VendorUnavailable(503, "down", "wait")
    fetch = ScriptedFetch(alert_page(2), alert_page(), down)
    with pytest.raises(VendorUnavailable):
        bench.puller(fetch).pull()
    middle = START + 1770 * SECOND
    assert bench.checkpoint.since == middle


def test_a_server_that_ignores_the_page_number() -> None:
    """The same full page again is a loop: the span is left, not read for ever."""
    bench = Bench(alerts(page_size=2, max_pages=0), NOW)
    fetch = AnsweringFetch(lambda _request: alert_page(2, 1))
    with pytest.raises(UnreadableAnswer) as caught:
        bench.puller(fetch).pull()
    assert caught.value.number == 306
    assert len(fetch.requests) == 3 * 2
    assert bench.checkpoint.since == START
    assert ids(bench) == ["2", "1"]


def test_full_pages_without_any_record() -> None:
    """Pages of which nothing can be delivered are no loop, as long as they differ."""
    bench = Bench(alerts(page_size=2), NOW)
    bench.puller(ScriptedFetch(b'{"alerts":[1,2]}', b'{"alerts":[3,4]}', alert_page(1))).pull()
    assert ids(bench) == ["1"]
    assert bench.store.totals(SOURCE_ID).dead_lettered == 4


def test_cursor_page_by_page() -> None:
    """The cursor is kept with each page and used by the next pull; an empty page is the end."""
    bench = Bench(events(), NOW)
    fetch = ScriptedFetch(event_page("a", 1), event_page("b", 2), event_page("c"))
    bench.puller(fetch).pull()
    assert [request.params for request in fetch.requests] == [
        {"startTime": "2026-01-01T00:00"},
        {"nextPage": "a"},
        {"nextPage": "b"},
    ]
    assert bench.checkpoint.cursor == "c"
    bench.clock.advance(600)
    fetch = ScriptedFetch(event_page("d", 3), event_page("d"))
    bench.puller(fetch).pull()
    assert fetch.requests[0].params == {"nextPage": "c"}
    assert ids(bench) == ["1", "2", "3"]


def test_a_busy_tenant_does_not_keep_a_pull_for_ever() -> None:
    """A pull ends with what there was when it began; the next goes on from there."""
    bench = Bench(events(), NOW)

    def answer(_request: Request) -> bytes:
        number = len(fetch.requests)
        time = isoformat(NOW + (number - 3) * SECOND)
        content = [{"eventId": f"{number}", "timestamp": time}]
        return as_json({"content": content, "nextPageToken": f"c{number}"})

    fetch = AnsweringFetch(answer)
    bench.puller(fetch).pull()
    assert ids(bench) == ["1", "2", "3"]
    assert (bench.checkpoint.cursor, bench.checkpoint.since) == ("c3", NOW - 60 * SECOND)


def test_cursor_survives_a_failure_on_the_way() -> None:
    """The next pull goes on from the last page that was taken."""
    bench = Bench(events(), NOW)
    down = VendorUnavailable(503, "down", "wait")
    with pytest.raises(VendorUnavailable):
        bench.puller(ScriptedFetch(event_page("a", 1), down)).pull()
    bench.restart()
    fetch = ScriptedFetch(event_page("b"))
    bench.puller(fetch).pull()
    assert fetch.requests[0].params == {"nextPage": "a"}


def test_bounded_pages_of_a_cursor() -> None:
    """A cursor makes a stop safe: the next pull goes on, and nothing is complete before."""
    bench = Bench(events(max_pages=2), NOW)
    bench.puller(ScriptedFetch(event_page("a", 1), event_page("b", 2))).pull()
    assert (bench.checkpoint.cursor, bench.checkpoint.since) == ("b", START)
    bench.puller(ScriptedFetch(event_page("c", 3), event_page("c"))).pull()
    assert bench.checkpoint.since == NOW - 60 * SECOND


@pytest.mark.parametrize("status", [400, 404, 410])
def test_refused_cursor_falls_back_to_time(status: int) -> None:
    """Without its cursor the service reads again from the last complete moment."""
    bench = Bench(events(), NOW)
    bench.stand_at(rules.at_cursor(bench.checkpoint, "dead"))
    fetch = ScriptedFetch(refusal(status), event_page("a", 1), event_page("b"))
    bench.puller(fetch).pull()
    assert [request.params for request in fetch.requests] == [
        {"nextPage": "dead"},
        {"startTime": "2026-01-01T00:00"},
        {"nextPage": "a"},
    ]
    assert ids(bench) == ["1"]
    assert bench.checkpoint.since == NOW - 60 * SECOND
    assert len(bench.log.texts("WARNING")) == 1


def test_a_refused_cursor_costs_no_late_event() -> None:
    """Events that appear long after their time are found by time, too; the others are known."""
    bench = Bench(events(), NOW)
    bench.puller(ScriptedFetch(event_page("a", 1), event_page("a"))).pull()
    bench.clock.advance(3600)

    def answer(request: Request) -> bytes:
        if request.params == {"nextPage": "a"}:
            raise refusal(410)
        found = request.params.get("startTime", "later") <= "2026-01-01T00:00"
        return event_page("b", *([1, 2] if found else []))

    bench.puller(AnsweringFetch(answer)).pull()
    assert ids(bench) == ["1", "2"]


def test_refused_without_cursor() -> None:
    """A refused start time is for the operator."""
    with pytest.raises(VendorRefused):
        Bench(events(), NOW).puller(ScriptedFetch(refusal(400))).pull()


def test_a_server_that_refuses_every_cursor() -> None:
    """One pull falls back once; then somebody has to look."""
    bench = Bench(events(), NOW)

    def answer(request: Request) -> bytes:
        if "nextPage" in request.params:
            raise refusal(410)
        return event_page("a", 1)

    fetch = AnsweringFetch(answer)
    with pytest.raises(VendorRefused):
        bench.puller(fetch).pull()
    assert len(fetch.requests) == 4
    assert ids(bench) == ["1"]
    assert bench.checkpoint.since == START


@pytest.mark.parametrize("loop", [["a", "a"], ["a", "b", "a", "b"], ["x"]])
def test_cursor_that_goes_in_circles(loop: list[str]) -> None:
    """A token that was followed already is refused, a few times over, then left."""
    bench = Bench(events(), NOW)
    bench.stand_at(rules.at_cursor(bench.checkpoint, "x"))
    pages = [event_page(cursor, n) for n, cursor in enumerate(loop)]
    cycle = {"x": loop[0], **dict(zip(loop, [*loop[1:], loop[-1]], strict=True))}
    fetch = AnsweringFetch(
        lambda request: event_page(cycle[request.params["nextPage"]], len(fetch.requests))
    )
    with pytest.raises(UnreadableAnswer):
        bench.puller(fetch).pull()
    assert len(fetch.requests) <= 3 * (len(pages) + 2)
    assert bench.checkpoint.since == START


def test_unreadable_page_is_asked_for_again() -> None:
    """A broken answer is repeated with growing waits before anything is made of it."""
    bench = Bench(alerts(), NOW)
    fetch = ScriptedFetch(b"<html>", b'{"alerts":', alert_page(1))
    bench.puller(fetch).pull()
    assert ids(bench) == ["1"]
    assert bench.store.letters == []
    assert len(bench.log.texts("WARNING")) == 2
    assert 1.5 <= bench.clock.monotonic() <= 3.0


def test_unreadable_page_is_kept_aside() -> None:
    """After the last try the answer is kept, counted, and the window left as it was."""
    bench = Bench(alerts(), NOW)
    with pytest.raises(UnreadableAnswer):
        bench.puller(ScriptedFetch(b"<1>", b"<2>", b"<3>")).pull()
    assert [letter.raw for letter in bench.store.letters] == [b"<3>"]
    assert bench.store.totals(SOURCE_ID).dead_lettered == 1
    assert bench.checkpoint.since == START


def test_stop() -> None:
    """A stopping program asks nothing more, keeps what it has, and is not up to date."""
    bench = Bench(alerts(page_size=2), NOW)

    def answer(_request: Request) -> bytes:
        bench.clock.stop()
        return alert_page(2, 1)

    fetch = AnsweringFetch(answer)
    with pytest.raises(Stopped):
        bench.puller(fetch).pull()
    assert len(fetch.requests) == 1
    assert ids(bench) == ["2", "1"]
    assert bench.checkpoint.since == START
    assert "The data is up to date!" not in bench.log.texts("INFO")
    with pytest.raises(Stopped):
        bench.puller(fetch).pull()
    assert len(fetch.requests) == 1


def test_stop_while_waiting_for_a_repeat() -> None:
    """The wait before a repeat ends with the program."""
    bench = Bench(alerts(), NOW)

    def answer(_request: Request) -> bytes:
        bench.clock.stop()
        return b"<html>"

    with pytest.raises(Stopped):
        bench.puller(AnsweringFetch(answer)).pull()


def test_no_room() -> None:
    """While the spool is full nothing is asked; when it stays full, the program is stopping."""
    bench = Bench(alerts(page_size=2), NOW, gate=ShutAfter(1))
    fetch = ScriptedFetch(alert_page(2, 1), alert_page())
    with pytest.raises(Stopped):
        bench.puller(fetch).pull()
    assert fetch.left == 1
    assert ids(bench) == ["2", "1"]


def archive(hour: float = 2.5, start: Micros = START) -> Bench:
    """The messages of a cluster in archive mode, so many hours after the start."""
    return Bench(messages(mode="archive"), START + round(hour * HOUR), start=start)


def record(number: int, hour: float = 0) -> bytes:
    """A message of some hour."""
    return message(number, START + round(hour * HOUR))


def test_archive_hours() -> None:
    """Owed hours are read one by one, oldest first, each whole; then nothing is owed."""
    bench = archive(4)
    fetch = ScriptedFetch([record(1), record(2)], [record(3, 1)], [record(4, 2.9)])
    bench.puller(fetch).pull()
    assert [request.params["sinceTime"][11:13] for request in fetch.requests] == ["00", "01", "02"]
    assert ids(bench) == ["g-1", "g-2", "g-3", "g-4"]
    assert bench.checkpoint.owed == ()
    assert bench.store.states_of(COMPLETE) == {hours(n, n + 1) for n in range(3)}


def test_archive_hour_without_its_end() -> None:
    """A session that is cut is read again; what came before is not delivered twice."""

    class Cutting(ScriptedFetch):
        """Gives one message, then cuts the session, twice."""

        def __call__(self, request: Request) -> Any:
            """The answer to one request."""
            yield from super().__call__(request)
            if len(self.requests) < 3:
                raise CUT

    bench = archive()
    bench.puller(Cutting([record(1)], [record(1), record(2)], [record(2), record(3)])).pull()
    assert ids(bench) == ["g-1", "g-2", "g-3"]
    assert bench.store.states_of(COMPLETE) == {hours(0, 1)}


def cut_after(*messages: bytes) -> Any:
    """A fetch whose sessions are cut after these messages."""

    def fetch(request: Request) -> Any:
        yield from ScriptedFetch(list(messages))(request)
        raise CUT

    return fetch


def test_archive_hour_that_never_ends() -> None:
    """After a few tries the hour stays owed, and the ledger calls it partial."""
    bench = archive()
    with pytest.raises(HoursPutOff, match="the session was cut"):
        bench.puller(cut_after(record(1))).pull()
    assert bench.checkpoint.owed == (hours(0, 1),)
    assert bench.store.states_of(PARTIAL) == {hours(0, 1)}
    bench.restart()
    bench.clock.advance(60)
    bench.puller(ScriptedFetch([record(1), record(2)])).pull()
    assert ids(bench) == ["g-1", "g-2"]
    assert not rules.due(bench.checkpoint, bench.clock.now(), 0)


@pytest.mark.parametrize("time", ["", "2026-01-01T07:00:00Z"])
def test_cut_hour_of_odd_times(time: str) -> None:
    """The rest of a cut hour is delivered, though its first records lie in no or another hour."""
    bench = archive()
    first = as_json({"guid": "odd", "ts": time})
    with pytest.raises(HoursPutOff):
        bench.puller(cut_after(first)).pull()
    bench.restart()
    bench.clock.advance(60)
    bench.puller(ScriptedFetch([first, record(2)])).pull()
    assert ids(bench) == ["odd", "g-2"]


def test_few_records_are_looked_at_again() -> None:
    """An empty hour settles, and is verified or repaired by a second look."""
    bench = archive()
    bench.puller(ScriptedFetch([])).pull()
    assert bench.store.states_of(SETTLING) == {hours(0, 1)}
    bench.clock.advance(3600)
    bench.puller(ScriptedFetch([record(2, 1)], [record(1)])).pull()
    assert bench.store.states_of(REPAIRED) == {hours(0, 1)}
    assert ids(bench) == ["g-2", "g-1"]
    assert bench.checkpoint.looks == ()


def test_second_look_that_finds_nothing() -> None:
    """The same records again verify the hour."""
    bench = archive()
    bench.puller(ScriptedFetch([])).pull()
    bench.clock.advance(3600)
    bench.puller(ScriptedFetch([record(2, 1)], [])).pull()
    assert bench.store.states_of(VERIFIED) == {hours(0, 1)}


def test_late_alert_is_found_by_the_second_look() -> None:
    """An alert that the vendor adds to an old hour is delivered when that is read again."""
    times = [START, START + 30 * 60 * SECOND]
    bench = Bench(alerts(), START + HOUR + 120 * SECOND)
    fetch = vendor_of(times, 50)
    bench.puller(fetch).pull()
    times.append(START + 5 * SECOND)
    bench.clock.advance(600)
    bench.puller(fetch).pull()
    assert ids(bench) == ["1", "0"]
    bench.clock.advance(3600)
    bench.puller(fetch).pull()
    assert ids(bench) == ["1", "0", "2"]
    assert hours(0, 1) in bench.store.states_of(REPAIRED)


def test_late_alert_of_an_hour_that_was_finished_long_after() -> None:
    """An outage between two readings of an hour does not spare it the second look.

    The first was too early for what came late; the second began after it.
    """
    times = [START, START + 50 * 60 * SECOND]
    bench = Bench(alerts(), START + 40 * 60 * SECOND)
    fetch = vendor_of(times, 50)
    bench.puller(fetch).pull()
    times.append(START + 5 * SECOND)
    bench.clock.advance(3 * 3600)
    bench.puller(fetch).pull()
    bench.clock.advance(600)
    bench.puller(fetch).pull()
    assert sorted(ids(bench)) == ["0", "1", "2"]
    assert hours(0, 1) in bench.store.states_of(REPAIRED)


def owing(bench: Bench, hour: Window) -> Checkpoint:
    """The checkpoint, with an hour owed anew."""
    return rules.owing(bench.checkpoint, hour.start, hour.end)


@pytest.mark.parametrize(("now", "state"), [([1, 2], VERIFIED), ([1, 2, 3], PARTIAL)])
def test_forgotten_hour_is_only_compared(now: list[int], state: str) -> None:
    """An hour whose ids are gone is counted and compared, never delivered by itself."""
    bench = archive()
    bench.puller(ScriptedFetch([record(2), record(1)])).pull()
    bench.store.forget(SOURCE_ID)
    bench.restart()
    bench.stand_at(owing(bench, hours(0, 1)))
    bench.puller(ScriptedFetch([record(n) for n in now])).pull()
    assert ids(bench) == ["g-2", "g-1"]
    assert bench.store.states_of(state) == {hours(0, 1)}
    assert bench.checkpoint.owed == ()
