"""Splunk's HTTP Event Collector: events or raw lines, with indexer acknowledgement.

The interface is that of Splunk's pages "Format events for HTTP Event Collector",
"Input endpoint descriptions" and "About HTTP Event Collector Indexer Acknowledgment".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Unpack
from urllib.parse import urlencode

import msgspec

from collector.core.model import Clock, Frozen, Micros, SpooledBatch
from collector.core.times import SECOND
from collector.core.wirejson import splice
from collector.errors import Undelivered
from collector.senders.base import Hold
from collector.senders.compression import Compression, compressed
from collector.senders.error_numbers import UNACKNOWLEDGED
from collector.senders.http_answers import excerpt, outcome
from collector.senders.http_batches import PartSender, Unconfirmed
from collector.senders.http_client import ClientOptions, HttpClient, Reply, shown
from collector.senders.http_endpoint import content_headers
from collector.senders.http_parts import Outcome, Part, joined
from collector.senders.records import described, named, time_of
from collector.senders.splunk_acks import Acknowledgements
from collector.senders.splunk_answers import (
    Told,
    acknowledged,
    around,
    failure,
    parsed,
    verdict,
)

# As many numbers are asked for at one time; an answer takes some 16 bytes for each.
_MOST_ASKED = 10_000
_MAX_ACKS_BYTES = 64 * _MOST_ASKED


class AckPolicy(Frozen, frozen=True):
    """How long to wait for the indexer, in clock seconds: in all, and between two questions."""

    timeout: float = 300.0
    interval: float = 1.0


class HecLabels(Frozen, frozen=True):
    """Splunk's default fields, as patterns (see ``records.named``); None leaves one out."""

    index: str | None = None
    source: str | None = None
    sourcetype: str | None = None
    host: str | None = None

    def of(self, batch: SpooledBatch) -> dict[str, str]:
        """The fields of a batch's records."""
        patterns: dict[str, str | None] = msgspec.structs.asdict(self)
        return {name: named(text, batch) for name, text in patterns.items() if text is not None}


class SplunkHecSender(PartSender):
    """Posts to ``url`` + ``path`` + ``/event`` or ``/raw``.

    ``acknowledgement`` None: taken is delivered.  ``channel`` is a GUID of this sender's own.
    """

    def __init__(
        self,
        *,
        url: str,
        token: str,
        channel: str,
        path: str = "/services/collector",
        endpoint: Literal["event", "raw"] = "event",
        labels: HecLabels | None = None,
        acknowledgement: AckPolicy | None = None,
        hold: Hold | None = None,
        compression: Compression = "gzip",
        max_request_bytes: int = 1_000_000,
        **client: Unpack[ClientOptions],
    ) -> None:
        # Behind a load balancer only the server that took a post knows its number.
        sticky = acknowledgement is not None
        hec = _Collector(
            HttpClient(**client, cookies=sticky),
            clock=client["clock"],
            base=url + path,
            token=token,
            channel=channel,
            raw=endpoint == "raw",
            labels=labels or HecLabels(),
            policy=acknowledgement,
            compression=compression,
        )
        super().__init__(hec, max_bytes=max_request_bytes, hold=hold or Hold())


class _Collector:
    """The endpoint of one channel."""

    def __init__(
        self,
        client: HttpClient,
        *,
        clock: Clock,
        base: str,
        token: str,
        channel: str,
        raw: bool,
        labels: HecLabels,
        policy: AckPolicy | None,
        compression: Compression,
    ) -> None:
        self._client = client
        self._clock = clock
        self._base = base
        self._url = f"{base}/{'raw' if raw else 'event'}"
        self._place = shown(self._url)
        self._token = token
        self._raw = raw
        self._labels = labels
        self._policy = policy
        self._compression = compression
        self._headers = {"Authorization": f"Splunk {token}", "X-Splunk-Request-Channel": channel}
        self._acks = Acknowledgements()

    def lines(self, batch: SpooledBatch) -> Sequence[bytes]:
        """The records: each in an envelope with its time, or as they are."""
        if self._raw:
            return batch.lines()
        envelope = msgspec.json.encode(self._labels.of(batch))
        now = self._clock.now()
        return [
            _event(envelope, line, time_of(described(line), batch, now)) for line in batch.lines()
        ]

    def post(self, part: Part) -> Outcome:
        """Post the part; with acknowledgement, remember its number."""
        reply = self._posted(part)
        answer = parsed(reply)
        decided = verdict(reply, answer)
        if decided == "retry":
            raise failure(reply, answer, self._place)
        if decided == "accept":
            self._expect(answer, part)
        elif reply.status == 400 and len(part.lines) > 1:
            return around(part, answer)
        said = excerpt(reply.body, [self._token])
        reason = f"{self._place} answered {reply.status}: {said}"
        return outcome(part, reply, decided, self._place, reason)

    def confirm(self) -> Unconfirmed | None:
        """Ask until everything is indexed; what is not in time is to be posted again."""
        policy = self._policy
        if policy is None:
            return None
        while asked := self._acks.waiting(_MOST_ASKED):
            self._acks.settle(acknowledged(self._query(asked), self._place))
            lost = self._acks.take_lost(self._clock.monotonic() - policy.timeout)
            if lost:
                return Unconfirmed(lost, self._unacknowledged(len(lost)))
            if self._acks.waiting(1) and self._clock.sleep(policy.interval):
                raise _stopping(self._place)
        lost = self._acks.take_lost(float("-inf"))
        return Unconfirmed(lost, self._unacknowledged(len(lost))) if lost else None

    def close(self) -> None:
        """Close the connections; the numbers stay good."""
        self._client.close()

    def _posted(self, part: Part) -> Reply:
        """The answer to the part; raw lines have their fields in the query."""
        fields = self._labels.of(part.batch) if self._raw else {}
        query = f"?{urlencode(fields)}" if fields else ""
        content = content_headers(
            "text/plain" if self._raw else "application/json", self._compression
        )
        return self._client.post(
            self._url + query,
            compressed(joined(part.lines, "ndjson"), self._compression),
            {**self._headers, **content},
            place=self._place,
        )

    def _expect(self, answer: Told, part: Part) -> None:
        """Remember the number of a post that was taken; raises when it has none."""
        if self._policy is None:
            return
        if answer.ack_id is None:
            raise Undelivered(
                UNACKNOWLEDGED,
                f"{self._place} took the records without a number to ask for",
                "switch on indexer acknowledgement for the token in Splunk, or off in "
                "acknowledgement.enabled; the records are sent again",
            )
        self._acks.expect(answer.ack_id, part, self._clock.monotonic())

    def _query(self, numbers: Sequence[int]) -> Reply:
        """Ask which of these posts are indexed."""
        headers: Mapping[str, str] = {**self._headers, "Content-Type": "application/json"}
        return self._client.post(
            f"{self._base}/ack",
            msgspec.json.encode({"acks": numbers}),
            headers,
            place=self._place,
            max_answer=_MAX_ACKS_BYTES,
        )

    def _unacknowledged(self, count: int) -> Undelivered:
        """The failure of posts that were taken and not indexed in time."""
        return Undelivered(
            UNACKNOWLEDGED,
            f"{self._place} took {count} posts, but has not said that they are indexed",
            "look at Splunk's indexers; behind a load balancer switch on sticky sessions; "
            "the posts are sent again",
        )


def _stopping(place: str) -> Undelivered:
    """The failure of posts whose acknowledgement can no longer be waited for."""
    return Undelivered(
        UNACKNOWLEDGED,
        f"the collector stops before {place} has said that the last posts are indexed",
        "nothing: they are sent again at the next start",
    )


def _event(envelope: bytes, line: bytes, time: Micros) -> bytes:
    """The record in its envelope; the time is written as ``<seconds>.<milliseconds>``."""
    seconds, fraction = divmod(time, SECOND)
    stamped = splice(envelope, b'"time"', b"%d.%03d" % (seconds, fraction // 1000))
    return splice(stamped, b'"event"', line)
