"""The live side of a PoD service, over scripted sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from collector.core import checkpoint as rules
from collector.core.checkpoint import Live
from collector.core.ledger import COMPLETE, SETTLING, UNRECOVERABLE
from collector.core.model import Request
from collector.core.times import HOUR, SECOND
from collector.errors import (
    AuthenticationError,
    SessionEnded,
    StateError,
    Stopped,
    VendorRefused,
    VendorUnavailable,
)
from collector.pullers.base import Fetch
from collector.pullers.pod import live_request
from collector.pullers.stream import Streamer, Turns
from tests.fakes.gates import ShutAfter
from tests.fakes.pulls import SOURCE_ID, START, Bench, hours, message
from tests.fakes.sources import messages, pod_settings
from tests.fakes.wire import AnsweringFetch, ScriptedConnect, ScriptedFetch, ScriptedSession

REQUEST = live_request(pod_settings(), "message")
NOTHING = AnsweringFetch(lambda _request: b"")


def bench(hour: float, *, heard: Live | None = None, **changed: Any) -> Bench:
    """A hybrid service, so many hours after its start, which was last heard then."""
    made = Bench(messages(**changed), START + round(hour * HOUR))
    if heard is not None:
        checkpoint = rules.planned(made.checkpoint, START + round(hour) * HOUR, 0)
        checkpoint = rules.paid(checkpoint, hours(0, round(hour)))
        made.stand_at(rules.connected(checkpoint, heard.heard_until, HOUR, 0))
        made.stand_at(rules.paid(made.checkpoint, hours(0, round(hour) + 1)))
        made.stand_at(rules.heard(made.checkpoint, heard.heard_until, clean=heard.clean))
    return made


def record(number: int, hour: float = 0.0) -> bytes:
    """A message of some hour."""
    return message(number, START + round(hour * HOUR))


def last(made: Bench, *script: Any, **changed: Any) -> ScriptedSession:
    """A session at whose end the program is asked to stop."""
    return ScriptedSession(made.clock, script, at_end=made.clock.stop, **changed)


def streamer(
    made: Bench,
    connect: Callable[[Request], ScriptedSession],
    archive: Fetch | None = NOTHING,
    **turns: Any,
) -> Streamer:
    """The live side over these sessions, and the archive beside it."""
    puller = None if archive is None else made.puller(archive)
    return Streamer(
        made.source,
        REQUEST,
        connect,
        puller,
        made.intake,
        Turns(**turns),
        made.journal,
        made.clock,
        made.rng,
    )


def ids(made: Bench) -> list[str]:
    """The ids of all events delivered, in order."""
    return [entry["@collector"]["event_id"] for entry in made.store.records()]


def owed_hours(made: Bench) -> list[int]:
    """The owed hours, by number."""
    return [
        (start - START) // HOUR
        for window in made.checkpoint.owed
        for start in range(window.start, window.end, HOUR)
    ]


def test_first_start() -> None:
    """All hours that the archive can give come first, then live; the hours between are owed."""
    made = bench(2.5)
    archive = ScriptedFetch([record(1)])
    session = last(made, [record(2, 2.4), record(3, 2.5)])
    streamer(made, ScriptedConnect(session), archive).run()
    assert ids(made) == ["g-1", "g-2", "g-3"]
    assert owed_hours(made) == [1, 2]
    modes = [entry["@collector"]["mode"] for entry in made.store.records()]
    assert modes == ["archive", "live", "live"]
    assert session.let_go


@pytest.mark.parametrize(
    ("ends", "gap", "owed"),
    [
        ("clean", 600.0, []),
        ("clean", 3600.0, [3, 4, 5, 6]),
        ("abrupt", 600.0, [3, 4, 5]),
        ("silent", 600.0, [3, 4, 5]),
    ],
)
def test_what_an_end_leaves_owed(ends: str, gap: float, owed: list[int]) -> None:
    """Only an orderly end, and a gap that the server remembers, leave nothing owed."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=True, unbroken_since=START))
    made.clock.advance(60)
    first = ScriptedSession(made.clock, [[record(1, 5)]], ends=ends)
    connect = ScriptedConnect(first, StateError(1, "stop here", ""))
    with pytest.raises(StateError):
        streamer(made, connect, None).run()
    made.clock.advance(gap)
    made.restart()
    streamer(made, ScriptedConnect(last(made)), None).run()
    assert owed_hours(made) == owed


def test_a_killed_process_owes() -> None:
    """A session of which no end was written proves nothing."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=False, unbroken_since=START))
    made.clock.advance(60)
    streamer(made, ScriptedConnect(last(made)), None).run()
    assert owed_hours(made) == [3, 4, 5]


def test_session_that_breaks_off_while_it_catches_up() -> None:
    """What waited for a session is as old as the server's memory, and may be lost with it."""
    made = bench(5, heard=Live(START + round(4.85 * HOUR), clean=True, unbroken_since=START))
    made.clock.advance(40 * 60)  # 5:40: the server still has all since 4:51
    breaking = ScriptedSession(made.clock, [[record(1, 4.9)]], ends="abrupt")
    with pytest.raises(StateError):
        streamer(made, ScriptedConnect(breaking, StateError(1, "stop here", "")), None).run()
    made.restart()
    streamer(made, ScriptedConnect(last(made)), None).run()
    assert set(owed_hours(made)) >= {4, 5}


def test_messages_in_flight_are_taken() -> None:
    """Closing in order takes what was on its way, and then nothing is in doubt."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=True, unbroken_since=START))

    class Stopping(ScriptedSession):
        """Asks the program to stop after its first messages."""

        def read(self) -> Any:
            """The messages."""
            made.clock.stop()
            return super().read()

    session = Stopping(made.clock, [[record(1, 5)]], in_flight=[record(2, 5)])
    streamer(made, ScriptedConnect(session), None).run()
    assert session.finished
    assert ids(made) == ["g-1", "g-2"]
    live = made.checkpoint.live
    assert live is not None
    assert (live.heard_until, live.clean) == (made.clock.now(), True)
    assert live.unbroken_since == START + 5 * HOUR


def test_a_close_that_is_not_confirmed() -> None:
    """Without the vendor's answer to the close, something may be missing."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=True, unbroken_since=START))
    made.clock.advance(60)
    session = last(made, [record(1, 5)], ends="abrupt", closable=False)
    streamer(made, ScriptedConnect(session), None).run()
    assert made.checkpoint.live is not None
    assert not made.checkpoint.live.clean


def test_live_makes_way_for_the_archive() -> None:
    """The session is closed in order when an owed hour can be fetched, then live goes on."""
    made = bench(2.9)
    archive = ScriptedFetch([record(1)], [record(4, 1.5)], [record(5, 2.5)])
    first = ScriptedSession(
        made.clock, [[record(2, 2.9)], 360.0, [record(3, 2.95)]], in_flight=[record(6, 3)]
    )
    second = last(made, [record(7, 3)], 600.0)
    streamer(made, ScriptedConnect(first, second), archive).run()
    assert first.finished
    assert ids(made) == ["g-1", "g-2", "g-6", "g-4", "g-7"]
    assert owed_hours(made) == [2]
    assert archive.left == 1
    assert made.store.totals(SOURCE_ID).spooled == 5


def test_a_failing_archive_does_not_hold_up_live() -> None:
    """What is owed stays owed, is tried again later, and live goes on meanwhile."""
    made = bench(2.5)
    archive = ScriptedFetch(
        VendorUnavailable(503, "down", "wait"), VendorRefused(400, "too old", "")
    )
    first = ScriptedSession(made.clock, [[record(1, 2.5)], 700.0, 1.0])
    second = last(made, [record(2, 2.7)])
    streamer(made, ScriptedConnect(first, second), archive).run()
    assert ids(made) == ["g-1", "g-2"]
    assert owed_hours(made) == [0, 1, 2]
    assert len(made.log.texts("ERROR")) == 2
    assert first.finished


@pytest.mark.parametrize(
    "error", [AuthenticationError(104, "no", ""), Stopped(), StateError(1, "no", "")]
)
def test_what_ends_the_service(error: Exception) -> None:
    """Refused credentials, a broken state and a stop are for the caller."""
    made = bench(2.5)
    with pytest.raises(type(error)):
        streamer(made, ScriptedConnect(error), None).run()
    with pytest.raises(type(error)):
        streamer(made, ScriptedConnect(), ScriptedFetch(error)).run()


def test_archive_hour_that_is_cut() -> None:
    """A cut archive session is like any other failure of the archive."""
    made = bench(2.5)
    cut = SessionEnded(303, "cut", "")
    archive = ScriptedFetch(cut, cut, cut)
    streamer(made, ScriptedConnect(last(made)), archive).run()
    assert owed_hours(made) == [0, 1, 2]


def test_short_sessions_are_spaced() -> None:
    """A vendor that ends every session at once is not asked in a tight loop."""
    made = bench(2.5)
    sessions = [ScriptedSession(made.clock, []) for _ in range(6)]
    streamer(made, ScriptedConnect(*sessions, last(made)), None).run()
    assert 0.5 * (1 + 2 + 4 + 8 + 16 + 32) <= made.clock.monotonic() <= 63


def test_odd_records_never_end_a_session() -> None:
    """Whatever arrives, the session lasts, and all of it is accounted for."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=True, unbroken_since=START))
    odd = [
        *(b"", b"\n", b"\xff", b"{", b"[]", b"null", b'"x"', b"{}", b"[" * 100_000),
        b'{"guid":"\xff"}',
        b'{"guid":"a","ts":"9999-12-31T23:59:59-0700"}',
        b'{"guid":"b","ts":"0001-01-01T00:00:00+0700","x":"\t\\ud800"}',
        b'{"x":' * 5000,
        b'{"guid":"c","x":%b%b}' % (b"[" * 970, b"]" * 970),
        b'{"x":"' + b'\\"' * 200_000,
        b'{"guid":"large","x":"%b"}' % (b"y" * 2_000_000),
    ]
    session = last(made, odd, [record(1, 5)], odd)
    streamer(made, ScriptedConnect(session), None).run()
    assert ids(made)[-1] == "g-1"
    totals = made.store.totals(SOURCE_ID)
    assert totals.received == 2 * (len(odd) - 2) + 1
    assert totals.dead_lettered == len(made.store.letters)
    assert {"a", "b", "large"} <= set(ids(made))


def test_silence_is_noted() -> None:
    """The checkpoint says until when live was heard, not until when it was waited for."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=True, unbroken_since=START))
    session = last(made, [record(1, 5)], 50.0, 50.0, 50.0, ends="silent")
    streamer(made, ScriptedConnect(session), None).run()
    assert made.checkpoint.live is not None
    assert made.checkpoint.live.heard_until == START + 5 * HOUR


@pytest.mark.parametrize(("verify", "state"), [(False, COMPLETE), (True, SETTLING)])
def test_hours_heard_through(verify: bool, state: str) -> None:  # noqa: FBT001 - a table
    """An hour heard without a break is complete, or compared with the archive later."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=True, unbroken_since=START))
    script = [[record(1, 5.9)], 4000.0, [record(2, 6.1)], 900.0, [record(3, 6.3)]]
    streamer(made, ScriptedConnect(last(made, *script)), None, verify=verify).run()
    assert hours(5, 6) in made.store.states_of(state)
    assert bool(made.checkpoint.looks) is verify


def test_an_hour_that_ends_between_two_sessions() -> None:
    """What the server gave after a gap that it remembers completes the hour like any other."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=True, unbroken_since=START))
    made.clock.advance(60)
    first = ScriptedSession(made.clock, [[record(1, 5)], 57 * 60.0, [record(2, 5.9)]])
    connect = ScriptedConnect(first, StateError(1, "stop here", ""))
    with pytest.raises(StateError):
        streamer(made, connect, None).run()
    made.clock.advance(20 * 60)  # 6:18: with the slack, the hour ended meanwhile
    made.restart()
    second = ScriptedSession(made.clock, [[record(3, 5.99)]], at_end=made.clock.stop)
    streamer(made, ScriptedConnect(second), None).run()
    assert owed_hours(made) == []
    assert made.store.states_of(COMPLETE) == set(), "more of it may wait"
    made.wake(made.clock.now())
    third = ScriptedSession(made.clock, [[record(4, 6.31)]], at_end=made.clock.stop)
    streamer(made, ScriptedConnect(third), None).run()
    assert owed_hours(made) == []
    assert hours(5, 6) in made.store.states_of(COMPLETE)


def test_nothing_is_read_without_room() -> None:
    """A spool that stays full closes the session in order; a stop ends the service."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=True, unbroken_since=START))
    made.gate = ShutAfter(1, times=2)
    made.restart()
    session = ScriptedSession(made.clock, [[record(1, 5)]], in_flight=[record(2, 5)])
    streamer(made, ScriptedConnect(session), None).run()
    assert session.finished
    assert ids(made) == ["g-2"]


def test_a_long_session_is_summed_up() -> None:
    """Statistics come every few minutes while a session lasts."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=True, unbroken_since=START))
    streamer(made, ScriptedConnect(last(made, *[100.0] * 10)), None).run()
    partial = [text for text in made.log.texts("INFO") if text.startswith("(Partial)")]
    assert len(partial) == 3
    assert made.log.texts("INFO")[-1] == "Live session clean"


def test_live_alone_lets_go_of_what_it_can_never_fetch() -> None:
    """Without an archive, hours beyond retention are given up and the ledger says so."""
    made = bench(30, mode="live", retention=10 * HOUR)
    streamer(made, ScriptedConnect(last(made)), None).run()
    made.wake(START + 50 * HOUR)
    streamer(made, ScriptedConnect(last(made)), None).run()
    assert min(owed_hours(made)) == 28
    assert hours(0, 1) in made.store.states_of(UNRECOVERABLE)


def test_replayed_records_alone_are_an_alarm() -> None:
    """A stream that brings only what is known is reported once."""
    made = bench(5, heard=Live(START + 5 * HOUR, clean=True, unbroken_since=START))
    known = [record(n, 5) for n in range(10_001)]
    streamer(made, ScriptedConnect(last(made, known)), None).run()
    made.wake(START + 5 * HOUR + 60 * SECOND)
    streamer(made, ScriptedConnect(last(made, known, known, known)), None).run()
    assert sum("PullError 307" in text for text in made.log.texts("ERROR")) == 1


def test_live_alone_begins_with_its_first_session() -> None:
    """Nothing before it was promised: the hour in which it began is complete, from then on."""
    made = bench(5.7, mode="live")
    script = [[record(1, 5.8)], 4000.0, [record(2, 6.9)], 900.0, [record(3, 7.1)]]
    streamer(made, ScriptedConnect(last(made, *script)), None, begins=True).run()
    assert made.checkpoint.initial_start_time == START + int(5.7 * HOUR)
    assert owed_hours(made) == []
    assert made.store.states_of(COMPLETE) == {hours(5, 6)}
    reason = made.store.account(SOURCE_ID, hours(5, 6)).reason
    assert reason == "heard from 2026-01-01T05:42:00Z on, when it began"


def test_live_alone_with_a_break_in_its_first_hour() -> None:
    """What was in flight then may be missing: the hour stays open, and becomes a gap."""
    made = bench(5.1, mode="live")
    first = ScriptedSession(made.clock, [[record(1, 5.2)], 900.0], ends="abrupt")
    second = last(made, [record(2, 5.5)], 4000.0, [record(3, 6.9)], 900.0, [record(4, 7.1)])
    streamer(made, ScriptedConnect(first, second), None, begins=True).run()
    assert hours(5, 6) not in made.store.states_of(COMPLETE)
