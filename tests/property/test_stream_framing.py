"""A stream may be cut into messages anywhere: its records are the same."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from collector.codecs.framing import framing
from collector.codecs.registry import CODECS
from collector.core.decoded import Record
from collector.core.model import Rejected
from collector.core.wirejson import is_clean, strict

LIMIT = 64

WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "newline": lambda frame: frame + b"\n",
    "character": lambda frame: frame + b"|",
    "length": lambda frame: len(frame).to_bytes(4) + frame,
    "octet_counting": lambda frame: b"%d %b" % (len(frame), frame),
}

frames = st.lists(
    st.binary(min_size=1, max_size=LIMIT)
    .map(lambda each: each.replace(b"\n", b"n").replace(b"|", b"i").replace(b"\r", b"r"))
    .filter(bool),
    max_size=8,
)


def cut_at(stream: bytes, cuts: list[int]) -> list[bytes]:
    """The stream in messages that end at these places."""
    places = [0, *sorted({cut % (len(stream) + 1) for cut in cuts}), len(stream)]
    return [stream[a:b] for a, b in pairwise(places)]


@given(st.sampled_from(sorted(WRITTEN)), frames, st.lists(st.integers(min_value=0), max_size=12))
def test_a_split_anywhere_gives_the_same_records(
    method: str, wanted: list[bytes], cuts: list[int]
) -> None:
    """Whatever the framing."""
    spans = method in ("newline", "character")
    cutter = framing(method, LIMIT, b"|", spans=spans)
    messages = cut_at(b"".join(map(WRITTEN[method], wanted)), cuts)
    found = [piece for message in messages for piece in cutter.feed(message)]
    assert [*found, *cutter.flush()] == wanted


@given(st.binary(max_size=400), st.lists(st.integers(min_value=0), max_size=12))
def test_long_lines_are_the_same_too(stream: bytes, cuts: list[int]) -> None:
    """Any bytes: lines over the limit are rejected with the same beginning."""

    def pieces(messages: list[bytes]) -> list[bytes | Rejected]:
        cutter = framing("newline", 16, b"", spans=True)
        found = [piece for message in messages for piece in cutter.feed(message)]
        return [*found, *(each for each in cutter.flush() if len(stream.split(b"\n")[-1]) <= 16)]

    assert pieces(cut_at(stream, cuts)) == pieces([stream])


@given(st.sampled_from(sorted([*WRITTEN, "none"])), st.lists(st.binary(max_size=200), max_size=6))
def test_nothing_is_invented(method: str, messages: list[bytes]) -> None:
    """From any bytes a framing gives bounded pieces, never more than came, and never raises."""
    cutter = framing(method, LIMIT, b"|", spans=False)
    found = [piece for message in messages for piece in cutter.feed(message)]
    found += cutter.flush()
    frames = [each for each in found if isinstance(each, bytes)]
    assert all(0 < len(each) <= LIMIT for each in frames)
    kept = [each.raw if isinstance(each, Rejected) else each for each in found]
    assert sum(map(len, kept)) <= sum(map(len, messages))


json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
syslog_like = st.tuples(
    st.sampled_from([b"<34>1 ", b"<0>", b"<191>1 - - - - - ", b"<34>Oct 11 22:14:15 ", b""]),
    st.binary(max_size=60) | st.sampled_from([b'[a b="c"] x', b"host app[1]: x", b"- x"]),
).map(b"".join)


@given(st.sampled_from(sorted(CODECS)), st.binary(max_size=200) | syslog_like)
def test_no_codec_raises(codec: str, frame: bytes) -> None:
    """Each gives records that are objects on one line, or rejects that keep bytes."""
    for each in CODECS[codec](LIMIT)(frame):
        if isinstance(each, Record):
            assert is_clean(each.raw)
            assert strict(each.raw) == each.fields
        else:
            assert each.reason


@given(json_like, st.booleans())
def test_json_comes_through(value: object, many: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever JSON can say."""
    encoded = msgspec.json.encode([value] if many else value)
    found = [each.fields for each in CODECS["json"](LIMIT)(encoded) if isinstance(each, Record)]
    values = value if isinstance(value, list) and not many else [value]
    assert found == [each if isinstance(each, dict) else {"message": each} for each in values]
