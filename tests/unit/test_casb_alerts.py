"""The alerts service as a source (docs/vendor-notes.md, CASB A3)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.core import checkpoint as rules
from collector.core.flatten import flattener
from collector.core.model import Request, Response, Window
from collector.core.times import HOUR, SECOND
from collector.errors import UnreadableAnswer
from collector.pullers.base import Source
from collector.pullers.casb_alerts import LIST_FIELD, AlertsSettings, casb_alerts
from tests.fakes.pulls import START, as_json, hours

URL = "https://alerts.example.com/v1/alerts"
MS = START // 1000


def source(**changed: Any) -> Source:
    """The source of a tenant."""
    records = flattener("split", LIST_FIELD)
    defaults = {"url": URL, "tag": "casb.proofpoint.alert", "records": records}
    return casb_alerts(AlertsSettings(**{**defaults, **changed}))


def asked(alerts: Source, since: int = START, now: int = START + HOUR) -> Request:
    """The first request of the next window."""
    plan = alerts.plan(rules.started(since), now)
    assert plan is not None
    return plan.request


def answered(alerts: Source, records: list[Any], request: Request | None = None) -> Any:
    """The page that a source makes of some alerts."""
    body = as_json({"alerts": records})
    return alerts.read(Response(request=request or asked(alerts), status=200, body=body))


def test_request() -> None:
    """A POST of a page number and a fixed, settled span in milliseconds, both ends inclusive."""
    assert asked(source()) == Request(
        method="POST",
        url=URL,
        json={"page": 0, "time_range": {"from": MS, "to": MS + 3_540_000 - 1}},
    )


@pytest.mark.parametrize(
    ("time_format", "first", "last"),
    [
        ("epoch_ms", MS, MS + 3_539_999),
        ("epoch_s", MS // 1000, MS // 1000 + 3540),
        ("iso", "2026-01-01T00:00:00Z", "2026-01-01T00:58:59.999000Z"),
    ],
)
def test_time_formats(time_format: str, first: int | str, last: int | str) -> None:
    """The spelling of times is a setting; seconds ask for the last one, too."""
    request = asked(source(time_format=time_format))
    assert request.json["time_range"] == {"from": first, "to": last}


@pytest.mark.parametrize(
    ("time_format", "last", "first"),
    [
        ("epoch_ms", MS + 999, MS + 1000),
        ("epoch_s", MS // 1000 + 1, MS // 1000 + 1),
        ("iso", "2026-01-01T00:00:00.999000Z", "2026-01-01T00:00:01Z"),
    ],
)
def test_windows_meet(time_format: str, last: int | str, first: int | str) -> None:
    """Windows that meet between two milliseconds leave none of them out."""
    alerts = source(time_format=time_format, max_window=SECOND)
    meeting = START + SECOND + 500
    assert asked(alerts, START + 500).json["time_range"]["to"] == last
    assert asked(alerts, meeting).json["time_range"]["from"] == first


def test_names_are_settings() -> None:
    """Method, page field and first page can be configured."""
    request = asked(source(method="PUT", page_field="p", first_page=1))
    assert (request.method, request.json["p"]) == ("PUT", 1)


def test_windows() -> None:
    """A window settles a minute, is at most a day long, and is absent when all is taken."""
    alerts = source()
    plan = alerts.plan(rules.started(START), START + 90 * HOUR)
    assert plan is not None
    assert plan.window == hours(0, 24)
    assert alerts.plan(rules.started(START), START + 60 * SECOND) is None
    assert alerts.plan(rules.started(START), START + 60 * SECOND + 999) is None


def test_second_look_only_when_nothing_newer_is_due() -> None:
    """An hour is looked at again once all newer alerts are taken."""
    alerts = source()
    checkpoint = rules.look_again(rules.started(START), hours(-2, -1), START)
    plan = alerts.plan(checkpoint, START + HOUR)
    assert plan is not None
    assert not plan.look
    plan = alerts.plan(rules.completed(checkpoint, START + HOUR), START + HOUR)
    assert plan is not None
    assert (plan.look, plan.window, plan.counted_in) == (True, hours(-2, -1), hours(-2, -1))


@pytest.mark.parametrize(("count", "more"), [(0, False), (49, False), (50, True), (51, True)])
def test_a_full_page_means_another(count: int, more: bool) -> None:  # noqa: FBT001 - a table
    """Fifty records mean another page; fewer are the last, odd ones counted in."""
    alerts = source()
    records = [{"id": str(n), "timestamp": MS} for n in range(count - 1)] + ["odd"] * min(count, 1)
    page = answered(alerts, records)
    assert len(page.events) + len(page.rejected) == count
    following = msgspec.structs.replace(asked(alerts), json={**asked(alerts).json, "page": 1})
    assert page.next == (following if more else None)


def test_pages_count_on() -> None:
    """Each page asks for the one after it, over the same span."""
    alerts = source(page_size=1)
    request = asked(alerts)
    for number in range(1, 4):
        request = answered(alerts, [{"id": "a", "timestamp": MS}], request).next
        assert request.json["page"] == number
        assert request.json["time_range"] == asked(alerts).json["time_range"]


def test_page_without_list() -> None:
    """A page without alerts is no empty page."""
    alerts = source()
    with pytest.raises(UnreadableAnswer) as caught:
        alerts.read(Response(request=asked(alerts), status=200, body=b'{"message":"x"}'))
    assert caught.value.cause == "the page has no list alerts"
    assert caught.value.remedy == "check the endpoint's URL"


def test_odd_bytes_do_not_cost_the_neighbours() -> None:
    """A raw tab and bytes that are no UTF-8 stay within their record."""
    alerts = source()
    odd = b'{"id":"a\t"},{"id":"b"},{"id":"c","x":"\xff"},{"id":"d","x":"\\ud800"},{"id":NaN}'
    body = b'{"alerts":[%b]}' % odd
    page = alerts.read(Response(request=asked(alerts), status=200, body=body))
    assert [event.id for event in page.events] == ["a\t", "b", "c", "d"]
    assert [each.raw for each in page.rejected] == [b'{"id":NaN}']


def test_close() -> None:
    """A window read to its end moves the checkpoint to there."""
    alerts = source()
    plan = alerts.plan(rules.started(START), START + HOUR)
    assert plan is not None
    assert alerts.close(rules.started(START), plan).since == plan.window.end


@pytest.mark.parametrize("time_format", ["epoch_ms", "epoch_s"])
def test_narrow(time_format: str) -> None:
    """A window is halved until no smaller one can be asked for."""
    alerts = source(time_format=time_format)
    step = SECOND if time_format == "epoch_s" else 1000
    window = Window(START, START + 5 * step)
    cut = alerts.narrow(window)
    assert cut is not None
    assert [part.window for part in cut] == [
        Window(START, START + 2 * step),
        Window(START + 2 * step, START + 5 * step),
    ]
    assert cut[0].request.json["time_range"] != cut[1].request.json["time_range"]
    assert alerts.narrow(Window(START, START + step)) is None


def test_records_are_split() -> None:
    """One record per related event."""
    raw = as_json({"id": "a", "related_events": [{"event_id": "1"}, {"event_id": "2"}]})
    assert len(source().records(raw)) == 2


def test_reread() -> None:
    """What was kept aside is read once more, an answer or a record."""
    alerts = source()
    page = alerts.reread(as_json({"alerts": [{"id": "a"}, {"id": "b"}]}))
    assert [event.id for event in page.events] == ["a", "b"]
    assert page.next is None
    assert alerts.reread(b"{").rejected
