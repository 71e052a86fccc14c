"""How the records of a stream are told apart."""

from __future__ import annotations

import pytest

from collector.codecs.framing import Framing, framing
from collector.core.model import Rejected

LIMIT = 8


def cut(framing: Framing, *messages: bytes) -> list[bytes]:
    """The frames of a session; what is rejected is marked with ``!``."""
    pieces = [piece for message in messages for piece in framing.feed(message)]
    pieces += framing.flush()
    return [b"!" + each.raw if isinstance(each, Rejected) else each for each in pieces]


def made(method: str, delimiter: bytes = b"", *, spans: bool = False) -> Framing:
    """A framing for records of ``LIMIT`` bytes at most."""
    return framing(method, LIMIT, delimiter, spans=spans)


def sized(frame: bytes) -> bytes:
    """The frame after its length in 32 bits."""
    return len(frame).to_bytes(4) + frame


CASES: dict[str, tuple[Framing, list[bytes], list[bytes]]] = {
    "messages": (made("none"), [b"a\nb", b"", b"c"], [b"a\nb", b"c"]),
    "a message too long": (made("none"), [b"123456789", b"c"], [b"!12345678", b"c"]),
    "lines": (made("newline"), [b"a\r\nb\n\nc", b"d\n"], [b"a", b"b", b"c", b"d"]),
    "a line too long": (made("newline"), [b"123456789\nb"], [b"!12345678", b"b"]),
    "a line of the limit": (made("newline"), [b"12345678\r\nb"], [b"12345678", b"b"]),
    "lines over messages": (
        made("newline", spans=True),
        [b"a\nb", b"c\r", b"\nd"],
        [b"a", b"bc", b"!d"],
    ),
    "a long line over messages": (
        made("newline", spans=True),
        [b"12345678", b"90", b"more", b"more\nb\n"],
        [b"!12345678", b"b"],
    ),
    "a line of the limit over messages": (
        made("newline", spans=True),
        [b"12345678", b"\r", b"\n"],
        [b"12345678"],
    ),
    "nul": (made("character", b"\0"), [b"a\0b\r\0", b"c"], [b"a", b"b\r", b"c"]),
    "nul over messages": (made("character", b"\0", spans=True), [b"a", b"b\0"], [b"ab"]),
    "lengths": (made("length"), [sized(b"a") + sized(b"") + sized(b"bc")], [b"a", b"bc"]),
    "lengths over messages": (
        made("length"),
        [b"\0\0", b"\0\2a", b"b\0\0\0\1"],
        [b"ab", b"!\0\0\0\1"],
    ),
    "a length that cannot be": (
        made("length"),
        [sized(b"a") + b"text", sized(b"b")],
        [b"a", b"!text", b"b"],
    ),
    "octets": (made("octet_counting"), [b"1 a2 bc", b"1 ", b"d"], [b"a", b"bc", b"d"]),
    "octets over messages": (made("octet_counting"), [b"1", b" a", b"8"], [b"a", b"!8"]),
    "no octets": (made("octet_counting"), [b"1 ax 1 b", b"1 c"], [b"a", b"!x 1 b", b"c"]),
    "a zero in front": (made("octet_counting"), [b"01 a"], [b"!01 a"]),
    "too many octets": (made("octet_counting"), [b"9 123456789"], [b"!9 123456789"]),
    "digits without an end": (made("octet_counting"), [b"1" * 12], [b"!" + b"1" * 12]),
    "a blank alone": (made("octet_counting"), [b" a"], [b"! a"]),
}


@pytest.mark.parametrize("case", CASES)
def test_frames(case: str) -> None:
    """The frames, and what is none."""
    cutter, messages, frames = CASES[case]
    assert cut(cutter, *messages) == frames


def test_a_framing_begins_afresh_after_a_flush() -> None:
    """Nothing of one session is taken for a part of the next."""
    lines, lengths = made("newline", spans=True), made("length")
    cut(lines, b"1234567890")
    cut(lengths, sized(b"abc")[:-1])
    assert cut(lines, b"a\n") == cut(lengths, sized(b"a")) == [b"a"]


def test_many_small_messages() -> None:
    """A record that comes byte by byte is put together once."""
    big = framing("length", 1 << 20, b"", spans=False)
    frame = bytes(100_000)
    pieces = [p for byte in sized(frame) for p in big.feed(bytes([byte]))]
    assert pieces == [frame]
