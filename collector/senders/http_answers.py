"""What each HTTP answer means for the records that were posted.  Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

from collector.errors import Undelivered
from collector.senders.error_numbers import (
    ALL_REFUSED,
    BUSY,
    DENIED,
    NOT_FOUND,
    REDIRECTED,
    SERVER_FAILED,
    UNEXPECTED,
    UNREADABLE,
)
from collector.senders.http_client import Reply
from collector.senders.http_parts import Outcome, Part, Refused, Settled

Meaning: TypeAlias = Literal["accept", "split", "retry"]
"""accept: delivered.  split: send the halves; a record alone is refused.  retry: send later."""

_SPLIT = frozenset({400, 413, 422})
_REMEDIES: dict[int, tuple[int, str]] = {
    401: (DENIED, "check the output's credentials, or its client certificate"),
    403: (DENIED, "give the output's credentials the right to write there"),
    404: (NOT_FOUND, "check the output's url"),
    408: (BUSY, "nothing, if it passes; else lower max_request_bytes"),
    429: (BUSY, "nothing, if it passes; else raise the destination's limit"),
}
_EXCERPT_CHARACTERS = 200
_MIN_SECRET = 4


def meaning(status: int, overrides: Mapping[int, Meaning]) -> Meaning:
    """What to do after this status; ``overrides`` come first."""
    if status in overrides:
        return overrides[status]
    if 200 <= status < 300:
        return "accept"
    return "split" if status in _SPLIT else "retry"


def unaccepted(status: int, place: str, retry_after: float | None) -> Undelivered:
    """The failure for a status that means retry; ``place`` is the URL without secrets."""
    number, remedy = _remedy(status)
    return Undelivered(number, f"{place} answered {status}", remedy, retry_after, status)


def all_refused(reason: str, tried: int) -> Undelivered:
    """The failure of a destination that took none of the records it was tried with."""
    return Undelivered(
        ALL_REFUSED,
        f"{reason} (the same for each of {tried} records, posted one by one)",
        "check url, headers and body of the output against what the destination takes; "
        "the records wait",
    )


def unreadable(place: str) -> Undelivered:
    """The failure of an answer that does not say what became of the records."""
    return Undelivered(
        UNREADABLE,
        f"{place} answered with success, but not in the form that its interface promises",
        "check that url leads to the service itself and not to a proxy's page; "
        "the records are sent again",
    )


def outcome(part: Part, reply: Reply, verdict: Meaning, place: str, reason: str) -> Outcome:
    """What a verdict on the whole answer means for a part; ``reason`` is for a record alone.

    Raises ``Undelivered`` when it means retry.
    """
    if verdict == "retry":
        raise unaccepted(reply.status, place, reply.retry_after)
    if verdict == "accept":
        return Settled(part)
    if len(part.lines) > 1:
        return part.halves()
    return Settled(part, [Refused(part.start, reply.status, reason)])


def excerpt(body: bytes, secrets: Collection[str]) -> str:
    """The start of an answer in printable characters, with our own secrets struck out."""
    text = body.decode("utf-8", "replace")
    for secret in secrets:
        if len(secret) >= _MIN_SECRET:
            text = text.replace(secret, "***")
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:_EXCERPT_CHARACTERS]


def _remedy(status: int) -> tuple[int, str]:
    """The error number and the remedy of a status that means retry."""
    if status in _REMEDIES:
        return _REMEDIES[status]
    if 300 <= status < 400:
        return REDIRECTED, "set url to the final address: redirects would take the headers along"
    if status >= 500:
        return SERVER_FAILED, "look at the destination's log; the records are sent again"
    return UNEXPECTED, "check url and body; status_actions can give this status a meaning"
