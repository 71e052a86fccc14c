"""From events to batches of lines."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import msgspec
import pytest

from collector.core.batching import Limits, Origin, batches
from collector.core.model import NO_TIME, Batch, Event
from collector.core.times import HOUR
from tests.fakes.pulls import START, as_json, event, hours

ORIGIN = Origin(
    input="tenant",
    service="alerts",
    source="tenant#alerts",
    tag="casb.proofpoint.alert",
    mode="window",
    pulling_id="17",
    observed=START + 5 * HOUR + 7,
    outputs=("archive", "siem"),
)


def made(
    events: list[Event], copies: int = 1, limits: Limits | None = None, **changed: Any
) -> list[Batch]:
    """The batches of some events, each flattened to so many copies."""
    metadata = changed.pop("metadata", True)
    origin = msgspec.structs.replace(ORIGIN, **changed)
    pairs = [(each, [each.raw] * copies) for each in events]
    return batches(origin, pairs, limits or Limits(), metadata=metadata)


def lines(batch: Batch) -> list[Any]:
    """The records of a batch, decoded."""
    assert batch.body.endswith(b"\n")
    found = batch.body[:-1].split(b"\n")
    assert len(found) == batch.count
    return [json.loads(line) for line in found]


def test_nothing() -> None:
    """No events make no batch."""
    assert made([]) == []


def test_metadata() -> None:
    """Each record says where it comes from, under one last key."""
    (batch,) = made([event(1, START, a=2)])
    assert lines(batch) == [
        {
            "id": "id-1",
            "a": 2,
            "@collector": {
                "input": "tenant",
                "service": "alerts",
                "tag": "casb.proofpoint.alert",
                "mode": "window",
                "pulling_id": "17",
                "observed_time": "2026-01-01T05:00:00.000007Z",
                "event_id": "id-1",
                "event_time": "2026-01-01T00:00:00Z",
            },
        }
    ]
    assert (batch.source, batch.tag, batch.mode) == (ORIGIN.source, ORIGIN.tag, "window")
    assert (batch.lane, batch.outputs) == ("standard", ("archive", "siem"))


def test_children_are_numbered() -> None:
    """The records of one event tell each other apart."""
    (batch,) = made([event(1)], copies=3)
    assert [line["@collector"]["record_index"] for line in lines(batch)] == [0, 1, 2]


def test_odd_events() -> None:
    """Flags and the bytes that were lost travel with the record; no time leaves none."""
    odd = Event('"\\', NO_TIME, b"{}", ("not_utf8", "no_time"), b"\xff\x00")
    about = lines(made([odd])[0])[0]["@collector"]
    assert about["event_id"] == '"\\'
    assert about["flags"] == ["not_utf8", "no_time"]
    assert b64decode(about["original_base64"]) == b"\xff\x00"
    assert "event_time" not in about


def test_without_metadata() -> None:
    """It can be switched off, but not for what could be found nowhere else."""
    plain, lossy = Event("a", START, b'{"a":1}'), Event("b", START, b"{}", ("not_utf8",), b"\xff")
    first, second = lines(made([plain, lossy], metadata=False)[0])
    assert first == {"a": 1}
    assert "original_base64" in second["@collector"]


def test_bounded_by_records() -> None:
    """A batch has at most so many records, but an event is never torn."""
    found = made([event(n) for n in range(5)], copies=2, limits=Limits(max_records=5))
    assert [batch.count for batch in found] == [4, 4, 2]
    (whole,) = made([event(1)], copies=9, limits=Limits(max_records=5))
    assert whole.count == 9


def test_bounded_by_bytes() -> None:
    """A batch has at most so many bytes; a larger event has its own."""
    small, large = event(1), event(2, text="x" * 5000)
    size = len(made([small])[0].body)
    found = made([small, small, large, small], limits=Limits(max_bytes=2 * size))
    assert [batch.count for batch in found] == [2, 1, 1]
    assert len(found[0].body) == 2 * size


def test_order_is_kept() -> None:
    """Records leave in the order in which their events came."""
    found = made([event(n) for n in range(7)], limits=Limits(max_records=3))
    assert [line["id"] for batch in found for line in lines(batch)] == [f"id-{n}" for n in range(7)]


def test_span() -> None:
    """A batch knows its earliest and latest time, and begins anew with each."""
    times = [START + 5, START + 2, NO_TIME, START + 9, NO_TIME]
    first, second = made([event(n, t) for n, t in enumerate(times)], limits=Limits(max_records=4))
    assert (first.first, first.last) == (START + 2, START + 9)
    assert (second.first, second.last) == (NO_TIME, NO_TIME)


def test_ledger_rows_of_the_lines() -> None:
    """A batch knows to which hour each run of its lines is counted."""
    events = [event(1), event(2), event(3, START + HOUR), event(4, NO_TIME), event(5)]
    hour = START // HOUR
    (batch,) = made(events, copies=2)
    assert batch.hours == ((hour, 4), (hour + 1, 2), (hour + 5, 2), (hour, 2))
    (batch,) = made(events, counted_in=hours(3, 4))
    assert batch.hours == ((hour + 3, 5),)


def test_vendor_key_of_the_same_name() -> None:
    """A record that has our key already ends with ours."""
    (batch,) = made([Event("a", START, as_json({"@collector": "theirs"}))])
    assert lines(batch)[0]["@collector"]["input"] == "tenant"


@pytest.mark.parametrize("name", ["@collector", "x"])
def test_vendor_key_that_would_speak_for_us(name: str) -> None:
    """A record that has our key ends with ours also without metadata: senders believe it."""
    (batch,) = made([Event("a", START, as_json({name: {"event_id": "b"}}))], metadata=False)
    told = lines(batch)[0].get("@collector", {})
    assert told.get("event_id") == ("a" if name == "@collector" else None)
