"""Records at the edge of what JSON can hold (row 20, and the limits of bad input).

Records are bytes, decoded only as far as id and time, and whatever comes out is one line
of JSON; what is beyond the bounds is kept aside.
"""

from __future__ import annotations

import tracemalloc
from typing import get_args

import pytest

from collector.core.bounds import Bounds
from collector.core.events import reader
from collector.core.flatten import Mode, flattener
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
    "a string of 8 MiB": b'"%b"' % (b"x" * 8 * MIB),
    "9,000 keys": b"{%b}" % b",".join(b'"k%d":0' % n for n in range(9_000)),
    "10,000 colons": b'"%b"' % (b":" * 100_000),
    "brackets in a string": b'"%b"' % (b"[{" * 50_000),
    "a million elements": b"[%b]" % b",".join([b"0"] * 1_000_000),
    "a number beyond a double": b"1e400",
    "a number of 4,000 digits": b"9" * 4_000,
    "a thousand of one key": b"{%b}" % b",".join([b'"k":1'] * 1_000),
    "64 levels": b"[" * 63 + b'"%b"' % (b"x" * 100_000) + b"]" * 63,
    "64 levels of both kinds": b'[{"a":' * 31 + b'["%b"]' % (b"x" * 100_000) + b"}]" * 31,
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
    for mode in get_args(Mode):
        assert flattener(mode, "related_events")(raw) == [raw]


ASIDE = {
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "ten thousand levels": b"[" * 10_000 + b"]" * 10_000,
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


BEYOND = {
    "a string of 8 MiB and 1 byte": (b'"%b"' % (b"x" * (8 * MIB + 1)), "a string of 8388609"),
    "10,001 keys": (b"{%b}" % b",".join(b'"k%d":0' % n for n in range(10_000)), "10003 keys"),
    "65 levels": (b"[" * 64 + b'"%b"' % (b"x" * 100_000) + b"]" * 64, "nested deeper"),
    "a hundred thousand levels": (b"[" * 100_000 + b"]" * 100_000, "nested deeper"),
    "levels side by side": (
        b"[%b]" % b",".join([b"[]"] * 50_000 + [b"[" * 64 + b"]" * 64]),
        "nest",
    ),
}


@pytest.mark.parametrize("kind", BEYOND)
@pytest.mark.parametrize("odd", [b"", b'"y":"\t",'])
def test_beyond_its_bounds(kind: str, odd: bytes) -> None:
    """Kept aside with the reason, whether or not it is odd besides."""
    value, reason = BEYOND[kind]
    raw = b'{"guid":"a",%b,%b"x":%b}' % (TS, odd, value)
    found = one(raw)
    assert isinstance(found, Rejected)
    assert found.raw == raw
    assert found.reason.startswith(reason) or odd


def test_bounds_are_settings() -> None:
    """What is beyond the bounds by default is taken where they are wider."""
    raw = b'{"guid":"a",%b,"x":%b}' % (TS, BEYOND["65 levels"][0])
    events, rejected = reader(SHAPE, Bounds(depth=65))([raw])
    assert ([event.raw for event in events], rejected) == ([raw], [])


def test_the_last_of_a_doubled_key_counts() -> None:
    """Like every other reader of JSON does; the bytes are delivered with both."""
    raw = b'{"guid":"a","guid":"b",%b}' % TS
    event = one(raw)
    assert isinstance(event, Event)
    assert (event.id, event.raw) == ("b", raw)


def test_memory_for_a_large_record() -> None:
    """Reading one takes no second copy of it."""
    raw = b'{"guid":"a",%b,"x":[%b]}' % (TS, b",".join([b'"%b"' % (b"x" * 8 * MIB)] * 4))
    tracemalloc.start()
    try:
        event = one(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(event, Event)
    assert peak < MIB
