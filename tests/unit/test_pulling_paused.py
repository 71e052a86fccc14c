"""What pulls and live sessions do while the spool has no room."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

import pytest

from collector.core.flatten import flattener
from collector.core.model import Request, Response
from collector.core.times import HOUR
from collector.errors import Stopped
from collector.pullers.casb_alerts import LIST_FIELD, AlertsSettings, casb_alerts
from collector.pullers.pod import PodSettings, live_request
from collector.pullers.pod_message import pod_message
from collector.pullers.stream import Streamer, Turns
from tests.fakes.pulls import START, Bench, as_json, message

PAGE = 2


class Room:
    """A gate that a test opens and shuts; ``longest`` holds how long each one would wait."""

    def __init__(self) -> None:
        self.open = True
        self.fits = 1 << 30
        self.longest: list[float | None] = []
        self.when_shut: Callable[[], None] = lambda: None

    def shut(self) -> None:
        """From now on there is no room."""
        self.open = False

    def wait(self, longest: float | None = None) -> bool:
        """Whether it is open, after the test has had its turn."""
        if self.open:
            return True
        self.longest.append(longest)
        self.when_shut()
        return self.open

    def admitted(self, size: int) -> AbstractContextManager[bool]:
        """Whether pages up to ``fits`` bytes may be committed."""
        return nullcontext(enter_result=size <= self.fits)


def alerts(room: Room) -> Bench:
    """The alerts service, with pages of two."""
    settings = AlertsSettings(
        url="http://vendor.example.com",
        tag="t",
        records=flattener("none", LIST_FIELD),
        page_size=PAGE,
        second_look=0,
    )
    return Bench(casb_alerts(settings), START + HOUR, gate=room)


class Vendor:
    """Answers pages of alerts, newest first; ``calls`` are the pages that were asked for."""

    def __init__(self, count: int, after: Callable[[int], None] = lambda _page: None) -> None:
        self.calls: list[int] = []
        self._ids = list(range(count))
        self._after = after

    def fetch(self, request: Request) -> Iterator[Response]:
        """One page."""
        page = request.json["page"]
        self.calls.append(page)
        ids = self._ids[page * PAGE : (page + 1) * PAGE]
        body = [{"id": f"id-{each}", "timestamp": START // 1000} for each in ids]
        yield Response(request=request, status=200, body=as_json({"alerts": body}))
        self._after(page)


def test_no_page_is_asked_for_without_room() -> None:
    """A pull that finds no room asks the vendor nothing and leaves the checkpoint alone."""
    room, vendor = Room(), Vendor(5)
    bench = alerts(room)
    room.open = False
    with pytest.raises(Stopped):
        bench.puller(vendor.fetch).pull()
    assert vendor.calls == []
    assert bench.checkpoint.since == START


def test_the_page_under_way_is_committed_and_the_next_one_waits() -> None:
    """What was fetched is never dropped; the following pull goes on, and nothing is lost."""
    room = Room()
    vendor = Vendor(5, after=lambda page: setattr(room, "open", page != 0))
    bench = alerts(room)
    with pytest.raises(Stopped):
        bench.puller(vendor.fetch).pull()
    assert vendor.calls == [0]
    assert len(bench.delivered()) == PAGE
    assert bench.checkpoint.since == START
    room.open = True
    bench.puller(Vendor(5).fetch).pull()
    assert sorted(bench.delivered()) == [f"id-{number}" for number in range(5)]
    assert bench.checkpoint.since > START


def test_a_page_that_does_not_fit_is_left_to_the_next_pull() -> None:
    """It is not committed beyond the limit; when the program stops, it is asked for again."""
    room = Room()
    bench = alerts(room)
    room.fits = 10
    room.when_shut = bench.clock.stop
    vendor = Vendor(5)
    with pytest.raises(Stopped):
        bench.puller(lambda request: shutting(room, vendor.fetch(request))).pull()
    assert bench.store.batches == []
    assert bench.checkpoint.since == START


def shutting(room: Room, answers: Iterator[Response]) -> Iterator[Response]:
    """The same answers; from the first one on there is no room."""
    for response in answers:
        room.shut()
        yield response


class Session:
    """A live session that says one thing a second; ``goodbye`` was in flight at its end."""

    def __init__(
        self,
        bench: Bench,
        says: list[bytes],
        goodbye: Sequence[bytes] = (),
        on_read: Callable[[], None] = lambda: None,
    ) -> None:
        self.bench = bench
        self.reads = 0
        self.clean = False
        self.ended = "still lasts"
        self.silent_for = 0.0
        self._says = iter(says)
        self._goodbye = goodbye
        self._on_read = on_read

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.finish()

    @property
    def lasts(self) -> bool:
        """Whether it is still open."""
        return not self.clean

    def read(self) -> list[bytes]:
        """The next message; the program stops when there is none left."""
        self.reads += 1
        self.bench.clock.advance(1)
        self._on_read()
        found = next(self._says, None)
        if found is None:
            self.bench.clock.stop()
        return [] if found is None else [found]

    def finish(self) -> Sequence[bytes]:
        """Close in order."""
        if self.clean:
            return ()
        self.clean, self.ended = True, "closed in order"
        return self._goodbye


def streamer(bench: Bench, sessions: Iterator[Session]) -> Streamer:
    """The live side of PoD messages over prepared sessions, with no archive beside it."""
    return Streamer(
        bench.source,
        live_request(SETTINGS, "message"),
        lambda _request: next(sessions),
        None,
        bench.intake,
        Turns(),
        bench.journal,
        bench.clock,
        bench.rng,
    )


SETTINGS = PodSettings(
    url="ws://vendor.example.com",
    cluster_id="acme_hosted",
    tag="t",
    records=flattener("none", ""),
    mode="live",
)


def live(room: Room) -> Bench:
    """A PoD service with the clock at a whole hour."""
    return Bench(pod_message(SETTINGS), START, gate=room)


def guids(bench: Bench) -> list[str]:
    """The messages that were taken."""
    return [json.loads(line)["guid"] for line in bench.store.lines()]


def test_a_stream_is_not_opened_without_room() -> None:
    """At the start with a full spool no session is asked for."""
    room = Room()
    room.open = False
    bench = live(room)
    streamer(bench, iter(())).run()
    assert room.longest == [None]
    assert bench.store.batches == []


def test_a_short_pause_keeps_the_session() -> None:
    """Nothing is read meanwhile; afterwards the same session goes on."""
    room = Room()
    bench = live(room)
    session = Session(bench, [message(1, START), message(2, START)], on_read=room.shut)

    def shortly() -> None:
        bench.clock.advance(59)
        room.open = True

    room.when_shut = shortly
    streamer(bench, iter([session])).run()
    assert guids(bench) == ["g-1", "g-2"]
    assert room.longest == [60.0, 60.0]


def test_a_long_pause_ends_the_session_in_order() -> None:
    """What was in flight is taken; the next session begins when there is room, and only then."""
    room = Room()
    bench = live(room)
    first = Session(bench, [message(1, START)], [message(2, START)], on_read=room.shut)
    second = Session(bench, [message(3, START)])

    def later() -> None:
        bench.clock.advance(600)
        room.open = first.clean

    room.when_shut = later
    streamer(bench, iter([first, second])).run()
    assert room.longest == [60.0, None]
    assert guids(bench) == ["g-1", "g-2", "g-3"]
    assert first.reads == 1
    assert bench.checkpoint.owed[-1].end <= START + HOUR


def test_what_live_gave_is_taken_even_where_it_does_not_fit() -> None:
    """It is not given twice: the session was held up before, so this is one batch at most."""
    room = Room()
    bench = live(room)
    room.fits = 0
    streamer(bench, iter([Session(bench, [message(1, START)])])).run()
    assert guids(bench) == ["g-1"]


def test_a_pause_beyond_the_memory_of_the_server_is_owed() -> None:
    """Hours in which nothing was heard are for the archive, from the last one heard on."""
    room = Room()
    bench = live(room)
    first = Session(bench, [message(1, START)], on_read=room.shut)

    def hours_later() -> None:
        room.open = first.clean
        bench.clock.advance(8 * 3600 if first.clean else 60)

    room.when_shut = hours_later
    streamer(bench, iter([first, Session(bench, [])])).run()
    owed = bench.checkpoint.owed
    assert owed[0].start <= START
    assert owed[-1].end >= START + 8 * HOUR
