"""Frames can be read back, whatever the record holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.senders.framing import Header, framed, name, printable, truncated, visible
from tests.fakes.receivers import counted_messages, newline_lines

EMPTY = Header(before=b"", after=b"", short=False)
MESSAGES = st.lists(st.binary(max_size=50))


@given(MESSAGES)
def test_counted_frames_round_trip(messages: list[bytes]) -> None:
    """Counted frames give back every byte."""
    wire = b"".join(b"".join(framed(EMPTY, b"", message, "octet_counting")) for message in messages)
    assert counted_messages(wire) == messages


@given(MESSAGES)
def test_newline_frames_stay_apart(messages: list[bytes]) -> None:
    """Escaped messages are as many as were sent, without anything that ends a line."""
    wire = b"".join(
        b"".join(framed(EMPTY, b"", visible(message), "newline")) for message in messages
    )
    assert newline_lines(wire) == [visible(message) for message in messages]
    assert not {0x00, 0x0A, 0x0D} & {byte for line in newline_lines(wire) for byte in line}


@given(st.text(max_size=80), st.integers(min_value=12, max_value=90))
def test_truncated_is_text(text: str, length: int) -> None:
    """Cut text fits and is still UTF-8."""
    cut = truncated(text.encode(), length)
    assert len(cut) <= length
    cut.decode()


@given(st.text(), st.integers(min_value=1, max_value=255))
def test_header_fields_hold_no_separator(text: str, length: int) -> None:
    """No field can end early, be empty or grow too long."""
    for field in (printable(text, length), name(text, length)):
        assert 1 <= len(field) <= length
        assert field.isascii()
        assert not set(field) & set(" \r\n\t\x00")
