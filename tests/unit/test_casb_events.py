"""The events service as a source (docs/vendor-notes.md, CASB A4)."""

from __future__ import annotations

from typing import Any

import pytest

from collector.core import checkpoint as rules
from collector.core.flatten import flattener
from collector.core.model import NO_TIME, Page, Request, Response
from collector.core.times import HOUR, SECOND
from collector.errors import UnreadableAnswer
from collector.pullers.base import Plan, Source
from collector.pullers.casb_events import LIST_FIELD, EventsSettings, casb_events
from tests.fakes.pulls import START, as_json, event, hours

URL = "https://events.example.com/v2/events"


def source(**changed: Any) -> Source:
    """The source of a tenant."""
    records = flattener("split", LIST_FIELD)
    defaults = {"url": URL, "tag": "casb.proofpoint.event", "records": records}
    return casb_events(EventsSettings(**{**defaults, **changed}))


def plan_of(
    events: Source, checkpoint: rules.Checkpoint | None = None, now: int = START + HOUR
) -> Plan:
    """What is asked for next."""
    plan = events.plan(checkpoint or rules.started(START + 61 * SECOND), now)
    assert plan is not None
    return plan


def read(events: Source, **body: Any) -> Page:
    """The page of an answer of these fields."""
    request = Request(method="GET", url=URL)
    return events.read(Response(request=request, status=200, body=as_json(body)))


def test_first_request() -> None:
    """Without a cursor, a GET from the minute up to which everything was taken."""
    plan = plan_of(source())
    assert plan.request == Request(method="GET", url=URL, params={"startTime": "2026-01-01T00:01"})
    assert plan.window.end == START + HOUR - 60 * SECOND
    assert plan.keeps_cursor


def test_cursor_goes_before_time() -> None:
    """A cursor that was kept is used, and nothing else."""
    request = plan_of(source(), rules.at_cursor(rules.started(START), "c+/=")).request
    assert request.params == {"nextPage": "c+/="}


@pytest.mark.parametrize(
    ("start_format", "text"),
    [
        ("minute", "2026-01-01T00:01"),
        ("iso", "2026-01-01T00:01:01Z"),
        ("epoch_s", "1767225661"),
        ("epoch_ms", "1767225661000"),
    ],
)
def test_start_formats(start_format: str, text: str) -> None:
    """The spelling of the start is a setting."""
    events = source(start_format=start_format, start_param="from", method="POST")
    request = plan_of(events).request
    assert (request.method, request.params) == ("POST", {"from": text})


def test_nothing_is_due_before_it_settled() -> None:
    """Within the settle delay there is nothing to ask."""
    assert source().plan(rules.started(START), START + 60 * SECOND) is None


def test_pages() -> None:
    """A page with content and a token is followed by another."""
    page = read(source(), size=1, nextPageToken="t", content=[{"eventId": "a"}])
    assert (page.events[0].id, page.cursor) == ("a", "t")
    assert page.next is not None
    assert page.next.params == {"nextPage": "t"}


@pytest.mark.parametrize(
    ("body", "cursor"),
    [
        ({"content": [], "nextPageToken": "t", "size": 0}, "t"),
        ({"content": [], "nextPageToken": None}, None),
        ({"content": [{"eventId": "a"}]}, None),
        ({"content": [{"eventId": "a"}], "nextPageToken": ""}, None),
    ],
)
def test_last_page(body: dict[str, Any], cursor: str | None) -> None:
    """No content is the end, though it carries a token; no token is the end, too."""
    page = read(source(), **body)
    assert (page.next, page.cursor) == (None, cursor)


def test_names_are_settings() -> None:
    """Fields and parameters can be configured."""
    events = source(list_field="items", cursor_field="next", cursor_param="after")
    page = read(events, items=[{"eventId": "a"}], next="t")
    assert page.next is not None
    assert page.next.params == {"after": "t"}


@pytest.mark.parametrize("body", [{"nextPageToken": "t"}, {"content": [1], "nextPageToken": 5}])
def test_unreadable_page(body: dict[str, Any]) -> None:
    """A page without its list, or with a token that is none, is not the end."""
    with pytest.raises(UnreadableAnswer):
        read(source(), **body)


def test_remedy_of_a_page_without_its_list() -> None:
    """The remedy names the setting that says what the list is called."""
    with pytest.raises(UnreadableAnswer) as caught:
        read(source(), items=[])
    assert caught.value.cause == "the page has no list content"
    assert caught.value.remedy == "check the endpoint's URL and the service's list_field"


def test_odd_bytes_cost_neither_neighbours_nor_token() -> None:
    """A page is read on, whatever is in one of its records."""
    odd = b'{"eventId":"a\t"},{"eventId":"b","x":"\\ud800"},{"eventId":0x1}'
    body = b'{"nextPageToken":"t","content":[%b]}' % odd
    page = source().read(Response(request=Request(method="GET", url=URL), status=200, body=body))
    assert [each.id for each in page.events] == ["a\t", "b"]
    assert len(page.rejected) == 1
    assert page.cursor == "t"


@pytest.mark.parametrize("status", [400, 404, 410])
def test_refused_cursor(status: int) -> None:
    """A refused cursor is dropped; without one there is nothing to fall back to."""
    events = source()
    with_cursor = rules.at_cursor(rules.completed(rules.started(START), START + HOUR), "c")
    after = events.refused(with_cursor, status)
    assert after == rules.at_cursor(with_cursor, None)
    assert events.refused(rules.started(START), status) is None


def test_without_a_cursor_late_events_are_asked_for() -> None:
    """From so long before the last complete moment, but nothing from before the start."""
    mark = rules.completed(rules.started(START), START + 3 * HOUR)
    plan = plan_of(source(), mark, START + 4 * HOUR)
    assert plan.request.params == {"startTime": "2026-01-01T02:00"}
    assert plan.window.start == START + 3 * HOUR
    plan = plan_of(source(cursor_lookback=5 * HOUR), mark, START + 4 * HOUR)
    assert plan.request.params == {"startTime": "2026-01-01T00:00"}


def test_other_refusals() -> None:
    """A status that says nothing about the cursor leaves it alone."""
    assert source().refused(rules.at_cursor(rules.started(START), "c"), 405) is None


def test_close() -> None:
    """All pages read: complete up to the settle delay before the pull began."""
    events = source()
    plan = plan_of(events)
    after = events.close(rules.at_cursor(rules.started(START), "c"), plan)
    assert (after.since, after.cursor) == (plan.window.end, "c")


def test_enough() -> None:
    """A pull has enough once a page holds nothing that was there when it began."""
    events = source()
    plan = plan_of(events)
    during = Page(events=[event(1, START + HOUR), event(2, START + HOUR + 5)])
    before = Page(events=[event(1, START + HOUR - 1), event(2, START + HOUR)])
    assert events.enough(plan, during)
    assert not events.enough(plan, before)
    assert not events.enough(plan, Page(events=[]))


def test_second_look() -> None:
    """One hour is read again from its start, without the cursor, up to its end."""
    events = source()
    wished = rules.look_again(rules.started(START), hours(-3, -2), START)
    checkpoint = rules.at_cursor(rules.completed(wished, START + HOUR), "c")
    plan = plan_of(events, checkpoint)
    assert plan.look
    assert not plan.keeps_cursor
    assert plan.counted_in == hours(-3, -2)
    assert plan.request.params == {"startTime": "2025-12-31T21:00"}
    within = Page(events=[event(1, START - 3 * HOUR), event(2, START)])
    beyond = Page(events=[event(1, START - 2 * HOUR), event(2, START)])
    timeless = Page(events=[event(1, NO_TIME), event(2, START)])
    assert not events.enough(plan, within)
    assert events.enough(plan, beyond)
    assert events.enough(plan, timeless)
    assert not events.enough(plan, Page(events=[event(1, NO_TIME)]))
    assert events.enough(plan, Page(events=[event(1, 0), event(2, START)]))
    assert not events.enough(plan, Page(events=[]))
    assert events.plan(checkpoint, START) is not None
    assert events.plan(rules.looked(checkpoint, hours(-3, -2)), START + HOUR) is None


def test_reread() -> None:
    """What was kept aside is read once more, an answer or a record; no cursor is followed."""
    events = source()
    page = events.reread(as_json({"content": [{"eventId": "a"}], "nextPageToken": "t"}))
    assert [each.id for each in page.events] == ["a"]
    assert (page.next, page.cursor) == (None, None)
    assert events.reread(b'{"eventId":"b"}').events[0].id == "b"
    assert events.reread(b"{").rejected
