"""What is done with a record before it is delivered: flattened, and through a pipeline.

A record without a pipeline is flattened only, and stays the bytes that came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from collector.core.dedup import Fresh
from collector.core.ledger import Received
from collector.core.model import Event, Micros, Page, Rejected
from collector.core.wirejson import LOSSY


class Outcome(msgspec.Struct, frozen=True):
    """What became of one record in a pipeline.

    ``flags``: the steps that failed on it, as ``<type>_failed``, and what had to be
    repaired (see ``core.wirejson``).  ``dead``: why it goes to the dead letters, as it
    came and as a whole.  No records, and not dead: it was filtered out.
    """

    records: list[bytes]
    flags: tuple[str, ...] = ()
    dead: str | None = None


Records: TypeAlias = Callable[[Event], list[bytes]]
Pipeline: TypeAlias = Callable[[bytes], Outcome]
"""Pure: the same record, the same outcome; never raises."""


class Dead(NamedTuple):
    """An event that a pipeline keeps aside, why, and the digest by which it is known."""

    event: Event
    reason: str
    digest: bytes


class Aside(NamedTuple):
    """Of what a page held and is no record: what is to be kept, and the count of the repeats.

    ``slots`` holds, by slot, the digests that are to be stored.
    """

    rejected: Sequence[Rejected] = ()
    repeats: int = 0
    slots: dict[int, list[bytes]] = {}  # noqa: RUF012 - nobody changes it


class Worked(NamedTuple):
    """The fresh events of a page, by what became of them.

    ``lines``: each event to deliver with its records, in order.  ``filtered`` will
    never be delivered, ``dead`` is kept aside.  All of them are known from now on:
    what is kept aside is tried again by ``dead-letters replay``, not by each reading
    in which it comes again.  ``aside``: what is no event.
    """

    fresh: Fresh
    lines: Iterable[tuple[Event, list[bytes]]]
    filtered: Sequence[Event] = ()
    dead: Sequence[Dead] = ()
    aside: Aside = Aside()


def flattened(fresh: Fresh, records: Records) -> Worked:
    """Work without a pipeline: every event is delivered."""
    return Worked(fresh, zip(fresh.events, map(records, fresh.events), strict=True))


def piped(fresh: Fresh, records: Records, pipeline: Pipeline) -> Worked:
    """Every flat record of every event through the pipeline."""
    lines: list[tuple[Event, list[bytes]]] = []
    filtered: list[Event] = []
    dead: list[Dead] = []
    for event, digest in zip(fresh.events, fresh.digests, strict=True):
        outcome = _together([pipeline(record) for record in records(event)])
        if outcome.dead is not None:
            dead.append(Dead(event, outcome.dead, digest))
        elif outcome.records:
            lines.append((_flagged(event, outcome.flags), outcome.records))
        else:
            filtered.append(event)
    return Worked(fresh, lines, filtered, dead)


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of an event: it is delivered, or kept aside, as a whole."""
    reasons = [each.dead for each in outcomes if each.dead is not None]
    flags = dict.fromkeys(flag for each in outcomes for flag in each.flags)
    if reasons:
        return Outcome([], tuple(flags), reasons[0])
    return Outcome([record for each in outcomes for record in each.records], tuple(flags))


def _flagged(event: Event, flags: Sequence[str]) -> Event:
    if not flags:
        return event
    lossy = not LOSSY.isdisjoint(flags) and event.original is None
    return msgspec.structs.replace(
        event,
        flags=tuple(dict.fromkeys((*event.flags, *flags))),
        original=event.raw if lossy else event.original,
    )


def received(page: Page, worked: Worked, now: Micros, mode: str) -> Received:
    """The page as the ledger needs it."""
    return Received(
        events=page.events,
        fresh=worked.fresh.events,
        digests=worked.fresh.digests,
        filtered=worked.filtered,
        dead=[each.event for each in worked.dead],
        rejected=len(worked.aside.rejected),
        repeated=worked.aside.repeats,
        observed=now,
        mode=mode,
    )
