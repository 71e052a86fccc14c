"""A source that reads nothing but the hours it is to look at once more."""

from __future__ import annotations

import msgspec

from collector.core import checkpoint as rules
from collector.core.checkpoint import Checkpoint
from collector.core.model import Micros
from collector.core.times import HOUR
from collector.pullers.base import Plan, Prepared, Source


def looks_alone(source: Source) -> Source:
    """The source without plans of its own, for hours that a person asks for.

    Its position stays where it is: what is due besides them is left to the next pull,
    and an hour that was owed is owed no more once it was looked at.
    """

    def plan(checkpoint: Checkpoint, now: Micros) -> Plan | None:
        return source.plan(_caught_up(checkpoint, now), now)

    def prepare(checkpoint: Checkpoint, now: Micros) -> Prepared:
        prepared = source.prepare(_caught_up(checkpoint, now), now)
        looks = prepared.checkpoint.looks
        return Prepared(msgspec.structs.replace(checkpoint, looks=looks), prepared.entries)

    return msgspec.structs.replace(
        source,
        plan=plan,
        prepare=prepare,
        close=lambda checkpoint, done: rules.paid(checkpoint, done.window),
    )


def _caught_up(checkpoint: Checkpoint, now: Micros) -> Checkpoint:
    """The checkpoint as if nothing but its looks were due."""
    return msgspec.structs.replace(checkpoint, since=now + HOUR, owed=(), live=None)
