"""The codec of syslog messages: RFC 5424 where they say so, else RFC 3164.

A message that begins ``<PRI>1 `` claims to be of RFC 5424, and is held to it.  All
others are read as leniently as RFC 3164 describes them: whatever is not found is left
out, and the rest is the message.  The fields bear the names that Vector gives them.
"""

from __future__ import annotations

import re

from collector.codecs import rfc3164, rfc5424
from collector.core.decoded import Record
from collector.core.model import Rejected

_CLAIM = re.compile(rb"<\d{1,3}>1 ")
_ENDS = b"\r\n\0"
"""What senders put after a message."""


def syslog(frame: bytes) -> list[Record | Rejected]:
    """The record of a message; blanks alone are none."""
    message = frame.rstrip(_ENDS)
    if not message.strip():
        return []
    if not _CLAIM.match(message):
        return [rfc3164.record(message)]
    try:
        return [rfc5424.record(message)]
    except ValueError as error:
        return [Rejected(frame, f"not RFC 5424: {error}")]
