"""The generic stream: arrivals to events, and what a break means for its hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import msgspec
import pytest

from collector.codecs.framing import framing
from collector.codecs.registry import CODECS, again, made
from collector.core import times
from collector.core.bounds import EXAMINED, Bounds
from collector.core.checkpoint import Live
from collector.core.decoded import Record
from collector.core.flatten import flattener
from collector.core.ledger import COMPLETE, OPEN, PARTIAL, UNRECOVERABLE
from collector.core.model import NO_TIME, Event, Request, Response, Window
from collector.core.times import HOUR, SECOND
from collector.errors import SessionEnded
from collector.pullers import gaps
from collector.pullers.base import Source
from collector.pullers.framed import FramedSession
from collector.pullers.stream import Streamer, Turns
from collector.pullers.websocket_stream import (
    WebSocketSettings,
    stream_request,
    websocket_stream,
)
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import SOURCE_ID, START, Bench, hours
from tests.fakes.wire import ScriptedConnect, ScriptedSession

REQUEST = stream_request("wss://stream.example.com/v1?topic=mail")
LIMIT = 1000


def at(name: str) -> Callable[[dict[str, Any]], Any]:
    """What finds a field."""
    return lambda fields: fields.get(name)


def source(codec: str = "json", **changed: Any) -> Source:
    """The stream as a source; its own sessions are called r1, r2, ..."""
    numbers = count(1)
    defaults = {
        "tag": "websocket.stream",
        "records": flattener("none", ""),
        "decode": CODECS[codec](LIMIT),
        "decode_again": again(codec, LIMIT),
        "decode_made": made(codec, LIMIT),
        "new_session": lambda: f"r{next(numbers)}",
    }
    return websocket_stream(WebSocketSettings(**{**defaults, **changed}))


def framed(
    inner: ScriptedSession, clock: ManualClock, method: str = "none", at_once: int = 100
) -> FramedSession:
    """The session with its messages cut."""
    cutter = framing(method, LIMIT, b"", spans=False)
    return FramedSession(inner, cutter, clock, "s", at_once)


def events(made: Source, *messages: bytes, method: str = "none") -> list[Event]:
    """The events of a session's messages; nothing may be rejected."""
    clock = ManualClock(START)
    session = framed(ScriptedSession(clock, [messages]), clock, method)
    page = made.read(Response(request=REQUEST, status=101, messages=session.read()))
    assert page.rejected == []
    return page.events


def test_the_request_keeps_the_query() -> None:
    """The URI is the operator's."""
    assert Request(method="GET", url="wss://stream.example.com/v1?topic=mail") == REQUEST


def test_equal_records_are_different_events() -> None:
    """They are told apart by where they came; their time is that at which they came."""
    one, two, three, four = events(source(), b'{"a":1}', b'{"a":1}', b'[{"a":1},{"a":1}]')
    assert [each.id for each in (one, two, three, four)] == ["s-1", "s-2", "s-3.0", "s-3.1"]
    assert {each.time for each in (one, two, three, four)} == {START}
    assert one.raw == b'{"a":1}'


def test_an_id_of_its_own() -> None:
    """It is in the event's id; without ``deduplicate`` equal ones are still different."""
    made = source(id_of=at("id"))
    text, number, none = events(made, b'{"id":"x"}', b'{"id":7}', b'{"id":[1]}')
    assert [text.id, number.id, none.id] == ["x#s-1", "7#s-2", "s-3"]
    assert [text.flags, none.flags] == [(), ("no_id",)]


def test_repeats_have_equal_ids() -> None:
    """With ``deduplicate``: by id, or by the content in whatever order."""

    def moment(fields: dict[str, Any]) -> int:
        return times.parse(fields.get("t", "2026-01-01"))

    made = source(id_of=at("id"), deduplicate=True, time_of=moment)
    one, two = events(made, b'{"id":"x","t":"2026-01-01"}', b'{"t":"2026-01-01","id":"x","b":1}')
    assert (one.id, one.time) == (two.id, two.time) == ("x", START)
    one, two = events(source(deduplicate=True, time_of=moment), b'{"a":1,"b":2}', b'{"b":2, "a":1}')
    assert one.id == two.id
    assert one.id.startswith("sha256:")


def test_an_id_that_is_too_long_is_none() -> None:
    """It would go with every copy of the record."""
    (event,) = events(source(id_of=at("id")), b'{"id":"%b"}' % (b"x" * 513))
    assert (event.id, event.flags) == ("s-1", ("no_id",))


@pytest.mark.parametrize(("deduplicate", "time"), [(False, START), (True, NO_TIME)])
def test_a_time_that_cannot_be_read(deduplicate: bool, time: int) -> None:  # noqa: FBT001 - a table
    """The moment of arrival stands for it, unless repeats must be known."""

    def unreadable(_fields: dict[str, Any]) -> int:
        raise ValueError

    made = source(time_of=unreadable, deduplicate=deduplicate)
    (event,) = events(made, b"{}")
    assert (event.time, event.flags) == (time, ("no_time",))


def test_what_cannot_be_read_is_kept_aside() -> None:
    """By framing, codec or bounds; the rest of the page is not touched."""
    clock = ManualClock(START)
    messages = [b"%b\n{\n[{},{]" % (b"x" * 1001), b'{"a":1}\n{"b":"%b"}' % (b"y" * 900)]
    session = framed(ScriptedSession(clock, [messages]), clock, "newline")
    made = source(bounds=Bounds(depth=1))
    page = made.read(Response(request=REQUEST, status=101, messages=session.read()))
    assert [each.raw[:3] for each in page.rejected] == [b"xxx", b"{", b"[{}"]
    assert [each.id for each in page.events] == ["s-4", "s-5"]


def test_records_beyond_their_bounds() -> None:
    """As in every other source: what a destination could not take apart is kept aside."""
    clock = ManualClock(START)
    deep = b'{"x":%b%b%b}' % (b"[" * 70, b"1," * 40_000 + b"1", b"]" * 70)
    session = FramedSession(
        ScriptedSession(clock, [[deep]]),
        framing("none", 1 << 20, b"", spans=False),
        clock,
        "s",
        10,
    )
    page = source().read(Response(request=REQUEST, status=101, messages=session.read()))
    assert [each.reason for each in page.rejected] == ["nested deeper than max_depth (64)"]


@pytest.mark.parametrize(
    ("codec", "frame"),
    [
        ("raw", b"hello"),
        ("raw", b"\xff"),
        ("syslog", b"<34>1 2026-01-01T00:00:00Z h app - - - hello"),
        ("syslog", b"<34>Jan  1 00:00:00 h app: {}"),
        ("json", b'{"a":1}'),
        ("json", b'[["\xff",2]]'),
        ("native_json", b'{"metric":{"a":1}}'),
        ("native_json", b'{"log":{"a":1}}'),
        ("native_json", b'{"log":{"log":{"a":1}}}'),
        ("native_json", b'{"log":{"a":"\xff"}}'),
        ("gelf", b'{"version":"1.1","host":"a.example.com","short_message":"x"}'),
    ],
)
def test_a_record_is_restored(codec: str, frame: bytes) -> None:
    """What a pipeline kept aside is the record that it was, not a message that holds one."""
    (record,) = CODECS[codec](LIMIT)(frame)
    assert isinstance(record, Record)
    restore = source(codec).restore
    assert restore is not None
    page = restore(record.original or record.raw, START)
    assert [(each.raw, each.flags, each.time) for each in page.events] == [
        (record.raw, record.flags, START)
    ]
    assert page.rejected == []


def test_what_the_codec_refused_is_not_taken_for_a_record() -> None:
    """A letter of Vector's that was none is none when it is read again."""
    assert source("native_json").reread(b'{"a":1}').rejected
    assert source("native_json").reread(b'{"log":{"a":1}}').events[0].raw == b'{"a":1}'


def test_a_record_beyond_its_bounds_can_be_read_again() -> None:
    """Once they are wider: what is kept aside is what its codec reads."""
    deep = b'{"x":[[1]],"y":"%b"}' % (b"y" * EXAMINED)
    for frame in (b'{"log":%b}' % deep, b'[{"log":%b},{"metric":{}}]' % deep):
        clock = ManualClock(START)
        cutter = framing("none", 1 << 20, b"", spans=False)
        session = FramedSession(ScriptedSession(clock, [[frame]]), cutter, clock, "s", 10)
        narrow = source("native_json", bounds=Bounds(depth=2))
        page = narrow.read(Response(request=REQUEST, status=101, messages=session.read()))
        (refused,) = page.rejected
        (event,) = source("native_json").reread(refused.raw).events
        assert event.raw == deep


@pytest.mark.parametrize("frame", [b"hello {", b"{", b'{"a":1} {', b'{"a":"\xff"}'])
def test_reread_of_a_message(frame: bytes) -> None:
    """What is no whole object is a message, as it was when it came."""
    (record,) = CODECS["raw"](LIMIT)(frame)
    assert isinstance(record, Record)
    assert [each.raw for each in source("raw").reread(frame).events] == [record.raw]


def test_reread() -> None:
    """A dead letter is read once more; equal ones are still different."""
    made = source("raw")
    ids = [made.reread(b"x").events[0].id for _ in range(2)]
    assert ids == ["r1-0", "r2-0"]
    assert source().reread(b"{").rejected


def test_it_asks_for_nothing() -> None:
    """There is no archive."""
    made = source()
    bench = Bench(made, START)
    assert made.plan(bench.checkpoint, START + 9 * HOUR) is None


def unpacked(arrivals: Sequence[bytes]) -> list[Any]:
    """The frames of arrivals."""
    return [msgspec.msgpack.decode(each)[0] for each in arrivals]


def test_a_message_of_many_frames_is_given_in_parts() -> None:
    """What is not given yet keeps the session lasting, and counts as not heard."""
    clock = ManualClock(START)
    inner = ScriptedSession(clock, [[b"a\nb\nc"], [b"d"]])
    session = framed(inner, clock, "newline", at_once=2)
    with session:
        assert unpacked(session.read()) == [b"a", b"b"]
        clock.advance(7)
        assert session.silent_for == 7
        assert unpacked(session.read()) == [b"c"]
        assert unpacked(session.read()) == [b"d"]
        assert session.silent_for == 0
        assert (session.lasts, unpacked(session.read()), session.lasts) == (True, [], False)
        assert (session.clean, session.ended) == (True, "clean")
    assert inner.let_go


def test_finish_gives_all_that_is_left() -> None:
    """What waited, what was in flight, and what stayed unfinished."""
    clock = ManualClock(START)
    inner = ScriptedSession(clock, [[b"1 a1 b1 c"]], in_flight=[b"1 d2 e"])
    session = framed(inner, clock, "octet_counting", at_once=1)
    assert unpacked(session.read()) == [b"a"]
    assert unpacked(session.finish()) == [b"b", b"c", b"d", b"2 e"]
    assert not session.lasts


def test_what_a_session_left_unfinished_is_kept_aside() -> None:
    """It is the last arrival, with the reason."""
    clock = ManualClock(START)
    session = framed(ScriptedSession(clock, [[b"1 a5 bc"]], ends="abrupt"), clock, "octet_counting")
    messages = [*session.read(), *session.read()]
    page = source("raw").read(Response(request=REQUEST, status=101, messages=messages))
    assert [each.reason for each in page.rejected] == ["the session ended within this record"]
    assert len(page.events) == 1


def test_gaps() -> None:
    """From the last moment heard; a minute more when the end proves nothing."""
    fresh = Bench(source(), START).checkpoint
    assert gaps.before(fresh, START) is None
    for clean, earlier in ((True, 0), (False, 60)):
        live = Live(START + HOUR, clean=clean, unbroken_since=START)
        heard = msgspec.structs.replace(fresh, live=live)
        gap = gaps.before(heard, START + 2 * HOUR)
        assert gap is not None
        assert (gap.start, gap.end) == (START + HOUR - earlier * SECOND, START + 2 * HOUR)
    behind = gaps.before(heard, START - HOUR)  # a clock that was set back
    assert behind is not None
    assert behind.end == START - HOUR


def test_a_stream_begins_with_its_first_session() -> None:
    """No hour before it is missing, and a later session changes nothing about that."""
    first = gaps.resumed(Bench(source(), START).checkpoint, START + HOUR)
    assert first.initial_start_time == START + HOUR
    assert gaps.resumed(first, START + 2 * HOUR).initial_start_time == START + HOUR


def test_many_breaks_in_one_hour() -> None:
    """All are named for as long as that is readable; the last one always."""
    bench = Bench(source(), START)
    for minute in range(0, 60, 2):
        start = START + minute * 60 * SECOND
        gap = Window(start, start + SECOND)
        bench.intake.advance(lambda each: each, gaps.missed(gap, bench.intake.account))
        if minute == 2:
            reason = bench.intake.account(hours(0, 1)).reason or ""
            assert reason.count("not heard from") == 2
    row = bench.intake.account(hours(0, 1))
    assert row.state == PARTIAL
    assert row.reason is not None
    assert "00:58:00Z to 2026-01-01T00:58:01Z" in row.reason
    assert len(row.reason) <= 500


class Listening:
    """The stream over scripted sessions, opened as the collector does it."""

    def __init__(self, bench: Bench, *sessions: ScriptedSession | Exception) -> None:
        self._bench = bench
        self._connect = ScriptedConnect(*sessions)

    def open(self, request: Request) -> FramedSession:
        """The next session; what was missed before it is told."""
        inner = self._connect(request)
        intake, now = self._bench.intake, self._bench.clock.now()
        dated = self._bench.source.dated
        gap = gaps.before(intake.checkpoint, now, dated=dated)
        entries = gaps.session_entries(intake.checkpoint, now, intake.account, dated=dated)
        intake.advance(lambda checkpoint: gaps.resumed(checkpoint, now, dated=dated), entries)
        if gap is not None:
            self._bench.journal.missed(SessionEnded(311, gaps.spelled(gap), "nothing"))
        return framed(inner, self._bench.clock)

    def run(self) -> None:
        """Until the program stops."""
        bench = self._bench
        Streamer(
            bench.source,
            REQUEST,
            self.open,
            None,
            bench.intake,
            Turns(memory=1000 * 24 * HOUR, slack=0),
            bench.journal,
            bench.clock,
            bench.rng,
        ).run()


def test_only_hours_between_two_gaps_are_complete() -> None:
    """Those with a break are partial, one that nobody heard is lost; the first is complete.

    Its row says from when on: nothing was ever promised of what lies before.
    """
    bench = Bench(source("raw"), START + HOUR // 2)
    silent: list[Any] = [[b"x"], *[100.0] * 72, [b"y"]]  # two hours, up to 02:30
    first = ScriptedSession(bench.clock, silent, at_end=lambda: bench.clock.advance(2 * 3600))
    then: list[Any] = [[b"x"], *[100.0] * 60, [b"z"]]
    second = ScriptedSession(bench.clock, then, at_end=bench.clock.stop)
    Listening(bench, first, second).run()
    assert bench.store.states_of(COMPLETE) == {hours(0, 1), hours(1, 2), hours(5, 6)}
    reason = bench.store.account(SOURCE_ID, hours(0, 1)).reason
    assert reason == "heard from 2026-01-01T00:30:00Z on, when it began"
    assert bench.store.states_of(UNRECOVERABLE) == {hours(3, 4)}
    assert bench.store.states_of(PARTIAL) == {hours(2, 3), hours(4, 5)}
    row = bench.store.account(SOURCE_ID, hours(2, 3))
    assert row.reason is not None
    assert row.reason.startswith("not heard from 2026-01-01T02:30:00Z to 2026-01-01T04:3")
    assert bench.checkpoint.owed == ()
    assert bench.delivered(lambda each: each["message"]) == ["x", "y", "x", "z"]
    assert sum("PullError 311" in text for text in bench.log.texts("WARNING")) == 1


def test_a_crash_is_a_break() -> None:
    """What had arrived in the minute before it may be lost, too."""
    bench = Bench(source("raw"), START + 61 * 60 * SECOND)
    session = ScriptedSession(bench.clock, [[b"x"], 100.0, [b"y"]], at_end=bench.clock.stop)
    Listening(bench, session).run()
    live = bench.checkpoint.live
    assert live is not None
    bench.stand_at(
        msgspec.structs.replace(
            bench.checkpoint,
            live=Live(START + 2 * HOUR, clean=False, unbroken_since=live.unbroken_since),
        )
    )
    bench.wake(START + 2 * HOUR + SECOND)
    Listening(bench, ScriptedSession(bench.clock, [], at_end=bench.clock.stop)).run()
    assert bench.store.states_of(PARTIAL) == {hours(1, 2), hours(2, 3)}


def test_a_clock_that_is_set_back_stops_no_stream_of_arrivals() -> None:
    """Their times are our own: no sender's time says that the clock is wrong."""
    bench = Bench(source("raw"), START + 10 * HOUR)

    def set_back() -> None:
        bench.clock.jump(-5 * 3600.0)

    first = ScriptedSession(bench.clock, [[b"w"], *[100.0] * 40, [b"x"]], at_end=set_back)
    then: list[Any] = [[b"y"], *[100.0] * 80, [b"z"]]
    second = ScriptedSession(bench.clock, then, at_end=bench.clock.stop)
    before = bench.clock.monotonic()
    Listening(bench, first, second).run()
    assert bench.delivered(lambda each: each["message"]) == ["w", "x", "y", "z"]
    assert bench.log.texts("ERROR") == []
    assert bench.clock.monotonic() - before < 4 * 3600
    assert hours(7, 8) in bench.store.states_of(COMPLETE)


def test_a_sender_s_time_still_says_that_the_clock_is_behind() -> None:
    """With ``time_field`` a clock that was not set yet is waited for."""

    def moment(fields: dict[str, Any]) -> int:
        return int(fields["t"])

    made = source(time_of=moment)
    bench = Bench(made, START + 10 * HOUR)
    record = b'{"t":%d}' % (START + 11 * HOUR)

    def set_back() -> None:
        bench.clock.jump(-5 * 3600.0)

    first = ScriptedSession(bench.clock, [[record], *[100.0] * 40, [record]], at_end=set_back)
    second = ScriptedSession(bench.clock, [[record]], at_end=bench.clock.stop)
    Listening(bench, first, second).run()
    assert any("PullError 308" in text for text in bench.log.texts("ERROR"))


def test_a_clock_that_was_behind_for_a_while_makes_no_gap_of_years() -> None:
    """A machine that began in 1970, and was set right later: the stream is no older than it is."""
    bench = Bench(source("raw"), START)
    in_order = ScriptedSession(bench.clock, [[b"x"], *[100.0] * 72])
    Listening(bench, in_order, ScriptedSession(bench.clock, [], at_end=bench.clock.stop)).run()
    bench.wake(HOUR)
    Listening(bench, ScriptedSession(bench.clock, [[b"y"]], at_end=bench.clock.stop)).run()
    bench.wake(START + 5 * HOUR)
    Listening(bench, ScriptedSession(bench.clock, [[b"z"]], at_end=bench.clock.stop)).run()
    assert bench.delivered(lambda each: each["message"]) == ["x", "y", "z"]
    touched = {span for _source, span in bench.store.rows}
    assert len(touched) < 10
    assert bench.store.account(SOURCE_ID, hours(0, 1)).state == PARTIAL


@pytest.mark.parametrize("ends", ["clean", "abrupt"])
def test_a_break_in_the_very_first_hour_is_one(ends: str) -> None:
    """Also right after the beginning; the hour before it was never promised."""
    bench = Bench(source("raw"), START + HOUR + 30 * SECOND)
    first = ScriptedSession(
        bench.clock, [[b"x"], 20.0], ends=ends, at_end=lambda: bench.clock.advance(600)
    )
    then: list[Any] = [[b"y"], *[100.0] * 40, [b"z"]]
    second = ScriptedSession(bench.clock, then, at_end=bench.clock.stop)
    Listening(bench, first, second).run()
    assert bench.store.states_of(PARTIAL) == {hours(1, 2)}
    assert (SOURCE_ID, hours(0, 1)) not in bench.store.rows


def ahead(bench: Bench, hours: int) -> Callable[[], None]:
    """What sets the clock forward, or back."""
    return lambda: bench.clock.jump(hours * 3600.0)


def test_what_a_clock_told_that_ran_ahead_is_taken_back() -> None:
    """Arrivals have its times alone: no hour that it called complete hides the outage."""
    bench = Bench(source("raw"), START)
    right = ScriptedSession(bench.clock, [[b"w"], *[100.0] * 18], at_end=ahead(bench, 5))
    wrong: list[Any] = [[b"x"], *[100.0] * 108, [b"y"]]  # as 05:30 to 08:30
    second = ScriptedSession(bench.clock, wrong, at_end=bench.clock.stop)
    Listening(bench, right, second).run()
    bench.wake(START + 6 * HOUR + HOUR // 2)  # set right meanwhile
    Listening(bench, ScriptedSession(bench.clock, [[b"z"]], at_end=bench.clock.stop)).run()
    assert bench.store.states_of(COMPLETE) == set()
    assert bench.store.states_of(PARTIAL) == {hours(0, 1), hours(5, 6), hours(6, 7)}
    assert bench.store.states_of(UNRECOVERABLE) == {hours(n, n + 1) for n in range(1, 5)}
    again = bench.store.account(SOURCE_ID, hours(7, 8))
    assert again.state == OPEN
    assert "the clock was set back from 2026-01-01T08:3" in (again.reason or "")
    (gap,) = [each for each in bench.log.texts("WARNING") if "05:30:00Z to" in each]
    assert "not heard from 2026-01-01T05:30:00Z to 2026-01-01T06:30" in gap


class SetBack(ScriptedSession):
    """A session during which the clock is set back five hours, before the last step."""

    def __init__(self, clock: ManualClock, script: list[Any], at_end: Callable[[], None]) -> None:
        super().__init__(clock, script, at_end=at_end)
        self._wall = clock
        self._reads = len(script)

    def read(self) -> Sequence[bytes]:
        """Play the next step."""
        self._reads -= 1
        if self._reads == 0:
            self._wall.jump(-5 * 3600.0)
        return super().read()


def test_a_clock_that_is_set_right_while_the_stream_is_heard() -> None:
    """From then on the marks are true: the outage after it is told as long as it was."""
    bench = Bench(source("raw"), START)
    right = ScriptedSession(bench.clock, [[b"w"], *[100.0] * 18], at_end=ahead(bench, 5))
    wrong: list[Any] = [[b"x"], *[100.0] * 108, [b"y"]]  # the last at 03:30
    second = SetBack(bench.clock, wrong, lambda: bench.clock.advance(3 * 3600.0))
    third = ScriptedSession(bench.clock, [[b"z"]], at_end=bench.clock.stop)
    Listening(bench, right, second, third).run()
    assert any(
        "not heard from 2026-01-01T03:30:00Z to 2026-01-01T06:30" in each
        for each in bench.log.texts("WARNING")
    )
    assert hours(4, 5) in bench.store.states_of(UNRECOVERABLE)
    assert bench.store.states_of(PARTIAL) >= {hours(3, 4), hours(5, 6), hours(6, 7)}
    assert bench.store.states_of(COMPLETE) == set()
    assert bench.store.account(SOURCE_ID, hours(7, 8)).state == OPEN
