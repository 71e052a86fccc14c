"""How a record becomes a syslog message and a frame.  Pure functions.

Formats: RFC 3164 section 4.1, RFC 5424 section 6; framing: RFC 6587 section 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeAlias

from collector.core.model import Frozen, Micros
from collector.core.times import SECOND, parse, to_datetime

SyslogFormat: TypeAlias = Literal["rfc3164", "rfc5424"]
Framing: TypeAlias = Literal["octet_counting", "newline"]

TRUNCATED = b" [truncated]"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# What ends a line or a string somewhere; anything else is the record's own affair.
_ENDS = re.compile(rb"[\x00\n\r]")
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_NOT_NAME = re.compile(r"[^A-Za-z0-9._-]")
_MAX_FACILITY = 23
_MAX_SEVERITY = 7
# A character of UTF-8 has at most three bytes after its first.
_MAX_CONTINUATION = 3


def priority(facility: int, severity: int) -> int:
    """The PRI value; raises ``ValueError`` outside facility 0-23 or severity 0-7."""
    if not (0 <= facility <= _MAX_FACILITY and 0 <= severity <= _MAX_SEVERITY):
        raise ValueError(f"no such syslog facility and severity: {facility}, {severity}")
    return facility * 8 + severity


def printable(text: str, length: int) -> str:
    """An RFC 5424 header field: printable ASCII without spaces, at most ``length``, or ``-``."""
    return _NOT_PRINTABLE.sub("_", text)[:length] or "-"


def name(text: str, length: int) -> str:
    """A host name or tag that no RFC 3164 parser can misread, at most ``length``.

    rsyslog takes a first word that ends in no letter or digit for the tag.
    """
    return _NOT_NAME.sub("_", text)[:length].strip("._-") or "unknown"[:length]


def rfc3164_time(instant: Micros) -> str:
    """``Mmm dd hh:mm:ss`` in UTC, the day padded with a space."""
    return _rfc3164_second(instant // SECOND)


def rfc5424_time(instant: Micros) -> str:
    """RFC 3339 in UTC with microseconds."""
    second, fraction = divmod(instant, SECOND)
    return f"{_rfc5424_second(second)}.{fraction:06d}Z"


# Records of one batch share their seconds.
@lru_cache(maxsize=4096)
def _rfc3164_second(second: int) -> str:
    at = to_datetime(second * SECOND)
    return f"{_MONTHS[at.month - 1]} {at.day:2d} {at:%H:%M:%S}"


@lru_cache(maxsize=4096)
def _rfc5424_second(second: int) -> str:
    return f"{to_datetime(second * SECOND):%Y-%m-%dT%H:%M:%S}"


@lru_cache(maxsize=4096)
def rfc3164_moment(second: bytes) -> bytes:
    """What RFC 3164 makes of a second in ISO 8601, UTC."""
    return rfc3164_time(parse(second.decode())).encode("ascii")


class Header(Frozen, frozen=True):
    """What stands before each message of a batch: it differs by its time alone."""

    before: bytes
    after: bytes
    short: bool

    def times(self, moments: Iterable[bytes | None], otherwise: Micros) -> list[bytes]:
        """The time of each message as the header spells it.

        ``moments`` are in ISO 8601, UTC, which is RFC 5424's; ``otherwise`` stands for None.
        """
        if self.short:
            usual = rfc3164_time(otherwise).encode("ascii")
            return [rfc3164_moment(each[:19]) if each else usual for each in moments]
        usual = rfc5424_time(otherwise).encode("ascii")
        return [each or usual for each in moments]


def rfc3164_header(pri: int, host: str, tag: str) -> Header:
    """``<PRI>TIMESTAMP HOSTNAME TAG:`` and a space."""
    after = f" {name(host, 255)} {name(tag, 32)}: ".encode("ascii")
    return Header(before=b"<%d>" % pri, after=after, short=True)


def rfc5424_header(pri: int, host: str, app: str, msgid: str) -> Header:
    """``<PRI>1 TIMESTAMP HOSTNAME APP-NAME - MSGID -`` and a space.

    No byte order mark follows: section 6.4 allows a MSG without one, and
    receivers hand a mark on as part of the record, which then is not JSON.
    """
    fields = f" {printable(host, 255)} {printable(app, 48)} - {printable(msgid, 32)} - "
    before, after = b"<%d>1 " % pri, fields.encode("ascii")
    return Header(before=before, after=after, short=False)


def visible(text: bytes) -> bytes:
    """CR, LF and NUL as ``#`` and three octal digits, the way rsyslog shows them."""
    return _ENDS.sub(lambda match: b"#%03o" % match[0][0], text)


def truncated(message: bytes, length: int) -> bytes:
    """At most ``length`` bytes, cut between two characters, with a mark that it was cut."""
    if len(message) <= length:
        return message
    end = max(length - len(TRUNCATED), 0)
    for _ in range(_MAX_CONTINUATION):
        if end and message[end] & 0xC0 == 0x80:
            end -= 1
    return message[:end] + TRUNCATED


def framed(
    header: Header, time: bytes, text: bytes | memoryview, framing: Framing
) -> tuple[bytes | memoryview, ...]:
    """The pieces of one message on the wire; with newlines it must hold none itself."""
    if framing == "octet_counting":
        length = len(header.before) + len(time) + len(header.after) + len(text)
        return _octets(length), header.before, time, header.after, text
    return header.before, time, header.after, text, b"\n"


@lru_cache(maxsize=8192)
def _octets(count: int) -> bytes:
    return b"%d " % count
