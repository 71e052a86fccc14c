"""What the three PoD services share: the stream's address, its hours, its records.

See docs/vendor-notes.md, PoD 1 to 8.  Live and archive are two services behind one URL.  The
archive knows whole UTC hours only; ``sinceTime`` is rounded down and ``toTime``
up, so exactly one hour is asked for at a time, and an hour counts as read only
when the server closed in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from collector.core import checkpoint as rules
from collector.core import ledger, times
from collector.core.bounds import Bounds
from collector.core.events import Shape, iso_time, reader
from collector.core.flatten import Flatten
from collector.core.model import Micros, Page, Rejected, Request, Response, Window
from collector.core.times import HOUR, SECOND, ceil_hour, floor_hour
from collector.pullers.base import Plan, Prepared, Settling, Source, second_look


class PodSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One PoD service; the times are the defaults of docs/vendor-notes.md, PoD 8."""

    url: str
    cluster_id: str
    tag: str
    records: Flatten
    mode: str = "hybrid"
    archive_delay: Micros = 3600 * SECOND
    retention: Micros = 718 * HOUR
    late_arrival: Micros = 900 * SECOND
    server_memory: Micros = 3000 * SECOND
    few_ratio: float = 0.1
    recheck: Micros = HOUR
    max_message: int = 64 * 1024 * 1024
    bounds: Bounds = Bounds()


class MailKey(msgspec.Struct):
    """``guid`` names a message and an audit event, ``id`` a maillog line."""

    guid: str | None = None
    id: str | None = None
    ts: str | None = None


def shape(id_of: Callable[[MailKey], str | None]) -> Shape:
    """Where a PoD record keeps its id; its time is always ``ts``."""
    return Shape(MailKey, id_of, lambda key: iso_time(key.ts))


def live_request(settings: PodSettings, service: str) -> Request:
    """The stream without times: it stays open, and its start cannot be chosen."""
    params = {"cid": settings.cluster_id, "type": service}
    return Request(method="GET", url=settings.url, params=params)


def archive_request(settings: PodSettings, service: str, hour: Window) -> Request:
    """One whole hour of the archive."""
    request = live_request(settings, service)
    span = {"sinceTime": _spelled(hour.start), "toTime": _spelled(hour.end)}
    return msgspec.structs.replace(request, params={**request.params, **span})


def pod_source(service: str, settings: PodSettings, record_shape: Shape) -> Source:
    """A PoD service as a source; its live side is read by ``pullers/stream.py``."""
    read = reader(record_shape, settings.bounds)

    def page(response: Response) -> Page:
        return records(response.messages)

    def records(messages: Sequence[bytes]) -> Page:
        limit = settings.max_message
        events, rejected = read(each for each in messages if len(each) <= limit)
        rejected += [_too_large(each, limit) for each in messages if len(each) > limit]
        return Page(events=events, rejected=rejected)

    def prepare(checkpoint: rules.Checkpoint, now: Micros) -> Prepared:
        return _prepared(settings, checkpoint, now)

    def plan(checkpoint: rules.Checkpoint, now: Micros) -> Plan | None:
        if settings.mode == "live":
            return None
        owed = rules.due(checkpoint, now, settings.archive_delay)
        if owed is not None:
            return ask(owed)
        hour = rules.due_look(checkpoint, now)
        return None if hour is None else second_look(ask(hour))

    def ask(hour: Window) -> Plan:
        request = archive_request(settings, service, hour)
        return Plan(window=hour, request=request, mode="archive", counted_in=hour)

    return Source(
        service=service,
        tag=settings.tag,
        plan=plan,
        read=page,
        reread=lambda raw: records([raw]),
        records=settings.records,
        close=lambda checkpoint, done: rules.paid(checkpoint, done.window),
        prepare=prepare,
        settling=Settling(few_ratio=settings.few_ratio, recheck=settings.recheck),
    )


_KEPT_OF_TOO_LARGE = 1024 * 1024


def _too_large(message: bytes, limit: int) -> Rejected:
    reason = f"larger than max_message_bytes ({len(message)} > {limit}); only its beginning is kept"
    return Rejected(message[:_KEPT_OF_TOO_LARGE], reason)


def _prepared(settings: PodSettings, checkpoint: rules.Checkpoint, now: Micros) -> Prepared:
    """Owe the hours the archive is to give, and let go of those it can no longer give."""
    takes_over = settings.mode == "archive" or checkpoint.live is None
    if takes_over and settings.mode != "live":
        newest = floor_hour(now - settings.archive_delay)
        checkpoint = rules.planned(checkpoint, newest, settings.late_arrival)
    return _let_go(checkpoint, ceil_hour(now - settings.retention))


def _let_go(checkpoint: rules.Checkpoint, oldest: Micros) -> Prepared:
    """Give up the hours that lie beyond the vendor's retention, and say so in the ledger."""
    entries = []
    looks = [Window(look.start, look.end) for look in checkpoint.looks]
    for wanted in (*checkpoint.owed, *looks):
        for start in range(wanted.start, min(wanted.end, oldest), HOUR):
            hour = Window(start, start + HOUR)
            checkpoint = rules.looked(rules.paid(checkpoint, hour), hour)
            entries.append(ledger.lost(hour, "older than the vendor keeps"))
    return Prepared(checkpoint, entries)


def _spelled(instant: Micros) -> str:
    """``YYYY-MM-DDTHH:00:00.000+0000``: milliseconds are the documented resolution."""
    return times.to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
