"""CASB ``POST /v1/alerts``: fixed windows, pages of 50, newest first.

See docs/vendor-notes.md, CASB A3.  A window is asked for with a fixed end in the past, so
that no page drifts; it is read to its last page or cut in two, never truncated,
and only then does the checkpoint move.
"""

from __future__ import annotations

import msgspec

from collector.core import checkpoint as rules
from collector.core import times
from collector.core.bounds import Bounds
from collector.core.events import Shape, epoch_milliseconds, reader
from collector.core.flatten import Flatten
from collector.core.model import Micros, Page, Request, Response, Window
from collector.core.policy import halves, next_window
from collector.core.times import HOUR, SECOND
from collector.pullers.base import Plan, Settling, Source, second_look
from collector.pullers.pages import Pages

LIST_FIELD = "related_events"
"""What flattening takes apart; the list of a page has another name."""
_PAGE_LIST = "alerts"
_MILLISECOND = 1000


class AlertsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The unsure points of the alerts call, with the defaults of docs/vendor-notes.md, CASB A8."""

    url: str
    tag: str
    records: Flatten
    method: str = "POST"
    page_field: str = "page"
    first_page: int = 0
    page_size: int = 50
    time_format: str = "epoch_ms"
    max_window: Micros = 24 * HOUR
    settle_delay: Micros = 60 * SECOND
    second_look: Micros = HOUR
    max_pages: int = 200
    bounds: Bounds = Bounds()


class _Key(msgspec.Struct):
    id: str | None = None
    timestamp: int | str | None = None


SHAPE = Shape(_Key, lambda key: key.id, lambda key: epoch_milliseconds(key.timestamp))


def casb_alerts(settings: AlertsSettings) -> Source:
    """The alerts service as a source."""
    pages = Pages(list_field=_PAGE_LIST, take_apart=reader(SHAPE, settings.bounds))
    alerts = _Alerts(settings, pages)
    return Source(
        service="alerts",
        tag=settings.tag,
        plan=alerts.plan,
        read=alerts.read,
        records=settings.records,
        close=lambda checkpoint, done: rules.completed(checkpoint, done.window.end),
        narrow=alerts.narrow,
        reread=pages.reread,
        restore=pages.restore,
        settling=Settling(late=settings.second_look),
        max_pages=settings.max_pages,
    )


class _Alerts(msgspec.Struct, frozen=True):
    """The functions of the source, over its settings."""

    settings: AlertsSettings
    pages: Pages

    def plan(self, checkpoint: rules.Checkpoint, now: Micros) -> Plan | None:
        now -= now % _MILLISECOND
        settings = self.settings
        window = next_window(checkpoint.since, now, settings.settle_delay, settings.max_window)
        if window is not None:
            return self._ask(window)
        hour = rules.due_look(checkpoint, now)
        return None if hour is None else second_look(self._ask(hour))

    def read(self, response: Response) -> Page:
        raws = self.pages.listed(response.body)
        events, rejected = self.pages.take_apart(raws)
        full = len(raws) >= self.settings.page_size
        following = _next_page(response.request, self.settings.page_field) if full else None
        return Page(events=events, rejected=rejected, next=following)

    def narrow(self, window: Window) -> tuple[Plan, Plan] | None:
        cut = halves(window, _resolution(self.settings))
        return None if cut is None else (self._ask(cut[0]), self._ask(cut[1]))

    def _ask(self, window: Window) -> Plan:
        question = _question(self.settings, window)
        request = Request(method=self.settings.method, url=self.settings.url, json=question)
        return Plan(window=window, request=request, mode="window")


def _resolution(settings: AlertsSettings) -> Micros:
    return SECOND if settings.time_format == "epoch_s" else _MILLISECOND


def _question(settings: AlertsSettings, window: Window) -> dict[str, object]:
    # Both ends are taken as inclusive (A3), and alerts have whole milliseconds: the last one
    # belongs to the next window.  Of the last second not even that is sure: it is asked for twice.
    last = window.end - (0 if settings.time_format == "epoch_s" else _MILLISECOND)
    span = {
        "from": _spelled(window.start, settings.time_format),
        "to": _spelled(last, settings.time_format),
    }
    return {settings.page_field: settings.first_page, "time_range": span}


def _spelled(instant: Micros, time_format: str) -> int | str:
    if time_format == "epoch_s":
        return instant // SECOND
    instant -= instant % _MILLISECOND
    return times.isoformat(instant) if time_format == "iso" else instant // _MILLISECOND


def _next_page(request: Request, page_field: str) -> Request:
    return msgspec.structs.replace(
        request, json={**request.json, page_field: request.json[page_field] + 1}
    )
