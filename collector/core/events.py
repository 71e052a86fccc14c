"""From the bytes of one record to an event: the fast way, and the rescue.

A source names its key fields once, as a ``Shape``; everything about odd records
is decided here, for all sources alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import msgspec

from collector.core import times, wirejson
from collector.core.bounds import EXAMINED, Bounds, beyond
from collector.core.model import NO_TIME, Event, Micros, Rejected
from collector.core.wirejson import MALFORMED, NO_ID, NO_TIME_FLAG, is_clean


class Shape(msgspec.Struct, frozen=True):
    """Where a service keeps its id and its time.

    ``key`` is a ``msgspec.Struct`` of just those fields, all optional;
    ``id_of`` and ``time_of`` read them.  ``time_of`` raises ``ValueError``,
    ``TypeError`` or ``OverflowError`` for a time that cannot be read.
    """

    key: type[Any]
    id_of: Callable[[Any], str | None]
    time_of: Callable[[Any], Micros]


BOUNDS = Bounds()

Reader: TypeAlias = Callable[[Iterable[bytes]], tuple[list[Event], list[Rejected]]]
"""Turns the raw records of one answer into events and rejects."""

UNREADABLE_TIME = (ValueError, TypeError, OverflowError, AttributeError)
UNREADABLE = (*MALFORMED, *UNREADABLE_TIME)


def reader(shape: Shape, bounds: Bounds = BOUNDS) -> Reader:
    """A function that turns the raw records of one answer into events and rejects.

    A record beyond its ``bounds`` is rejected.
    """
    decode, id_of, time_of = wirejson.decoder(shape.key), shape.id_of, shape.time_of

    def read(raws: Iterable[bytes]) -> tuple[list[Event], list[Rejected]]:
        events: list[Event] = []
        rejected: list[Rejected] = []
        for raw in raws:
            record = raw.strip()
            try:
                key = decode(record)
                event_id = id_of(key)
                if (
                    event_id
                    and is_clean(record)
                    and (len(record) <= EXAMINED or beyond(record, bounds) is None)
                ):
                    events.append(Event(event_id, time_of(key), record))
                    continue
            except UNREADABLE:
                if not record:
                    continue  # empty messages are a habit of the vendor, not records
            outcome = rescue(record, shape, bounds)
            (events if isinstance(outcome, Event) else rejected).append(outcome)  # type: ignore[arg-type]
        return events, rejected

    return read


def rescue(raw: bytes, shape: Shape, bounds: Bounds = BOUNDS) -> Event | Rejected:
    """The slow way, for a record that is odd in any respect; never raises."""
    repaired = wirejson.repair(raw)
    reason = beyond(repaired.raw, bounds)
    if reason is not None:
        return Rejected(raw, reason)
    try:
        fields = msgspec.json.decode(repaired.raw)
    except MALFORMED as error:
        return Rejected(raw, f"not JSON: {error}")
    if not isinstance(fields, dict):
        return Rejected(raw, f"not a JSON object but {type(fields).__name__}")
    flags = list(repaired.flags)
    lossy = not wirejson.LOSSY.isdisjoint(flags)
    event_id = _lenient_id(fields, shape)
    if not event_id or (lossy and wirejson.LOST in event_id):
        flags.append(NO_ID)
        event_id = wirejson.canonical_id(repaired.raw)
    time = _lenient_time(fields, shape)
    if time == NO_TIME:
        flags.append(NO_TIME_FLAG)
    return Event(event_id, time, repaired.raw, tuple(flags), raw if lossy else None)


def _lenient_id(fields: dict[str, Any], shape: Shape) -> str | None:
    """The id as text, whatever JSON type it has; None when there is none to use."""
    known = {name: _as_text(fields.get(name)) for name in shape.key.__struct_fields__}
    return shape.id_of(_loose(shape, known))


def _as_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _lenient_time(fields: dict[str, Any], shape: Shape) -> Micros:
    known = {name: fields.get(name) for name in shape.key.__struct_fields__}
    try:
        return shape.time_of(_loose(shape, known))
    except UNREADABLE_TIME:
        return NO_TIME


def _loose(shape: Shape, values: dict[str, Any]) -> Any:
    """The key struct with values that need not fit its types (it is only read)."""
    key = shape.key()
    for name, value in values.items():
        setattr(key, name, value)
    return key


def iso_time(text: str | None) -> Micros:
    """ISO text from the wire; raises ``ValueError`` or ``TypeError`` when it is none."""
    if not isinstance(text, str):
        raise TypeError("no time")
    instant = times.parse(text)
    if not 0 <= instant < CALENDAR_END:
        raise ValueError(OUTSIDE)
    return instant


def epoch_milliseconds(value: int | str | None) -> Micros:
    """Epoch milliseconds from the wire; raises ``ValueError`` or ``TypeError`` when it is none."""
    if value is None or isinstance(value, (bool, float)):
        raise ValueError("no time")
    instant = int(value) * 1000
    if not 0 <= instant < CALENDAR_END:
        raise ValueError(OUTSIDE)
    return instant


OUTSIDE = "a time outside the calendar"
CALENDAR_END = times.parse("9999-12-31")
"""From here on, a later moment of the same day or zone may have no text form any more."""
