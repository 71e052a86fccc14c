"""What the HTTP Event Collector's answers mean.  Pure functions.

The codes are those of Splunk's page "Troubleshoot HTTP Event Collector", section
"Possible error codes".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from collector.core.wirejson import MALFORMED
from collector.errors import Undelivered
from collector.senders.error_numbers import DENIED, SETTINGS_REFUSED
from collector.senders.http_answers import Meaning, meaning, unaccepted, unreadable
from collector.senders.http_client import Reply
from collector.senders.http_parts import Part

# 24 and 25 are successes too: the queue or the channel is nearly full.
_TAKEN = frozenset({0, 24, 25})
# The event is no JSON, lacks its `event`, or has fields that cannot be indexed.
_ABOUT_A_RECORD = frozenset({6, 12, 13, 15})
_TOKEN = "check token: Splunk does not know it, or it is disabled there"  # noqa: S105 - a remedy
_REMEDIES = {
    1: (DENIED, _TOKEN),
    4: (DENIED, _TOKEN),
    7: (SETTINGS_REFUSED, "check index: it must exist, and be among those the token may write to"),
    10: (SETTINGS_REFUSED, "check that no proxy removes the header X-Splunk-Request-Channel"),
    11: (SETTINGS_REFUSED, "check channel: it must be a GUID"),
    14: (
        SETTINGS_REFUSED,
        "switch on indexer acknowledgement for the token, or off in acknowledgement.enabled",
    ),
    21: (DENIED, _TOKEN),
    22: (DENIED, _TOKEN),
}


class Told(msgspec.Struct, frozen=True):
    """The body of an answer; what it does not hold is None."""

    code: int | None = None
    text: str = ""
    ack_id: int | None = msgspec.field(name="ackId", default=None)
    invalid: int | None = msgspec.field(name="invalid-event-number", default=None)


class _Acks(msgspec.Struct, frozen=True):
    acks: dict[str, bool]


_decode = msgspec.json.Decoder(Told).decode
_acks = msgspec.json.Decoder(_Acks).decode


def parsed(reply: Reply) -> Told:
    """What the body says; nothing when it cannot be read, for the status counts without it."""
    try:
        return _decode(reply.body)
    except MALFORMED:
        return Told()


def acknowledged(reply: Reply, place: str) -> frozenset[int]:
    """The ids that the answer to a query of acknowledgements calls indexed.

    Raises ``Undelivered`` when the answer holds none.
    """
    if reply.status != 200:
        raise failure(reply, parsed(reply), place)
    try:
        acks: Mapping[str, bool] = _acks(reply.body).acks
        return frozenset(int(number) for number, indexed in acks.items() if indexed)
    except (*MALFORMED, ValueError):
        raise unreadable(place) from None


def verdict(reply: Reply, answer: Told) -> Meaning:
    """What to do with the posted events."""
    if 200 <= reply.status < 300:
        return "accept" if answer.code is None or answer.code in _TAKEN else "retry"
    if reply.status == 400 and answer.code is not None:
        return "split" if answer.code in _ABOUT_A_RECORD else "retry"
    return meaning(reply.status, {})


def failure(reply: Reply, answer: Told, place: str) -> Undelivered:
    """The failure of an answer that means retry, by its code where that says more."""
    if answer.code not in _REMEDIES:
        return unaccepted(reply.status, place, reply.retry_after)
    number, remedy = _REMEDIES[answer.code]
    cause = f"{place} answered {reply.status}, code {answer.code}"
    return Undelivered(number, cause, remedy, reply.retry_after, reply.status)


def around(part: Part, answer: Told) -> Sequence[Part]:
    """The parts before, at and after the event that the answer names; else the halves.

    The events before it are posted again: whether they were indexed is not documented.
    """
    position = answer.invalid
    if position is None or not 0 <= position < len(part.lines):
        return part.halves()
    *before, rest = part.cut(position)
    return [*before, *rest.cut(1)]
