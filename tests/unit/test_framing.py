"""Syslog headers, escapes and frames."""

from __future__ import annotations

import pytest

from collector.core.model import Micros
from collector.senders.framing import (
    Header,
    framed,
    name,
    printable,
    priority,
    rfc3164_header,
    rfc3164_time,
    rfc5424_header,
    rfc5424_time,
    truncated,
    visible,
)
from tests.fakes.batches import FIRST


def test_rfc3164_header() -> None:
    """The day is padded with a space; what could end a field is replaced."""
    header = rfc3164_header(14, "my host", "mail.pod: evil")
    assert _at(header, FIRST + 1_000_001) == b"<14>Jan  1 00:00:01 my_host mail.pod__evil: "


def test_rfc5424_header() -> None:
    """Microseconds and Z; fields keep to printable ASCII; no byte order mark."""
    header = rfc5424_header(14, "höst", "casb proofpoint", "")
    expected = b"<14>1 2026-01-01T00:00:00.000001Z h_st casb_proofpoint - - - "
    assert _at(header, FIRST + 1) == expected


def test_a_messages_own_time_goes_before_the_others() -> None:
    """In the spelling of the format, whole seconds for RFC 3164; without one, the other."""
    moments = [b"2026-02-03T04:05:06.789000Z", None, b"2026-02-13T04:05:06Z"]
    short = rfc3164_header(14, "host", "tag").times(moments, FIRST)
    assert short == [b"Feb  3 04:05:06", b"Jan  1 00:00:00", b"Feb 13 04:05:06"]
    full = rfc5424_header(14, "host", "app", "id").times(moments, FIRST)
    assert full == [moments[0], b"2026-01-01T00:00:00.000000Z", moments[2]]


def test_times_are_exact() -> None:
    """No rounding through floating point, and before 1970 too."""
    assert rfc5424_time(1_999_999_999_999_999) == "2033-05-18T03:33:19.999999Z"
    assert rfc5424_time(-1) == "1969-12-31T23:59:59.999999Z"
    assert rfc3164_time(FIRST + 30 * 86_400_000_000) == "Jan 31 00:00:00"


@pytest.mark.parametrize(("facility", "severity"), [(-1, 6), (24, 6), (1, -1), (1, 8)])
def test_priority_refuses(facility: int, severity: int) -> None:
    """A facility or severity that does not exist is an error, not a wrong PRI."""
    with pytest.raises(ValueError, match="no such syslog"):
        priority(facility, severity)


def test_priority() -> None:
    """Facility 1 and severity 6 are Devo's 14; the largest PRI is 191."""
    assert (priority(1, 6), priority(23, 7)) == (14, 191)


def test_fields_have_lengths() -> None:
    """Too long a field is cut; an empty one is the nil value, or a name where there is none."""
    assert printable("a" * 60, 48) == "a" * 48
    assert name("a b\n", 3) == "a_b"
    assert (printable("", 48), name("", 32)) == ("-", "unknown")


@pytest.mark.parametrize("text", ["a [b]", "<a>", "-a-", "a.", "_a_b__"])
def test_names_end_in_letters(text: str) -> None:
    """Any other first word would be taken for the tag by rsyslog."""
    assert name(text, 32)[0].isalnum()
    assert name(text, 32)[-1].isalnum()


def test_visible() -> None:
    """What could end a line shows, so that no record can forge a second one; no more."""
    escaped = visible("é\r\n<14>\x00\t\x7f".encode())
    assert escaped == "é".encode() + b"#015#012<14>#000\t\x7f"


@pytest.mark.parametrize("length", range(14, 30))
def test_truncated_stays_utf8(length: int) -> None:
    """A cut message is within the length, marked, and still UTF-8."""
    message = "aé€😀b".encode() * 10
    cut = truncated(message, length)
    assert len(cut) <= length
    assert cut.endswith(b" [truncated]")
    assert message.decode().startswith(cut.decode().removesuffix(" [truncated]"))


def test_truncated_leaves_short_messages() -> None:
    """A message that fits is not touched."""
    assert truncated(b"abc", 3) == b"abc"


def test_frames() -> None:
    """Octet counting counts bytes; the other framing ends with LF."""
    header = Header(before=b"<14>", after=b" ", short=True)
    counted = framed(header, b"now", "é".encode(), "octet_counting")
    assert b"".join(counted) == b"10 <14>now \xc3\xa9"
    assert b"".join(framed(header, b"now", b"ab", "newline")) == b"<14>now ab\n"


def _at(header: Header, instant: Micros) -> bytes:
    """All that stands before a message of that time."""
    (time,) = header.times([None], instant)
    return header.before + time + header.after
