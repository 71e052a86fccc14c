"""Splunk: envelopes, places of errors, codes, and indexer acknowledgement."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from collector.core.model import NO_TIME, SpooledBatch
from collector.errors import Undelivered
from collector.senders.deliver import deliver
from collector.senders.error_numbers import SETTINGS_REFUSED, UNACKNOWLEDGED
from collector.senders.splunk_hec import AckPolicy, HecLabels, SplunkHecSender
from collector.senders.statistics import DeliveryStats
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.hec import CHANNEL, TOKEN, HecServer, told
from tests.fakes.http_destinations import base
from tests.fakes.receivers import Answer, HttpReceiver, Posted
from tests.fakes.spool import MemorySpool

RECORDS = numbered(1, 20)
POLICY = AckPolicy(timeout=60.0, interval=20.0)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """A host."""
    with HttpReceiver() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the sender."""
    return ManualClock(FIRST)


@pytest.fixture
def server(receiver: HttpReceiver) -> HecServer:
    """A collector that acknowledges, on that host."""
    made = HecServer(ack=True)
    receiver.answer = made
    return made


@pytest.fixture
def sender(
    receiver: HttpReceiver, server: HecServer, clock: ManualClock
) -> Iterator[SplunkHecSender]:
    """A sender that waits for the indexer."""
    assert server.ack
    made = SplunkHecSender(
        url=base(receiver.url),
        token=TOKEN,
        channel=CHANNEL,
        acknowledgement=POLICY,
        clock=clock,
        timeout=2.0,
    )
    yield made
    made.close()


@pytest.fixture
def plain(receiver: HttpReceiver, clock: ManualClock) -> Iterator[SplunkHecSender]:
    """A sender to an index, without acknowledgement."""
    made = SplunkHecSender(
        url=base(receiver.url),
        token=TOKEN,
        channel=CHANNEL,
        labels=HecLabels(index="mail", source="{tag}", sourcetype="pp:{service}", host="{input}"),
        clock=clock,
        timeout=2.0,
    )
    yield made
    made.close()


def batch(number: int = 1) -> SpooledBatch:
    """A batch of PoD messages."""
    return batch_of(RECORDS, number, tag="mail.proofpoint.pod.message")


def test_envelope(receiver: HttpReceiver, plain: SplunkHecSender) -> None:
    """Each event has the fields that are set, and its own time."""
    server = HecServer(indexes=frozenset({"mail"}))
    receiver.answer = server
    timed = (
        b'{"a":1,"@collector":{"event_id":"x","event_time":"2026-01-01T11:59:43.881767Z",'
        b'"observed_time":"2026-01-01T13:30:00Z"}}'
    )
    observed = b'{"a":2,"@collector":{"event_id":"y","observed_time":"2026-01-01T13:30:00.5Z"}}'
    plain.send(batch_of([timed, observed, b'{"a":3}']))
    untimed = batch_of([b'{"a":4}'], 2, first=NO_TIME)
    plain.send(untimed)
    shared = {
        "index": "mail",
        "source": "casb.proofpoint.alert",
        "sourcetype": "pp:casb.alerts",
        "host": "casb.alerts",
    }
    times = [1_767_268_783.881, 1_767_274_200.5, FIRST / 1e6, FIRST / 1e6]
    assert server.envelopes == [{**shared, "time": time} for time in times]
    assert server.events == [timed, observed, b'{"a":3}', b'{"a":4}']


def test_raw(receiver: HttpReceiver, clock: ManualClock) -> None:
    """Raw lines have the fields in the query, and the channel that this endpoint wants."""
    server = HecServer()
    receiver.answer = server
    made = SplunkHecSender(
        url=base(receiver.url),
        token=TOKEN,
        channel=CHANNEL,
        endpoint="raw",
        labels=HecLabels(source="{tag}"),
        clock=clock,
    )
    made.send(batch())
    made.close()
    assert server.envelopes == [{"source": "mail.proofpoint.pod.message"}]
    assert server.events == RECORDS
    (posted,) = receiver.posts
    assert posted.headers["x-splunk-request-channel"] == CHANNEL
    assert posted.headers["content-encoding"] == "gzip"


def test_place_of_an_error(receiver: HttpReceiver, clock: ManualClock) -> None:
    """The event that the answer names is singled out at once, not by halving."""
    server = HecServer()
    server.bad = frozenset({RECORDS[13]})
    receiver.answer = server
    made = SplunkHecSender(url=base(receiver.url), token=TOKEN, channel=CHANNEL, clock=clock)
    refusals = made.send(batch())
    made.close()
    assert [refusal.index for refusal in refusals] == [13]
    assert "Invalid data format" in refusals[0].reason
    assert set(server.events) == set(RECORDS) - {RECORDS[13]}
    assert len(receiver.posts) == 4


@pytest.mark.parametrize("count", [1, 2, 20])
def test_unknown_index(receiver: HttpReceiver, plain: SplunkHecSender, count: int) -> None:
    """A wrong setting costs no record, however few they are, and is named."""
    receiver.answer = HecServer(indexes=frozenset({"main"}))
    with pytest.raises(Undelivered, match="code 7") as failure:
        plain.send(batch_of(RECORDS[:count]))
    assert failure.value.number == SETTINGS_REFUSED
    assert "check index" in failure.value.remedy


@pytest.mark.parametrize("code", [4, 9, 10])
def test_codes_that_pass(receiver: HttpReceiver, plain: SplunkHecSender, code: int) -> None:
    """The records wait, whatever the status that goes with the code."""
    receiver.answer = lambda _: told(code)
    with pytest.raises(Undelivered) as failure:
        plain.send(batch())
    assert TOKEN not in str(failure.value)


def test_success_with_a_warning(receiver: HttpReceiver, plain: SplunkHecSender) -> None:
    """Nearly full is taken all the same."""
    receiver.answer = lambda _: told(24)
    assert list(plain.send(batch())) == []


def test_success_that_is_none(receiver: HttpReceiver, plain: SplunkHecSender) -> None:
    """A failure's code under a success's status is a failure."""
    receiver.answer = lambda _: Answer(200, (), b'{"text":"Invalid token","code":4}')
    with pytest.raises(Undelivered):
        plain.send(batch())


def test_waits_for_the_indexer(
    server: HecServer, sender: SplunkHecSender, clock: ManualClock
) -> None:
    """Delivered is what is indexed: the flush asks until then."""
    server.patience = 4
    assert list(sender.send(batch())) == []
    assert server.events == []
    sender.flush()
    assert server.events == RECORDS
    assert clock.monotonic() == 3 * POLICY.interval


def test_acknowledgement_that_never_comes(
    receiver: HttpReceiver, server: HecServer, sender: SplunkHecSender, clock: ManualClock
) -> None:
    """After the time-out it is posted again; what was acknowledged before is not."""
    sender.send(batch(1))
    sender.flush()
    server.patience = 1000
    sender.send(batch(2))
    with pytest.raises(Undelivered) as failure:
        sender.flush()
    assert failure.value.number == UNACKNOWLEDGED
    assert clock.monotonic() == POLICY.timeout
    server.patience = 1
    sender.rewind(None)
    sender.send(batch(2))
    sender.flush()
    assert server.events == RECORDS + RECORDS
    assert sum(1 for posted in receiver.posts if posted.path.endswith("/event")) == 3


def test_restart_of_splunk(server: HecServer, sender: SplunkHecSender) -> None:
    """A number that is given twice tells that the first post is lost: it is posted again."""
    first, second = batch(1), batch_of(numbered(2, 5), 2)
    sender.send(first)
    server.forget()
    sender.send(second)
    with pytest.raises(Undelivered):
        sender.flush()
    sender.rewind(None)
    sender.send(first)
    sender.send(second)
    sender.flush()
    assert sorted(server.events) == sorted(first.lines() + second.lines())


def test_restart_of_splunk_under_the_delivery_loop(
    receiver: HttpReceiver, server: HecServer, sender: SplunkHecSender, clock: ManualClock
) -> None:
    """No acknowledgement ever comes for what Splunk lost: it is sent again, and all is there."""
    batches = [batch_of(numbered(n, 5), n) for n in (1, 2, 3)]
    restart = iter([True])

    def answer(posted: Posted) -> Answer:
        if posted.path.endswith("/ack") and next(restart, False):
            server.forget()
        return server(posted)

    receiver.answer = answer
    spool = MemorySpool(batches, clock.stop)
    log = logging.getLogger("tests")
    deliver(
        "siem", "standard", sender, spool, clock, DeliveryStats(FIRST), log, max_retry_wait=60.0
    )
    assert spool.owed == {}
    assert server.events == [line for each in batches for line in each.lines()]


def test_question_that_fails(
    receiver: HttpReceiver, server: HecServer, sender: SplunkHecSender
) -> None:
    """Nothing is posted again because a question was not answered: it is asked again."""
    sender.send(batch())
    receiver.answer = lambda _: told(9)
    with pytest.raises(Undelivered):
        sender.flush()
    receiver.answer = server
    sender.rewind(None)
    sender.send(batch())
    sender.flush()
    assert server.events == RECORDS


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"acks":{"x":true}}', b'{"acks":[1]}'])
def test_unreadable_acknowledgement(
    receiver: HttpReceiver, server: HecServer, sender: SplunkHecSender, body: bytes
) -> None:
    """It proves nothing, and is no crash."""
    assert server.events == []
    sender.send(batch())
    receiver.answer = lambda _: Answer(200, (), body)
    with pytest.raises(Undelivered):
        sender.flush()


def test_token_without_acknowledgement(
    receiver: HttpReceiver, server: HecServer, sender: SplunkHecSender
) -> None:
    """Records without a number are not delivered, and the operator hears what to switch."""
    server.ack = False
    with pytest.raises(Undelivered, match="switch on indexer acknowledgement"):
        sender.send(batch())
    receiver.answer = lambda _: told(14)
    with pytest.raises(Undelivered, match="switch on indexer acknowledgement"):
        sender.send(batch())


def test_stop(server: HecServer, sender: SplunkHecSender, clock: ManualClock) -> None:
    """At a stop the question is asked once; what is open then is sent again at the next start."""
    server.patience = 2
    sender.send(batch())
    clock.stop()
    with pytest.raises(Undelivered, match="the collector stops"):
        sender.flush()
    assert server.asked == 1


def test_sticky_session(receiver: HttpReceiver, server: HecServer, sender: SplunkHecSender) -> None:
    """The cookie of a load balancer goes back to it, so that the same server is asked."""
    cookie = (("Set-Cookie", "lb=server-3; Path=/"),)

    def balancer(posted: Posted) -> Answer:
        answer = server(posted)
        return answer._replace(headers=cookie)

    receiver.answer = balancer
    sender.send(batch())
    sender.flush()
    assert [posted.headers.get("cookie") for posted in receiver.posts] == [None, "lb=server-3"]
