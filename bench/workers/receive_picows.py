"""Receives an archive hour by picows, each message as bytes, and drops it.

python -m bench.workers.receive_picows FOLDER URL
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import picows

from bench.certificate import Certificate
from bench.meter import spent, tell


class Counter(picows.WSListener):
    """Counts messages."""

    def __init__(self) -> None:
        super().__init__()
        self.messages = 0
        self.size = 0

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Take a frame."""
        if frame.msg_type == picows.WSMsgType.TEXT:
            self.size += len(frame.get_payload_as_bytes())
            self.messages += 1
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.disconnect()


async def receive(folder: Path, url: str) -> None:
    """Take the session to its end."""
    counter = Counter()
    context = Certificate.kept(folder).client()
    transport, _ = await picows.ws_connect(lambda: counter, url, ssl_context=context)
    with spent() as took:
        await transport.wait_disconnected()
    tell(messages=counter.messages, seconds=took.seconds, cpu=took.cpu)


if __name__ == "__main__":
    asyncio.run(receive(Path(sys.argv[1]), sys.argv[2]))
