"""CASB ``GET /v2/events``: an opaque cursor, with a time to fall back to.

Vendor notes on CASB, A4.  The cursor is kept page by page and used across
restarts; a page without content is the end, though it carries a token too.  A
refused cursor (400, 404, 410) sends the service back to ``startTime`` at the last
moment up to which everything was read; known ids drop what comes again.
"""

from __future__ import annotations

import msgspec

from collector.core import checkpoint as rules
from collector.core import times
from collector.core.bounds import Bounds
from collector.core.events import Reader, Shape, iso_time, reader
from collector.core.flatten import Flatten
from collector.core.model import Micros, Page, Request, Response, Window
from collector.core.times import SECOND
from collector.pullers.base import Plan, Source, second_look
from collector.pullers.pages import kept, listed, text_field

LIST_FIELD = "additionalProperties"


class EventsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The unsure points of the events call, each with the default of the vendor notes."""

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
    settle_delay: Micros = 60 * SECOND
    max_pages: int = 0
    bounds: Bounds = Bounds()


class _Key(msgspec.Struct):
    eventId: str | None = None  # noqa: N815 - the vendor's spelling
    timestamp: str | None = None


SHAPE = Shape(_Key, lambda key: key.eventId, lambda key: iso_time(key.timestamp))


def casb_events(settings: EventsSettings) -> Source:
    """The events service as a source."""
    events = _Events(settings, reader(SHAPE, settings.bounds))
    return Source(
        service="events",
        tag=settings.tag,
        plan=events.plan,
        read=events.read,
        records=settings.records,
        close=lambda checkpoint, done: rules.completed(checkpoint, done.window.end),
        refused=events.refused,
        enough=events.enough,
        reread=events.reread,
        restore=events.restore,
        max_pages=settings.max_pages,
    )


class _Events(msgspec.Struct, frozen=True):
    """The functions of the source, over its settings."""

    settings: EventsSettings
    take_apart: Reader

    def plan(self, checkpoint: rules.Checkpoint, now: Micros) -> Plan | None:
        end = now - self.settings.settle_delay
        if end <= checkpoint.since:
            return self._look(checkpoint, now)
        window = Window(checkpoint.since, end)
        request = self._ask(checkpoint.cursor, checkpoint.since)
        return Plan(window=window, request=request, mode="cursor", keeps_cursor=True)

    def read(self, response: Response) -> Page:
        raws = listed(response.body, self.settings.list_field)
        events, rejected = self.take_apart(raws)
        cursor = text_field(response.body, self.settings.cursor_field)
        following = self._ask(cursor, 0) if raws and cursor else None
        return Page(events=events, rejected=rejected, next=following, cursor=cursor)

    def reread(self, raw: bytes) -> Page:
        events, rejected = self.take_apart(kept(raw, self.settings.list_field))
        return Page(events=events, rejected=rejected)

    def restore(self, raw: bytes, _time: Micros) -> Page:
        """One event, whatever its members are called; ``reread`` takes it for a page by a name."""
        events, rejected = self.take_apart([raw])
        return Page(events=events, rejected=rejected)

    def refused(self, checkpoint: rules.Checkpoint, status: int) -> rules.Checkpoint | None:
        if checkpoint.cursor is None or status not in self.settings.cursor_refused:
            return None
        return rules.at_cursor(checkpoint, None)

    def enough(self, plan: Plan, page: Page) -> bool:
        """Whether all events of a page came after those that were asked for.

        The call knows no end time: a look ends with its hour, and a pull with what
        there was when it began; a busy tenant would keep it going for ever.
        """
        end = plan.window.end + (0 if plan.look else self.settings.settle_delay)
        return bool(page.events) and min(event.time for event in page.events) >= end

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
