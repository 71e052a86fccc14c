"""Whatever bytes come, a record is an event or a reject, and an event is one line of JSON."""

from __future__ import annotations

import json
from typing import Any, get_args

from hypothesis import example, given, settings
from hypothesis import strategies as st

from collector.core import wirejson
from collector.core.events import Shape, reader, rescue
from collector.core.flatten import Mode, flattener
from collector.core.model import NO_TIME, Event, Rejected
from collector.core.times import isoformat
from collector.pullers import casb_alerts, casb_events, pod_maillog
from tests.fakes.lines import is_one_line_of_json

SHAPES = st.sampled_from([casb_alerts.SHAPE, casb_events.SHAPE, pod_maillog.SHAPE])
NAMES = st.sampled_from(["id", "guid", "ts", "eventId", "timestamp"]) | st.text(max_size=3)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.datetimes().map(str)
)
RECORDS = st.dictionaries(
    NAMES,
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2), max_leaves=4),
    max_size=6,
)
# Pieces that meet in bad records more often than random bytes would.
PIECES = st.sampled_from([
    b'{"id":"a",', b'"guid":', b'"timestamp":1767225600000', b'"ts":"2026-01-01T00:00:00Z"',
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u", b"\\ud800", b"\\udc00", b"\\n",
    b"\n", b"\r", b"\t", b"\x00", b"\x1f", b"\x7f", b"\xff", b"\xed\xa0\x80", b"\xc0\x80",
    b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"1e999", b"-0", b"NaN", b"null", b"true", b" ",
])  # fmt: skip
ODD = st.lists(PIECES, max_size=14).map(b"".join)


@st.composite
def wounded(draw: st.DrawFn) -> bytes:
    """A valid record in which some bytes were replaced."""
    raw = bytearray(json.dumps(draw(RECORDS), ensure_ascii=draw(st.booleans())).encode())
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(raw) - 1))
        raw[at : at + draw(st.integers(0, 1))] = draw(PIECES)
    return bytes(raw)


ANY = st.binary(max_size=40) | ODD | wounded()


def outcome(raw: bytes, shape: Shape) -> Event | Rejected | None:
    """What the reader makes of one record; None when there is none."""
    events, rejected = reader(shape)([raw])
    assert len(events) + len(rejected) == (1 if raw.strip() else 0)
    return (*events, *rejected, None)[0]


@settings(max_examples=500)
@given(ANY, SHAPES)
@example(b'{"x":1e999}', pod_maillog.SHAPE)
@example(b'{"x":' + b"[" * 990 + b"]" * 990 + b"}", pod_maillog.SHAPE)
def test_any_bytes(raw: bytes, shape: Shape) -> None:
    """Nothing raises; what is delivered is one line of valid JSON; what is lost is kept."""
    for found in (outcome(raw, shape), rescue(raw, shape)):
        if isinstance(found, Rejected):
            assert found.reason
            assert found.raw == raw or found.raw == raw.strip()
        elif found is not None:
            assert is_one_line_of_json(found.raw)
            assert found.id
            assert found.time == NO_TIME or isoformat(found.time)
            if not wirejson.LOSSY.isdisjoint(found.flags):
                assert found.original is not None
            assert all(
                is_one_line_of_json(each)
                for mode in get_args(Mode)
                for each in flattener(mode, "timestamp")(found.raw)
            )


@settings(max_examples=300)
@given(RECORDS, st.booleans(), st.sampled_from([None, 1]), SHAPES)
def test_valid_json_keeps_its_meaning(
    record: dict[str, Any],
    ascii_only: bool,  # noqa: FBT001 - drawn
    indent: int | None,
    shape: Shape,
) -> None:
    """A valid record is delivered with every value it had."""
    raw = json.dumps(record, ensure_ascii=ascii_only, indent=indent).encode()
    found = outcome(raw, shape)
    assert isinstance(found, Event)
    assert json.loads(found.raw) == record
    assert found.original is None
    assert set(found.flags) <= {"no_id", "no_time"}


@settings(max_examples=300)
@given(st.dictionaries(NAMES, st.text(max_size=6), max_size=4))
def test_control_characters_mean_the_same(record: dict[str, str]) -> None:
    """Raw control characters in strings come back as the characters they were."""
    raw = json.dumps(record, ensure_ascii=False)
    for code in range(0x20):
        raw = raw.replace(json.dumps(chr(code))[1:-1], chr(code))
    assert json.loads(wirejson.repair(raw.encode()).raw) == json.loads(raw, strict=False)


@settings(max_examples=200)
@given(st.lists(RECORDS, max_size=5), RECORDS, st.booleans(), st.sampled_from([None, 1]))
def test_parts_of_valid_json(
    records: list[Any],
    fields: dict[str, Any],
    ascii_only: bool,  # noqa: FBT001 - drawn
    indent: int | None,
) -> None:
    """Cut by quotes and brackets alone, a document falls into what a decoder finds."""
    array, whole = (
        json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
        for value in (records, fields)
    )
    assert [json.loads(part) for part in wirejson.parts(array)] == records
    members = [wirejson.member(part) for part in wirejson.parts(whole)]
    assert {json.loads(name): json.loads(value) for name, value in members} == fields


@settings(max_examples=300)
@given(ANY)
def test_parts_of_any_bytes(raw: bytes) -> None:
    """Either the brackets do not match, or no byte but commas and white space is left out."""
    try:
        found = wirejson.parts(b"[" + raw + b"]")
    except ValueError:
        return
    assert b"".join(b",".join(found).split()) == b"".join(raw.split())
