"""BSD syslog, read leniently: the RFC describes what was seen, and prescribes little.

``<34>Oct 11 22:14:15 host su[230]: text`` has all parts; every one of them may be
missing.  A time may also have a year, a fraction, or be ISO 8601, as newer senders
write it.  It is kept as it came, because RFC 3164 has neither year nor zone.
"""

from __future__ import annotations

import re

from collector.codecs.priority import HIGHEST, named
from collector.codecs.raw import with_message
from collector.core.decoded import Record

NO_PRIORITY = "no_priority"
"""The flag of a message that does not open with a priority of 0 to 191."""

_PRIORITY = re.compile(rb"<(\d{1,3})>")
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = rb"\d\d:\d\d:\d\d(?:\.\d{1,9})?"
_TIME = re.compile(
    rb"(" + _MONTH + rb" {1,2}\d{1,2} (?:\d{4} )?" + _CLOCK + rb"(?: \d{4})?"
    rb"|\d{4}-\d\d-\d\dT" + _CLOCK + rb"(?:Z|[+-]\d\d:?\d\d)?):? "
)
# A word is the host when it does not end like the tag of a program.
_HOST = re.compile(rb"([!-Z\\^-~]{1,255})(?<!:) ")
_TAG = re.compile(rb"([!-9;-Z\\^-~]{1,128})(?:\[([!-Z\\^-~]{1,128})\])?: ?")


def record(message: bytes) -> Record:
    """The record of a message.

    Its fields: ``facility``, ``severity``, ``timestamp``, ``hostname``, ``appname`` and
    ``procid`` where it has them, and the rest as ``message``.
    """
    priority = _PRIORITY.match(message)
    if priority is None or int(priority[1]) > HIGHEST:
        found = _parts({}, message, 0)
        return Record(found.raw, found.fields, (NO_PRIORITY, *found.flags))
    return _parts(named(int(priority[1])), message, priority.end())


def _parts(fields: dict[str, object], message: bytes, at: int) -> Record:
    # Without a time nothing after it can be told from the text (RFC 3164, 4.3).
    time = _TIME.match(message, at)
    if time is None:
        return with_message(fields, message[at:])
    at = time.end()
    fields["timestamp"] = time[1].decode()
    if host := _HOST.match(message, at):
        fields["hostname"] = host[1].decode()
        at = host.end()
    if tag := _TAG.match(message, at):
        fields["appname"] = tag[1].decode()
        at = tag.end()
        if tag[2] is not None:
            fields["procid"] = tag[2].decode()
    return with_message(fields, message[at:])
