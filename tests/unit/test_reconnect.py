"""What a server repeats or leaves out when a live session begins anew (row 24)."""

from __future__ import annotations

import random

import pytest

from collector.core import checkpoint as rules
from collector.core.ledger import REPAIRED
from collector.core.model import Request
from collector.core.times import HOUR
from collector.pullers.stream import Streamer, Turns
from tests.fakes.pulls import MINUTE, SOURCE_ID, START, Bench, hours, message
from tests.fakes.sources import messages
from tests.fakes.wire import ScriptedConnect, ScriptedFetch, ScriptedSession

RECORDS = [message(n, START + n * MINUTE) for n in range(60)]


def listen(bench: Bench, *sessions: ScriptedSession) -> None:
    """Hear all sessions; the last one ends the program."""
    Streamer(
        bench.source,
        Request(method="GET", url="wss://stream.example.com"),
        ScriptedConnect(*sessions),
        None,
        bench.intake,
        Turns(),
        bench.journal,
        bench.clock,
        random.Random(7),
    ).run()


def live() -> Bench:
    """A service that begins to listen at the start."""
    bench = Bench(messages(mode="hybrid"), START)
    bench.stand_at(rules.completed(bench.checkpoint, START))
    return bench


@pytest.mark.parametrize("repeated", [1, 7, 30])
@pytest.mark.parametrize("ends", ["clean", "abrupt"])
def test_what_is_repeated_is_dropped(repeated: int, ends: str) -> None:
    """However much the server gives once more: each record is delivered once, and counted."""
    bench = live()
    first = ScriptedSession(bench.clock, [RECORDS[:30]], ends=ends)
    second = ScriptedSession(bench.clock, [RECORDS[30 - repeated :]], at_end=bench.clock.stop)
    listen(bench, first, second)
    assert bench.delivered() == [f"i-{n}" for n in range(60)]
    assert bench.store.totals(SOURCE_ID).duplicate == repeated


@pytest.mark.parametrize("skipped", [1, 7, 29])
def test_what_is_left_out_is_owed(skipped: int) -> None:
    """A gap is the archive's: it gives what is missing, and the ledger says how many."""
    bench = live()
    first = ScriptedSession(bench.clock, [RECORDS[:30]], ends="abrupt")
    second = ScriptedSession(bench.clock, [RECORDS[30 + skipped :]], at_end=bench.clock.stop)
    listen(bench, first, second)
    missing = [f"i-{n}" for n in range(30, 30 + skipped)]
    assert not set(missing) & set(bench.delivered())
    assert hours(0, 1) in bench.checkpoint.owed

    archive = live()
    archive.store = bench.store
    archive.restart()
    archive.clock.advance(2 * HOUR / 1_000_000)
    archive.puller(ScriptedFetch(RECORDS)).pull()
    assert archive.delivered()[-skipped:] == missing
    assert sorted(archive.delivered()) == sorted(f"i-{n}" for n in range(60))
    assert archive.store.states_of(REPAIRED) == {hours(0, 1)}
    assert archive.store.account(SOURCE_ID, hours(0, 1)).repaired == skipped
