"""Receives an archive hour by the product's own WebSocket.

python -m bench.workers.receive_product FOLDER PORT CLUSTER SINCE UNTIL
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.certificate import HOST
from bench.meter import spent, tell
from collector.clock import SystemClock
from collector.core.model import Request
from collector.wire.stream import StreamLimits
from collector.wire.tls import vendor_context
from collector.wire.websocket import WebSocketWire, batches


def main(folder: str, port: str, cluster: str, since: str, until: str) -> None:
    """Take the session to its end."""
    params = {"cid": cluster, "type": "message", "sinceTime": since, "toTime": until}
    url = f"wss://{HOST}:{port}/v1/stream"
    wire = WebSocketWire(StreamLimits(), SystemClock(), vendor_context(Path(folder) / "ca.pem"))
    stream = wire.open(Request(method="GET", url=url, params=params))
    with spent() as took:
        messages = sum(len(each.messages) for each in batches(stream))
    tell(messages=messages, seconds=took.seconds, cpu=took.cpu)


if __name__ == "__main__":
    main(*sys.argv[1:])
