"""CASB ``GET /v2/events``: an opaque cursor, with a time to fall back to.

See docs/vendor-notes.md, CASB A4.  The cursor is kept page by page and used across
restarts; a page without content is the end, though it carries a token too.  A
refused cursor (400, 404, 410) sends the service back to ``startTime``, a while before
the last moment up to which everything was read: an event may be listed long after it
happened, and only the cursor would have brought it.  Known ids drop what comes again.
"""

from __future__ import annotations

import msgspec

from collector.core import checkpoint as rules
from collector.core import times
from collector.core.bounds import Bounds
from collector.core.events import Shape, iso_time, reader
from collector.core.flatten import Flatten
from collector.core.model import Micros, Page, Request, Response, Window
from collector.core.times import HOUR, SECOND
from collector.pullers.base import Plan, Source, second_look
from collector.pullers.pages import CHECK_URL, Pages, text_field

LIST_FIELD = "additionalProperties"
"""What flattening takes apart; the list of a page has another name."""
_SETTLE_DELAY: Micros = 60 * SECOND
"""From when an event happened until the vendor is expected to list it."""


class EventsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The unsure points of the events call, with the defaults of docs/vendor-notes.md, CASB A8."""

    url: str
    tag: str
    records: Flatten
    method: str = "GET"
    start_param: str = "startTime"
    start_format: str = "minute"
    cursor_param: str = "nextPage"
    cursor_field: str = "nextPageToken"
    list_field: str = "content"
    cursor_refused: frozenset[int] = frozenset({400, 404, 410})
    cursor_lookback: Micros = HOUR
    max_pages: int = 0
    bounds: Bounds = Bounds()


class _Key(msgspec.Struct):
    eventId: str | None = None  # noqa: N815 - the vendor's spelling
    timestamp: str | None = None


SHAPE = Shape(_Key, lambda key: key.eventId, lambda key: iso_time(key.timestamp))


def casb_events(settings: EventsSettings) -> Source:
    """The events service as a source."""
    pages = Pages(
        list_field=settings.list_field,
        take_apart=reader(SHAPE, settings.bounds),
        remedy=f"{CHECK_URL} and the service's list_field",
    )
    events = _Events(settings, pages)
    return Source(
        service="events",
        tag=settings.tag,
        plan=events.plan,
        read=events.read,
        records=settings.records,
        close=lambda checkpoint, done: rules.completed(checkpoint, done.window.end),
        refused=events.refused,
        enough=events.enough,
        reread=pages.reread,
        restore=pages.restore,
        max_pages=settings.max_pages,
        lookback=settings.cursor_lookback,
    )


class _Events(msgspec.Struct, frozen=True):
    """The functions of the source, over its settings."""

    settings: EventsSettings
    pages: Pages

    def plan(self, checkpoint: rules.Checkpoint, now: Micros) -> Plan | None:
        end = now - _SETTLE_DELAY
        if end <= checkpoint.since:
            return self._look(checkpoint, now)
        window = Window(checkpoint.since, end)
        start = max(checkpoint.since - self.settings.cursor_lookback, checkpoint.initial_start_time)
        request = self._ask(checkpoint.cursor, start)
        return Plan(window=window, request=request, mode="cursor", keeps_cursor=True)

    def read(self, response: Response) -> Page:
        raws = self.pages.listed(response.body)
        events, rejected = self.pages.take_apart(raws)
        cursor = text_field(response.body, self.settings.cursor_field)
        following = self._ask(cursor, 0) if raws and cursor else None
        return Page(events=events, rejected=rejected, next=following, cursor=cursor)

    def refused(self, checkpoint: rules.Checkpoint, status: int) -> rules.Checkpoint | None:
        if checkpoint.cursor is None or status not in self.settings.cursor_refused:
            return None
        return rules.at_cursor(checkpoint, None)

    def enough(self, plan: Plan, page: Page) -> bool:
        """Whether all events of a page came after those that were asked for.

        The call knows no end time: a look ends with its hour, and a pull with what
        there was when it began; a busy tenant would keep it going for ever.  What has no
        time, or one before a look's hour, says nothing.
        """
        begin, end = (
            (plan.window.start, plan.window.end)
            if plan.look
            else (0, plan.window.end + _SETTLE_DELAY)
        )
        moments = [event.time for event in page.events if event.time >= begin]
        return bool(moments) and min(moments) >= end

    def _look(self, checkpoint: rules.Checkpoint, now: Micros) -> Plan | None:
        hour = rules.due_look(checkpoint, now)
        if hour is None:
            return None
        return second_look(Plan(window=hour, request=self._ask(None, hour.start), mode="backfill"))

    def _ask(self, cursor: str | None, start: Micros) -> Request:
        settings = self.settings
        params = (
            {settings.cursor_param: cursor}
            if cursor
            else {settings.start_param: _spelled(start, settings.start_format)}
        )
        return Request(method=settings.method, url=settings.url, params=params)


def _spelled(instant: Micros, start_format: str) -> str:
    match start_format:
        case "minute":
            return times.minute(instant)
        case "iso":
            return times.isoformat(instant)
        case "epoch_s":
            return str(instant // SECOND)
        case _:
            return str(instant // 1000)
