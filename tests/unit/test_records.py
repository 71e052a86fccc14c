"""What a record on its way out says of itself."""

from __future__ import annotations

import pytest

from collector.core import times
from collector.core.model import NO_TIME, SpooledBatch
from collector.senders.records import (
    Described,
    dated,
    described,
    event_times,
    identity,
    named,
    time_of,
    timed,
)
from tests.fakes.batches import FIRST, batch_of

TIME = times.parse("2026-01-01T11:59:43.881767Z")
RECORD = (
    b'{"a":{"@collector":1},"@collector":{"event_id":"x","record_index":2,"flags":["no_id"],'
    b'"event_time":"2026-01-01T11:59:43.881767Z","observed_time":"2026-01-01T13:30:00Z"}}'
)


def batch(first: int = FIRST, source: str = "acme_eu#message") -> SpooledBatch:
    """A batch of a service."""
    spooled = batch_of([b"{}"], first=first, tag="mail.proofpoint.pod.message")
    return SpooledBatch(
        **{name: getattr(spooled, name) for name in spooled.__struct_fields__} | {"source": source}
    )


def test_described() -> None:
    """Keys, id, index and time are read."""
    assert described(RECORD) == Described(
        names={"a", "@collector"},
        event_id="x",
        event_time="2026-01-01T11:59:43.881767Z",
        record_index=2,
        time=TIME,
    )


@pytest.mark.parametrize(
    "line",
    [
        b"1",
        b"[]",
        b"",
        b"{",
        b'{"@collector":3}',
        b'{"@collector":{"event_id":7}}',
        b"[" * 5_000,
        b'{"a":"\xff"}x',
    ],
)
def test_odd_records(line: bytes) -> None:
    """Whatever comes, nothing is raised and nothing is believed."""
    found = described(line)
    assert (found.names, found.event_id, found.time) == (None, None, None)


def test_key_that_only_means_ours() -> None:
    """A key of the vendor's that is ours in another spelling is not believed."""
    found = described(b'{"\\u0040collector":{"event_id":"x","event_time":"2026-01-01"}}')
    assert (found.names, found.event_id, found.time) == ({"@collector"}, None, None)


WRITTEN = b"2026-01-01T11:59:43.881767Z"

# Valid to a parser of dates, and beyond the calendar once they are told in UTC.
ODD_TIMES = [b"soon", b"0001-01-01T00:00:00+23:59", b"9999-12-31T23:59:59-23:59", b"1901-01-01"]


def time_in(line: bytes) -> bytes | None:
    """What is found in a record with neighbours, which must not be looked at."""
    neighbour = RECORD.replace(b"11:59", b"23:23") + b"\n"
    text = neighbour + line + b"\n" + neighbour
    spans = [(0, len(neighbour) - 1), (len(neighbour), len(neighbour) + len(line))]
    other, found = event_times(text, spans)
    assert other == WRITTEN.replace(b"11:59", b"23:23")
    return found


@pytest.mark.parametrize("text", ODD_TIMES)
def test_odd_time(text: bytes) -> None:
    """A time that is none is none, and raises nothing where it would be written."""
    line = b'{"@collector":{"event_time":"%b"}}' % text
    assert described(line).time is None
    assert time_in(line) is None


def test_event_time() -> None:
    """Only what the collector itself wrote is believed, not a field of the vendor's."""
    assert time_in(RECORD) == WRITTEN
    forged = b'{"event_time":"2001-01-01T00:00:00Z"'
    assert time_in(forged + b"}") is None
    assert time_in(forged + b',"@collector":{"event_id":"x"}}') is None
    whole = forged + b',"@collector":{"event_id":"x","event_time":"2026-01-01T11:59:43.881767Z"}}'
    assert time_in(whole) == WRITTEN


def test_time_of() -> None:
    """The record's own time comes first, then the batch's, then the clock's."""
    assert time_of(described(RECORD), batch(), 5) == TIME
    observed = described(b'{"@collector":{"observed_time":"2026-01-01T13:30:00Z"}}')
    assert time_of(observed, batch(), 5) == times.parse("2026-01-01T13:30:00Z")
    assert time_of(Described(), batch(), 5) == FIRST
    assert time_of(Described(), batch(NO_TIME), 5) == 5


def test_identity_of_an_event() -> None:
    """Service, event, its time and part make it, as the known ids are made; the batch does not."""
    one = identity(described(RECORD), batch(), 0)
    assert one == identity(described(RECORD), batch(NO_TIME), 9)
    assert len(one) == 64
    others = {
        identity(described(RECORD), batch(source="acme_us#message"), 0),
        identity(Described(event_id="x", record_index=1), batch(), 0),
        identity(Described(event_id="y", record_index=2), batch(), 0),
        identity(Described(event_id="x", record_index=2, event_time="2026-01-01"), batch(), 0),
        identity(Described(), batch(), 0),
        identity(Described(), batch(), 1),
    }
    assert len(others) == 6
    assert one not in others


def test_timed() -> None:
    """The key is added last; not twice, not to what is no object, not when it is off."""
    line = b'{"a": 1}'
    assert timed(line, described(line), "t", FIRST) == b'{"a": 1,"t":"2026-01-01T00:00:00Z"}'
    assert timed(b"{}", described(b"{}"), "t", FIRST) == b'{"t":"2026-01-01T00:00:00Z"}'
    assert timed(line, described(line), "a", FIRST) == line
    assert timed(line, described(line), None, FIRST) == line
    assert timed(b"[1]", described(b"[1]"), "t", FIRST) == b"[1]"


def test_named() -> None:
    """The names of the batch stand in the pattern; what is inside them is not read again."""
    assert named("{input}/{service}/{SERVICE}/{tag}", batch()) == (
        "acme_eu/message/MESSAGE/mail.proofpoint.pod.message"
    )
    assert named("{other}{input}", batch(source="collector")) == "{other}collector"


def test_dated() -> None:
    """The time is told in UTC."""
    assert dated("logs-%Y.%m.%d-%H", TIME) == "logs-2026.01.01-11"
