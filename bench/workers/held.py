"""Holds messages as the product does between the socket and the store.

    python -m bench.workers.held MESSAGES

Events as the message service reads them, with the bytes that came.
"""

from __future__ import annotations

import gc
import sys

from bench.meter import resident, tell
from bench.records import SIZE, pod_messages
from collector.app.pod import pod_source
from collector.config.pod import PodInput
from collector.core.model import Event, Request, Response

_PAGE = 1000


def main(messages: int) -> None:
    """Read pages until so many events are held."""
    credentials = {"cluster_id": "acme_hosted", "token": "invented"}
    found = PodInput.model_validate({"credentials": credentials, "services": {"message": {}}})
    assert found.services.message is not None  # noqa: S101 - it is in the document
    source = pod_source(found, "message", found.services.message)
    request = Request(method="GET", url="wss://pod.example.com")
    page = pod_messages(_PAGE)
    held: list[Event] = []
    source.read(Response(request=request, status=101, messages=_fresh(page)))
    gc.collect()
    before = resident()
    for _ in range(messages // _PAGE):
        held += source.read(Response(request=request, status=101, messages=_fresh(page))).events
    gc.collect()
    tell(records=len(held), raw=len(held) * SIZE, bytes=resident() - before)


def _fresh(messages: list[bytes]) -> list[bytes]:
    """The same messages in memory of their own, as they come from a socket."""
    return [bytes(bytearray(message)) for message in messages]


if __name__ == "__main__":
    main(int(sys.argv[1]))
