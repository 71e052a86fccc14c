"""Batches of 1,000 records or five minutes, as users of Sumo Logic know them."""

from __future__ import annotations

from collector.clock import SystemClock
from collector.core.model import Request
from collector.core.times import SECOND
from collector.simulator import frames
from collector.wire.stream import StreamLimits
from collector.wire.websocket import WebSocketWire
from tests.fakes.batches import FIRST
from tests.fakes.config import changed, settings
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
