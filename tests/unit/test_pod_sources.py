"""The three PoD services as sources (docs/vendor-notes.md, PoD 1 to 8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from collector.core import checkpoint as rules
from collector.core.checkpoint import Checkpoint
from collector.core.flatten import flattener
from collector.core.ledger import UNRECOVERABLE
from collector.core.model import Request, Response
from collector.core.times import HOUR
from collector.pullers.base import Source
from collector.pullers.pod import PodSettings, live_request
from collector.pullers.pod_audit import pod_audit
from collector.pullers.pod_maillog import pod_maillog
from collector.pullers.pod_message import pod_message
from tests.fakes.pulls import START, hours, message

URL = "wss://stream.example.com/v1/stream"
SERVICES = [pod_message, pod_maillog, pod_audit]


def settings(**changed: Any) -> PodSettings:
    """The settings of a cluster."""
    defaults = {"url": URL, "cluster_id": "example_hosted", "tag": "mail.proofpoint.pod.x"}
    return PodSettings(**{**defaults, "records": flattener("none", ""), **changed})


def prepared(source: Source, checkpoint: Checkpoint, hour: float) -> Checkpoint:
    """The checkpoint after the source put it in order."""
    return source.prepare(checkpoint, START + round(hour * HOUR)).checkpoint


def test_live_request() -> None:
    """Live has no times: any would make it an archive request."""
    assert live_request(settings(), "audit") == Request(
        method="GET", url=URL, params={"cid": "example_hosted", "type": "audit"}
    )


@pytest.mark.parametrize("service", SERVICES)
def test_archive_request(service: Callable[[PodSettings], Source]) -> None:
    """One whole UTC hour, in milliseconds and with an offset, counted in that hour."""
    source = service(settings())
    plan = source.plan(rules.owing(rules.started(START), START, START + HOUR), START + 9 * HOUR)
    assert plan is not None
    assert plan.request.params == {
        "cid": "example_hosted",
        "type": source.service,
        "sinceTime": "2026-01-01T00:00:00.000+0000",
        "toTime": "2026-01-01T01:00:00.000+0000",
    }
    assert plan.window == plan.counted_in == hours(0, 1)
    assert not plan.keeps_cursor


@pytest.mark.parametrize(
    ("service", "ids"),
    [
        (pod_message, ["g-1", "g-2", "i"]),
        (pod_maillog, ["i-1", "i-2", "i"]),
        (pod_audit, ["g-1", "g-2", None]),
    ],
)
def test_identity(service: Callable[[PodSettings], Source], ids: list[str | None]) -> None:
    """Messages and audit events are known by guid, log lines by id; a guid can be absent."""
    messages = [message(1, START), message(2, START), b"", b'{"id":"i"}']
    request = live_request(settings(), "x")
    page = service(settings()).read(Response(request=request, status=101, messages=messages))
    assert page.next is None
    for event, expected in zip(page.events, ids, strict=True):
        assert event.id == expected or (expected is None and event.id.startswith("sha256:"))


def test_oldest_hour_first() -> None:
    """Owed hours are asked for one by one, oldest first, once they are old enough."""
    source = pod_message(settings(archive_delay=2 * HOUR))
    checkpoint = rules.owing(rules.started(START), START + HOUR, START + 3 * HOUR)
    checkpoint = rules.owing(checkpoint, START + 5 * HOUR, START + 6 * HOUR)
    windows = []
    while (plan := source.plan(checkpoint, START + 5 * HOUR)) is not None:
        windows.append(plan.window)
        checkpoint = source.close(checkpoint, plan)
    assert windows == [hours(1, 2), hours(2, 3)]
    assert checkpoint.owed == (hours(5, 6),)


def test_second_looks_follow_owed_hours() -> None:
    """What is owed comes before what is looked at again."""
    source = pod_message(settings())
    checkpoint = rules.look_again(rules.started(START), hours(0, 1), START)
    both = rules.owing(checkpoint, START + 2 * HOUR, START + 3 * HOUR)
    owed = source.plan(both, START + 9 * HOUR)
    look = source.plan(checkpoint, START + 9 * HOUR)
    assert owed is not None
    assert look is not None
    assert (owed.window, owed.look) == (hours(2, 3), False)
    assert (look.window, look.look) == (hours(0, 1), True)


def test_live_mode_asks_nothing_of_the_archive() -> None:
    """Live alone never opens an archive session, and plans none."""
    source = pod_message(settings(mode="live"))
    checkpoint = rules.owing(rules.started(START), START, START + HOUR)
    assert source.plan(checkpoint, START + 9 * HOUR) is None
    assert prepared(source, rules.started(START), 9) == rules.started(START)


def test_archive_plans_all_hours_that_can_be_given() -> None:
    """From the configured start up to the newest hour that is old enough."""
    checkpoint = prepared(pod_message(settings(mode="archive")), rules.started(START), 5.5)
    assert (checkpoint.owed, checkpoint.since) == ((hours(0, 4),), START + 4 * HOUR)


def test_hybrid_plans_only_before_its_first_session() -> None:
    """After a live session only what that one may have missed is owed."""
    source = pod_message(settings())
    assert prepared(source, rules.started(START), 5.5).owed == (hours(0, 4),)
    heard = rules.connected(rules.started(START + 5 * HOUR), START + 5 * HOUR, HOUR, 0)
    assert prepared(source, heard, 9.5).owed == heard.owed


def test_hours_beyond_retention() -> None:
    """What the vendor no longer keeps is not asked for; the ledger says so, hour by hour."""
    source = pod_message(settings(mode="archive", retention=3 * HOUR))
    before = rules.look_again(rules.started(START), hours(-2, -1), START)
    answer = source.prepare(before, START + 5 * HOUR + 1)
    assert answer.checkpoint.owed == (hours(3, 4),)
    assert answer.checkpoint.looks == ()
    assert {entry.span for entry in answer.entries} == {
        *(hours(n, n + 1) for n in range(3)),
        hours(-2, -1),
    }
    assert {entry.state for entry in answer.entries} == {UNRECOVERABLE}
    assert source.prepare(answer.checkpoint, START + 5 * HOUR + 1).entries == []


def test_retention_inside_an_owed_span() -> None:
    """Younger hours of the same span are still asked for."""
    source = pod_message(settings(retention=718 * HOUR))
    long_ago = rules.started(START - 800 * HOUR)
    checkpoint = prepared(source, long_ago, 0)
    assert checkpoint.owed == (hours(-718, -1),)


def test_too_large() -> None:
    """A message beyond the limit is kept aside with its beginning, and costs nothing else."""
    source = pod_message(settings(max_message=2_000_000))
    sent = [message(1, START), b"x" * 2_000_001, message(2, START)]
    page = source.read(Response(request=live_request(settings(), "x"), status=101, messages=sent))
    assert [event.id for event in page.events] == ["g-1", "g-2"]
    (rejected,) = page.rejected
    assert len(rejected.raw) == 1024 * 1024
    assert "2000001 > 2000000" in rejected.reason


def test_reread() -> None:
    """What was kept aside is read once more."""
    source = pod_message(settings())
    assert source.reread(message(1, START)).events[0].id == "g-1"
    assert source.reread(b"{").rejected
