"""Our WebSocket client as an echo client of the Autobahn fuzzing server.

    python tests/external/autobahn_client.py ws://127.0.0.1:9001

The collector never sends data, but the suite judges a client by its echo.  So the
session here is ``Stream`` itself, with its own connection settings, pongs and
close; only its socket also sends each message back.
"""

from __future__ import annotations

import ssl
import sys

from aiohttp import WSMsgType

from collector.clock import SystemClock
from collector.core.model import Request
from collector.errors import CollectorError
from collector.wire.websocket import Stream, StreamLimits

AGENT = "collector"
LIMITS = StreamLimits(idle=60.0)


class EchoStream(Stream):
    """A session that sends every message back as it came."""

    async def _connect(self, request: Request, tls: ssl.SSLContext | None) -> None:
        await super()._connect(request, tls)
        receive, send = self._socket.receive, self._socket.send_frame

        async def echoing() -> object:
            message = await receive()
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                await send(message.data, message.type)
            return message

        self._socket.receive = echoing  # type: ignore[method-assign,assignment]


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
        except (CollectorError, ConnectionError) as error:
            sys.stderr.write(f"case {number}: {error}\n")
        if number % 50 == 0 or number == total:
            sys.stderr.write(f"{number} of {total} cases\n")
    session(f"{server}/updateReports", clock)


if __name__ == "__main__":
    main(sys.argv[1])
