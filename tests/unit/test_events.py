"""From the bytes of one record to an event."""

from __future__ import annotations

import base64
import json

import pytest

from collector.core.events import epoch_milliseconds, iso_time, reader, rescue
from collector.core.model import NO_TIME, Event, Rejected
from collector.core.times import HOUR
from collector.pullers import casb_alerts, casb_events, pod_message
from tests.fakes.pulls import START

TS = b'"ts":"2026-01-01T00:00:00Z"'
read = reader(pod_message.SHAPE)


def only(raw: bytes) -> Event:
    """The one event of a record."""
    events, rejected = read([raw])
    assert rejected == []
    return events[0]


def test_fast_way() -> None:
    """A record as it should be travels untouched."""
    raw = b'{"guid":"a", "x": "\xc3\xa9", ' + TS + b"}"
    assert only(b" " + raw + b"\r\n") == Event("a", START, raw)


def test_empty_messages_are_no_records() -> None:
    """An empty message is neither an event nor a reject."""
    assert read([b"", b" \n", b"\t"]) == ([], [])


@pytest.mark.parametrize(
    ("record", "event_id", "flags"),
    [
        (b'{"guid":"a",%b,"x":"1\t2"}', "a", ("control_characters",)),
        (b'{"guid":"a",%b,"x":"\xff"}', "a", ("not_utf8",)),
        (b'{"guid":"a",%b,"x":"\\ud800"}', "a", ("lone_surrogate",)),
        (b'{"guid":"a",%b,"\\ud800":1}', "a", ("lone_surrogate",)),
        (b'{"guid":"a",\n%b}', "a", ()),
        (b'{"guid":7,%b}', "7", ()),
        (b'{"guid":null,"id":"b",%b}', "b", ()),
        (b'{"guid":"","id":"b",%b}', "b", ()),
        (b'{"guid":{},"id":["b"],%b}', None, ("no_id",)),
        (b'{"guid":true,%b}', None, ("no_id",)),
        (b"{%b}", None, ("no_id",)),
    ],
)
def test_odd_records(record: bytes, event_id: str | None, flags: tuple[str, ...]) -> None:
    """An odd record becomes an event that says what was odd."""
    event = only(record % TS)
    assert event.time == START
    assert event.flags == flags
    assert event.id == event_id or (event_id is None and event.id.startswith("sha256:"))
    json.loads(event.raw)


def test_lossy_repairs_keep_the_original() -> None:
    """What U+FFFD stands for can be looked up; an escape loses nothing."""
    lossy = b'{"guid":"a",%b,"x":"\xff"}' % TS
    assert only(lossy).original == lossy
    assert only(b'{"guid":"a",%b,"x":"\t"}' % TS).original is None


@pytest.mark.parametrize(
    "time",
    [
        b"",
        b',"ts":null',
        b',"ts":""',
        b',"ts":"yesterday"',
        b',"ts":1767225600',
        b',"ts":["2026-01-01T00:00:00Z"]',
        b',"ts":"1969-12-31T23:59:59.999999Z"',
        b',"ts":"0001-01-01T00:00:00+0700"',
        b',"ts":"9999-12-31T23:59:59-0700"',
        b',"ts":"9999-12-31T23:59:59Z"',
    ],
)
def test_no_time(time: bytes) -> None:
    """A time that cannot be read, or lies outside the calendar, is none."""
    event = only(b'{"guid":"a"%b}' % time)
    assert (event.time, event.flags) == (NO_TIME, ("no_time",))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"guid":"a"}}', "not JSON"),
        (b'{"guid":"a","x":\xff}', "not JSON"),
        (b'{"guid":"a","x":\x00}', "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b'{"x":' * 5_000, "not JSON"),
        (b'{"guid":%b}' % (b"9" * 5_000), "not JSON"),
        (b"[1]", "not a JSON object but list"),
        (b"null", "not a JSON object but NoneType"),
        (b'"text"', "not a JSON object but str"),
    ],
)
def test_rejects(raw: bytes, reason: str) -> None:
    """What is no JSON object is kept aside with its reason, untouched."""
    events, rejected = read([raw])
    assert events == []
    assert rejected[0].raw == raw
    assert rejected[0].reason.startswith(reason)


def test_one_record_decides_about_itself_alone() -> None:
    """The neighbours of a hopeless record arrive, in order."""
    good = [b'{"guid":"%d",%b}' % (n, TS) for n in range(3)]
    events, rejected = read([good[0], b"}", good[1], b"\xff", good[2]])
    assert [event.id for event in events] == ["0", "1", "2"]
    assert len(rejected) == 2


def test_id_of_a_replay_without_id() -> None:
    """Without an id, the same content in another key order is the same event."""
    first = only(b'{%b,"a":1,"b":2}' % TS)
    again = only(b'{"b":2,"a":1,%b}' % TS)
    assert first.id == again.id


def test_ids_that_were_lost_do_not_meet() -> None:
    """Two ids whose bytes became U+FFFD are not one event: their content tells them apart."""
    one, two = (only(b'{"guid":"%b",%b,"x":%d}' % (bad, TS, bad[0])) for bad in (b"\xff", b"\xfe"))
    assert one.id != two.id
    assert one.flags == ("not_utf8", "no_id")


def test_large_record() -> None:
    """Size alone is nothing odd."""
    raw = b'{"guid":"a",%b,"x":"%b"}' % (TS, b"y" * 3_000_000)
    assert only(raw).flags == ()


@pytest.mark.parametrize("value", ["1767225600000", 1_767_225_600_000])
def test_epoch_milliseconds(value: int | str) -> None:
    """Milliseconds come as a number or as text."""
    assert epoch_milliseconds(value) == START


@pytest.mark.parametrize("value", [None, "", "soon", -1, 10**18, "9" * 5_000, True])
def test_no_epoch_milliseconds(value: int | str | None) -> None:
    """What is no instant of the calendar is refused."""
    with pytest.raises(ValueError, match=r".+"):
        epoch_milliseconds(value)


@pytest.mark.parametrize("value", [b"{}", b"[]", b"[[]]", b"true", b"1", b'{"a":"b"}'])
def test_a_time_of_another_type(value: bytes) -> None:
    """Whatever stands where a time should: the record is delivered without one."""
    event = only(b'{"guid":"a","ts":%b}' % value)
    assert (event.id, event.time, event.flags) == ("a", NO_TIME, ("no_time",))


def test_iso_time_needs_a_text() -> None:
    """An absent time is refused like a wrong one."""
    with pytest.raises(TypeError, match="no time"):
        iso_time(None)


def test_shapes_of_casb() -> None:
    """Alerts are known by ``id`` and a number, events by ``eventId`` and a text."""
    alert = rescue(b'{"id":"a","timestamp":1767225600000}', casb_alerts.SHAPE)
    event = rescue(b'{"eventId":"e","timestamp":"2026-01-01T01:00:00.000Z"}', casb_events.SHAPE)
    assert isinstance(alert, Event)
    assert isinstance(event, Event)
    assert (alert.id, alert.time) == ("a", START)
    assert (event.id, event.time) == ("e", START + HOUR)


def test_float_milliseconds_are_no_time() -> None:
    """A rounded timestamp would make another event of a replay: it counts as none."""
    alert = rescue(b'{"id":"a","timestamp":1767225600000.5}', casb_alerts.SHAPE)
    assert not isinstance(alert, Rejected)
    assert alert.flags == ("no_time",)


def test_original_survives_the_way() -> None:
    """The original bytes are any bytes."""
    original = b'{"guid":"a","x":"' + bytes(range(128, 256)) + b'"}'
    kept = only(original).original
    assert kept is not None
    assert base64.b64decode(base64.b64encode(kept)) == original
