"""Our WebSocket client as an echo client of the Autobahn fuzzing server.

    python tests/external/autobahn_client.py ws://127.0.0.1:9001

The collector never sends data, but the suite judges a client by its echo.  So the
session here is ``Stream`` itself, with its own connection settings, pongs and
close; only its inbox also sends each message back.
"""

from __future__ import annotations

import sys

from picows import WSFrame, WSMsgType, WSTransport

from collector.clock import SystemClock
from collector.core.model import Request
from collector.errors import CollectorError
from collector.wire.inbox import Inbox
from collector.wire.stream import Stream, StreamLimits

AGENT = "collector"
LIMITS = StreamLimits(idle=60.0)


class EchoInbox(Inbox):
    """An inbox that sends every message back as it came."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take the frame, then answer the message that it completed."""
        if frame.msg_type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            self._kind = frame.msg_type
        before = len(self.messages)
        super().on_ws_frame(transport, frame)
        for message in self.messages[before:]:
            transport.send(self._kind, message)


class EchoStream(Stream):
    """A session that sends every message back."""

    inbox = EchoInbox


def session(url: str, clock: SystemClock, **params: str) -> list[bytes]:
    """All messages of one session."""
    request = Request(method="GET", url=url, params={"agent": AGENT, **params})
    with EchoStream(request, LIMITS, clock, None) as stream:
        messages: list[bytes] = []
        while stream.lasts:
            messages += stream.read()
        return messages


def count(server: str, clock: SystemClock) -> int:
    """The number of cases that the server has for us."""
    request = Request(method="GET", url=f"{server}/getCaseCount")
    with Stream(request, LIMITS, clock, None) as stream:
        return int(b"".join(stream.read()))


def main(server: str) -> None:
    """Run every case, then have the reports written."""
    clock = SystemClock()
    total = count(server, clock)
    for number in range(1, total + 1):
        try:
            session(f"{server}/runCase", clock, case=str(number))
        except CollectorError as error:
            sys.stderr.write(f"case {number}: {error}\n")
        if number % 50 == 0 or number == total:
            sys.stderr.write(f"{number} of {total} cases\n")
    session(f"{server}/updateReports", clock)


if __name__ == "__main__":
    main(sys.argv[1])
