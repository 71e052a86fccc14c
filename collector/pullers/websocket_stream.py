"""A stream of any sender over a WebSocket: no archive, no memory, no form of its own.

It comes as arrivals (``pullers/framed.py``), and is read by a codec that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from collector.core import wirejson
from collector.core.bounds import Bounds, beyond
from collector.core.checkpoint import Checkpoint
from collector.core.decoded import Record
from collector.core.events import UNREADABLE_TIME
from collector.core.flatten import Flatten
from collector.core.model import NO_TIME, Event, Micros, Page, Rejected, Request, Response
from collector.pullers.base import Plan, Source
from collector.pullers.framed import Arrival, unpack

SERVICE = "stream"
Fields: TypeAlias = dict[str, Any]
Decode: TypeAlias = Callable[[bytes], Sequence[Record | Rejected]]

_LONGEST_ID = 512


class WebSocketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How records are read.

    ``decode`` is a codec, ``decode_again`` the same for what was kept aside unread, and
    ``decode_made`` for the bytes of a record that it had made.  ``id_of`` and
    ``time_of`` look into a record's fields; None: it has none.  ``time_of`` raises
    ``core.events.UNREADABLE_TIME`` for what is no time.
    With ``deduplicate`` a record is dropped whose id and time are known.  ``new_session``
    makes a name that no session had before.
    """

    tag: str
    records: Flatten
    decode: Decode
    decode_again: Decode
    decode_made: Decode
    new_session: Callable[[], str]
    id_of: Callable[[Fields], Any] | None = None
    time_of: Callable[[Fields], Micros] | None = None
    deduplicate: bool = False
    bounds: Bounds = Bounds()


def websocket_stream(settings: WebSocketSettings) -> Source:
    """The stream as a source; it is read by ``pullers/stream.py`` alone."""

    def page(response: Response) -> Page:
        return _page(settings, map(unpack, response.messages))

    def kept(decode: Decode) -> Callable[[bytes, Micros], Page]:
        again = msgspec.structs.replace(settings, decode=decode)
        return lambda raw, time: _page(again, [Arrival(raw, time, settings.new_session(), 0)])

    reread = kept(settings.decode_again)

    return Source(
        service=SERVICE,
        tag=settings.tag,
        plan=_nothing_to_ask,
        read=page,
        reread=lambda raw: reread(raw, NO_TIME),
        restore=kept(settings.decode_made),
        dated=settings.time_of is not None,
        repeats=settings.deduplicate,
        records=settings.records,
        close=_as_it_is,
    )


def _page(settings: WebSocketSettings, arrivals: Iterable[Arrival]) -> Page:
    found = [each for arrival in arrivals for each in _read(settings, arrival)]
    return Page(
        events=[each for each in found if isinstance(each, Event)],
        rejected=[each for each in found if isinstance(each, Rejected)],
    )


def _nothing_to_ask(_checkpoint: Checkpoint, _now: Micros) -> Plan | None:
    return None


def _as_it_is(checkpoint: Checkpoint, _plan: Plan) -> Checkpoint:
    return checkpoint


def _read(settings: WebSocketSettings, arrival: Arrival) -> Iterator[Event | Rejected]:
    """What an arrival holds."""
    if arrival.fault is not None:
        yield Rejected(arrival.frame, arrival.fault)
        return
    found = settings.decode(arrival.frame)
    for index, each in enumerate(found):
        if isinstance(each, Rejected):
            yield each
        elif reason := beyond(each.raw, settings.bounds):
            yield Rejected(each.original or each.source or each.raw, reason)
        else:
            place = f"{arrival.session}-{arrival.number}"
            yield _event(settings, arrival, each, f"{place}.{index}" if len(found) > 1 else place)


def _event(settings: WebSocketSettings, arrival: Arrival, record: Record, place: str) -> Event:
    known_as = _id(settings, record.fields)
    time = _time(settings, arrival, record.fields)
    flags = list(record.flags)
    if settings.id_of is not None and known_as is None:
        flags.append(wirejson.NO_ID)
    if settings.time_of is not None and time == NO_TIME:
        flags.append(wirejson.NO_TIME_FLAG)
    if settings.deduplicate:
        event_id = known_as or wirejson.canonical_id(record.raw)
    else:
        # Without an end to tell them apart, equal records would be taken for repeats.
        event_id = place if known_as is None else f"{known_as}#{place}"
        time = arrival.observed if time == NO_TIME else time
    return Event(event_id, time, record.raw, tuple(flags), record.original)


def _id(settings: WebSocketSettings, fields: Fields) -> str | None:
    """The id that the record has, as text."""
    value = None if settings.id_of is None else settings.id_of(fields)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and 0 < len(text) <= _LONGEST_ID else None


def _time(settings: WebSocketSettings, arrival: Arrival, fields: Fields) -> Micros:
    """The time that the record has, or of its arrival where none is looked for."""
    if settings.time_of is None:
        return arrival.observed
    try:
        return settings.time_of(fields)
    except UNREADABLE_TIME:
        return NO_TIME


def stream_request(uri: str) -> Request:
    """The handshake, not signed yet; the query of the URI stays where it is."""
    return Request(method="GET", url=uri)
