"""A Splunk HTTP Event Collector: it checks, indexes and acknowledges as Splunk does."""

from __future__ import annotations

import json
from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests.fakes.receivers import Answer, Posted

TOKEN = "b0221cd8-c4b4-465a-9a3c-273e3a75aa29"
CHANNEL = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

_CODES = {
    0: (200, "Success"),
    4: (403, "Invalid token"),
    6: (400, "Invalid data format"),
    7: (400, "Incorrect index"),
    9: (503, "Server is busy"),
    10: (400, "Data channel is missing"),
    12: (400, "Event field is required"),
    14: (400, "ACK is disabled"),
    24: (200, "HEC queue is approaching its capacity limit"),
}


def told(code: int, **more: int) -> Answer:
    """The answer with this code."""
    status, text = _CODES[code]
    return Answer(status, (), json.dumps({"text": text, "code": code, **more}).encode())


class HecServer:
    """``events`` are what was indexed: the event's own bytes; ``envelopes`` what was around it.

    With ``ack`` the token asks for a channel, and what was posted is indexed only after
    ``patience`` questions.  ``forget``: a restart loses what is not indexed, and all numbers.
    ``bad`` marks events that cannot be indexed; those before it are, those after it are not.
    """

    def __init__(self, *, ack: bool = False, indexes: frozenset[str] = frozenset()) -> None:
        self.ack = ack
        self.indexes = indexes
        self.patience = 1
        self.bad: frozenset[bytes] = frozenset()
        self.events: list[bytes] = []
        self.envelopes: list[dict[str, object]] = []
        self.asked = 0
        self._waiting: dict[int, tuple[list[bytes], int]] = {}
        self._next: defaultdict[str, int] = defaultdict(int)

    def forget(self) -> None:
        """Restart."""
        self._waiting.clear()
        self._next.clear()

    def __call__(self, posted: Posted) -> Answer:
        """Answer one request."""
        url = urlsplit(posted.path)
        if posted.headers.get("authorization") != f"Splunk {TOKEN}":
            return told(4)
        channel = posted.headers.get("x-splunk-request-channel", "")
        if self.ack and not channel:
            return told(10)
        if url.path == "/services/collector/ack":
            return self._acknowledge(posted) if self.ack else told(14)
        if url.path == "/services/collector/raw":
            fields = {name: values[0] for name, values in parse_qs(url.query).items()}
            around: list[dict[str, object]] = [{**fields}]
            return self._index(posted.body.splitlines(), around, channel)
        if url.path == "/services/collector/event":
            return self._events(posted.body.splitlines(), channel)
        return Answer(404)

    def _events(self, lines: list[bytes], channel: str) -> Answer:
        events: list[bytes] = []
        around: list[dict[str, object]] = []
        for number, line in enumerate(lines):
            fields = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            event = bytes(fields.pop("event", msgspec.Raw(b"")))
            envelope = {name: msgspec.json.decode(value) for name, value in fields.items()}
            code = self._code(event, envelope)
            if code:
                self.events += events
                return told(code, **{"invalid-event-number": number})
            events.append(event)
            around.append(envelope)
        return self._index(events, around, channel)

    def _code(self, event: bytes, envelope: dict[str, object]) -> int:
        if not event:
            return 12
        if event in self.bad:
            return 6
        known = not self.indexes or envelope.get("index") in self.indexes
        return 0 if known else 7

    def _index(self, events: list[bytes], around: list[dict[str, object]], channel: str) -> Answer:
        self.envelopes += around
        if not self.ack:
            self.events += events
            return told(0)
        number = self._next[channel]
        self._next[channel] += 1
        self._waiting[number] = (events, self.patience)
        return told(0, ackId=number)

    def _acknowledge(self, posted: Posted) -> Answer:
        self.asked += 1
        acks = {str(n): self._indexed(n) for n in json.loads(posted.body)["acks"]}
        return Answer(200, (), json.dumps({"acks": acks}).encode())

    def _indexed(self, number: int) -> bool:
        """Whether the post is indexed now; that is said once."""
        events, patience = self._waiting.get(number, ([], 0))
        if patience != 1:
            if events:
                self._waiting[number] = (events, patience - 1)
            return False
        del self._waiting[number]
        self.events += events
        return True
