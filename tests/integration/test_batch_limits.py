"""Batches of 1,000 records or five minutes, as users of Sumo Logic know them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from collector.clock import SystemClock
from collector.core.model import Request
from collector.core.times import SECOND
from collector.persistence.database import FILE_NAME
from collector.simulator import QUIET, Simulator, frames
from collector.wire.stream import StreamLimits
from collector.wire.websocket import WebSocketWire
from tests.fakes.batches import FIRST
from tests.fakes.config import changed, settings
from tests.fakes.processes import Site, document, history
from tests.fakes.raw_server import Peer, RawServer


def test_both_are_settings() -> None:
    """A thousand is the default; five minutes can be had."""
    batch = settings(changed("globals.batch", {"max_seconds": 300.0})).globals.batch
    assert (batch.max_records, batch.max_seconds) == (1000, 300.0)


def test_five_minutes_of_a_slow_stream() -> None:
    """What comes within five minutes of the clock is one batch; a full one does not wait."""

    def script(peer: Peer) -> None:
        peer.upgrade()
        peer.send(*(frames.frame(b"%d" % number, frames.TEXT) for number in range(5)))
        peer.wait()

    clock = SystemClock(FIRST, 600.0)  # five minutes in half a second
    with RawServer(script) as server:
        limits = StreamLimits(max_records=3, max_seconds=300.0)
        request = Request(method="GET", url=server.ws_url)
        stream = WebSocketWire(limits, clock).open(request)
        full = stream.read()
        begun = clock.now()
        slow = stream.read()
        waited = clock.now() - begun
        stream.abandon()
    assert (full, slow) == ([b"0", b"1", b"2"], [b"3", b"4"])
    assert waited >= 300 * SECOND


def test_an_archive_hour_is_committed_by_several_batches(tmp_path: Path) -> None:
    """Each keeps the limit; two at a time share a transaction, for what is past can wait."""
    options = history(1, 300, QUIET)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        site.document["globals"] |= {"batch": {"max_records": 20}, "stall_limit_in_seconds": 1.0}
        site.out.touch()  # a file where the output wants its folder: nothing is delivered
        assert site.run("--once") == 6, site.log
    with closing(sqlite3.connect(site.state / FILE_NAME)) as state:
        batches = "SELECT count FROM spool WHERE source LIKE '%#maillog'"
        counts = [count for (count,) in state.execute(batches)]
        ids = "SELECT count(*) FROM known WHERE source LIKE '%#maillog'"  # a row for each commit
        (commits,) = state.execute(ids).fetchone()
    assert sum(counts) == 300
    assert max(counts) == 20
    assert len(counts) == 15
    assert commits == 8
