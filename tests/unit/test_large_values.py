"""Records at the edge of what JSON can hold (row 20, and the limits of bad input).

Apart from their size as a whole there is no limit of ours: records are bytes, decoded
only as far as id and time, and whatever comes out is one line of JSON.
"""

from __future__ import annotations

import tracemalloc

import pytest

from collector.core.events import reader
from collector.core.flatten import flattener
from collector.core.model import Event, Rejected
from collector.core.wirejson import splice
from collector.pullers.pod_message import SHAPE
from tests.fakes.pulls import START

TS = b'"ts":"2026-01-01T00:00:00.000000+0000"'
MIB = 1024 * 1024

read = reader(SHAPE)


def one(raw: bytes) -> Event | Rejected:
    """What becomes of one record."""
    events, rejected = read([raw])
    assert len(events) + len(rejected) == 1
    return events[0] if events else rejected[0]


TAKEN = {
    "a string of 20 MB": b'"%b"' % (b"x" * 20 * MIB),
    "a million keys": b"{%b}" % b",".join(b'"k%d":0' % n for n in range(1_000_000)),
    "a million elements": b"[%b]" % b",".join([b"0"] * 1_000_000),
    "a number beyond a double": b"1e400",
    "a number of 4,000 digits": b"9" * 4_000,
    "a thousand of one key": b"{%b}" % b",".join([b'"k":1'] * 1_000),
    "64 levels": b"[" * 64 + b"]" * 64,
    "a NUL, escaped": b'"\\u0000"',
    "a key of 1 MB": b'{"%b":0}' % (b"k" * MIB),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_taken_as_it_is(kind: str) -> None:
    """No byte is changed, and it can be delivered with our metadata and flattened."""
    raw = b'{"guid":"a",%b,"x":%b}' % (TS, TAKEN[kind])
    event = one(raw)
    assert isinstance(event, Event)
    assert (event.id, event.time, event.raw, event.flags) == ("a", START, raw, ())
    assert splice(raw, b'"@collector"', b"{}") == raw[:-1] + b',"@collector":{}}'
    for mode in ("none", "split", "pivot", "path"):
        assert flattener(mode, "related_events")(raw) == [raw]


ASIDE = {
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "a hundred thousand levels": b"[" * 100_000 + b"]" * 100_000,
    "a number with a leading zero": b"007",
    "a byte order mark": "\ufeff{}".encode("utf-16"),
    "cut in the middle": b'{"y":',
}


@pytest.mark.parametrize("kind", ASIDE)
def test_kept_aside(kind: str) -> None:
    """Never delivered as something else, and never an error: the bytes and a reason are kept."""
    raw = b'{"guid":"a",%b,"x":%b}' % (TS, ASIDE[kind])
    found = one(raw)
    assert isinstance(found, Rejected)
    assert found.raw == raw
    assert found.reason.startswith("not JSON")


def test_the_last_of_a_doubled_key_counts() -> None:
    """Like every other reader of JSON does; the bytes are delivered with both."""
    raw = b'{"guid":"a","guid":"b",%b}' % TS
    event = one(raw)
    assert isinstance(event, Event)
    assert (event.id, event.raw) == ("b", raw)


def test_memory_for_a_large_record() -> None:
    """Reading one takes no second copy of it."""
    raw = b'{"guid":"a",%b,"x":"%b"}' % (TS, b"x" * 32 * MIB)
    tracemalloc.start()
    try:
        event = one(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(event, Event)
    assert peak < MIB
