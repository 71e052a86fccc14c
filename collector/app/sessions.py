"""Sessions of one PoD input, no more of them an hour than its settings allow."""

from __future__ import annotations

import threading

from collector.core.allowance import Hourly
from collector.core.log import Log
from collector.core.model import Clock, Request
from collector.errors import Stopped
from collector.wire.stream import Stream
from collector.wire.websocket import WebSocketWire


class Allowance:
    """Counts the handshakes of all services of an input; safe to use from many threads."""

    def __init__(self, limit: int, clock: Clock, log: Log) -> None:
        """Allow ``limit`` handshakes an hour; 0 is any number."""
        self._hourly = Hourly(limit)
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next handshake may be made; raises ``Stopped`` when the program stops."""
        with self._lock:
            seconds = self._hourly.admit(self._clock.monotonic())
        if seconds > 0:
            self._log.info(
                "The sessions of this hour are used up: the next is opened in %.0f seconds "
                "(rate.sessions_per_hour)",
                seconds,
            )
            if self._clock.sleep(seconds):
                raise Stopped


class MeasuredWire:
    """A wire whose handshakes wait for the allowance."""

    def __init__(self, wire: WebSocketWire, allowance: Allowance) -> None:
        self._wire = wire
        self._allowance = allowance

    def open(self, request: Request) -> Stream:
        """The stream of a signed request; raises what ``WebSocketWire.open`` does."""
        self._allowance.wait()
        return self._wire.open(request)
