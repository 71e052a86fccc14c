"""Destinations over HTTP: any URL, and the services that have their own interface."""

from __future__ import annotations

from collections.abc import Callable

from collector.senders.base import Sender
from collector.senders.elasticsearch import ElasticsearchSender
from collector.senders.http_client import ClientOptions
from collector.senders.sentinel import SentinelSender
from collector.senders.splunk_hec import AckPolicy, SplunkHecSender
from collector.senders.sumo_logic import SumoLogicSender
from tests.fakes import azure, hec, sumo
from tests.fakes.azure import AzureServer
from tests.fakes.batches import FIRST
from tests.fakes.bulk import BulkServer
from tests.fakes.clock import ManualClock
from tests.fakes.hec import HecServer
from tests.fakes.receivers import Answer, HttpReceiver, Posted, newline_lines
from tests.fakes.sumo import SumoServer

VENDORS = ("splunk-event", "splunk-raw", "splunk-ack", "elasticsearch", "sumo", "sentinel")


class HttpDestination:
    """An HTTP server that answers 503 to one post.

    ``usual`` is what it answers else, ``read`` what it has then; where ``objects_only``,
    it takes JSON objects and nothing else.
    """

    def __init__(
        self,
        receiver: HttpReceiver,
        make: Callable[[str], Sender],
        usual: Callable[[Posted], Answer] = lambda _: Answer(),
        read: Callable[[], list[bytes]] | None = None,
        *,
        objects_only: bool = False,
    ) -> None:
        self.receiver = receiver
        self.objects_only = objects_only
        self._make = make
        self._usual = usual
        self._read = read or self._accepted
        self.repair()

    def sender(self) -> Sender:
        """A sender to the server."""
        return self._make(self.receiver.url)

    def lines(self) -> list[bytes]:
        """The records that were taken."""
        return self._read()

    def fail_once(self) -> None:
        """Fail the third post from now."""
        turn = iter([False, False, True])

        def answer(posted: Posted) -> Answer:
            return Answer(503) if next(turn, False) else self._usual(posted)

        self.receiver.answer = answer

    def repair(self) -> None:
        """Be well again."""
        self.receiver.answer = self._usual

    def _accepted(self) -> list[bytes]:
        return [line for posted in self.receiver.accepted for line in newline_lines(posted.body)]


def vendor(kind: str, receiver: HttpReceiver, timeout: float) -> HttpDestination:
    """One of ``VENDORS``, with a sender that adds nothing to the records."""
    options = ClientOptions(clock=ManualClock(FIRST), timeout=timeout)
    if kind.startswith("splunk"):
        return _splunk(kind, receiver, options)
    if kind == "elasticsearch":
        return _elasticsearch(receiver, options)
    if kind == "sumo":
        return _sumo(receiver, options)
    return _sentinel(receiver, options)


def base(url: str) -> str:
    """The host of a receiver's URL."""
    return url.removesuffix("/in")


def _splunk(kind: str, receiver: HttpReceiver, options: ClientOptions) -> HttpDestination:
    acks = kind == "splunk-ack"
    server = HecServer(ack=acks)

    def make(url: str) -> SplunkHecSender:
        return SplunkHecSender(
            url=base(url),
            token=hec.TOKEN,
            channel=hec.CHANNEL,
            endpoint="raw" if kind == "splunk-raw" else "event",
            acknowledgement=AckPolicy() if acks else None,
            **options,
        )

    return HttpDestination(receiver, make, server, lambda: server.events)


def _elasticsearch(receiver: HttpReceiver, options: ClientOptions) -> HttpDestination:
    server = BulkServer()

    def make(url: str) -> ElasticsearchSender:
        return ElasticsearchSender(url=base(url), index="logs", time_field=None, **options)

    return HttpDestination(
        receiver, make, server, lambda: [*server.documents.values()], objects_only=True
    )


def _sumo(receiver: HttpReceiver, options: ClientOptions) -> HttpDestination:
    server = SumoServer()

    def make(url: str) -> SumoLogicSender:
        return SumoLogicSender(url=base(url) + sumo.PATH, **options)

    return HttpDestination(receiver, make, server, lambda: server.messages)


def _sentinel(receiver: HttpReceiver, options: ClientOptions) -> HttpDestination:
    server = AzureServer()

    def make(url: str) -> SentinelSender:
        return SentinelSender(
            endpoint=base(url),
            authority=base(url),
            rule_id=azure.RULE,
            stream_name=azure.STREAM,
            tenant_id=azure.TENANT,
            client_id=azure.CLIENT,
            client_secret=azure.SECRET,
            time_field=None,
            **options,
        )

    return HttpDestination(receiver, make, server, lambda: server.rows, objects_only=True)
