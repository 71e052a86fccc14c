"""How a source fares: its state, and the health events that stand against it.

    pending        the collector has checked its settings
    started        its job exists
    initialized    its job runs, from the checkpoint
    authenticated  the vendor took its credentials
    collecting     the vendor answers, with records or with none
    error          something is in the way; at least one health event stands
    stopping       the collector was asked to stop
    stopped        it rests

States and kinds of event bear the names of Sumo Logic's PoD source (its reference
page, "States" and "Error types").  Outputs and the collector itself, which have
events too, go by the same values.

A source has *parts* that fail and recover by themselves: its live session and its
pulls, for example.  Progress of a part clears the events of that part alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from collector.core.model import NO_TIME, Frozen, Micros

MAX_EVENTS: Final = 16
"""Health events that one subject keeps; the oldest makes way."""
MAX_TEXT: Final = 1000
"""Characters of a cause or a remedy that are kept."""
NEW_RUN: Final = "a new run begins"
"""Why a source is pending."""


class State(StrEnum):
    """See the module's text."""

    PENDING = "pending"
    STARTED = "started"
    INITIALIZED = "initialized"
    AUTHENTICATED = "authenticated"
    COLLECTING = "collecting"
    ERROR = "error"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Signal(StrEnum):
    """What happens to a source."""

    STARTED = "the job was made"
    PREPARED = "the job runs"
    GRANTED = "the vendor took the credentials"
    PROGRESSED = "the vendor answers"
    FAILED = "something is in the way"
    STOP_ASKED = "the collector was asked to stop"
    ENDED = "nothing runs any more"


_BEFORE_GRANT = (State.PENDING, State.STARTED, State.INITIALIZED)
_RUNNING = (*_BEFORE_GRANT, State.AUTHENTICATED, State.COLLECTING, State.ERROR)
_LEADS: Final[dict[Signal, dict[State, State]]] = {
    Signal.STARTED: {State.PENDING: State.STARTED},
    Signal.PREPARED: dict.fromkeys(_BEFORE_GRANT, State.INITIALIZED),
    Signal.GRANTED: dict.fromkeys(_BEFORE_GRANT, State.AUTHENTICATED),
    Signal.PROGRESSED: dict.fromkeys(_RUNNING, State.COLLECTING),
    Signal.FAILED: dict.fromkeys(_RUNNING, State.ERROR),
    Signal.STOP_ASKED: dict.fromkeys(_RUNNING, State.STOPPING),
    Signal.ENDED: dict.fromkeys(State, State.STOPPED),
}


def following(state: State, signal: Signal) -> State:
    """Where a signal leads; a state that it says nothing about stays."""
    return _LEADS[signal].get(state, state)


class Kind(StrEnum):
    """Who has to act: the user at the vendor, the vendor, or this side."""

    THIRD_PARTY_CONFIG = "ThirdPartyConfig"
    THIRD_PARTY_GENERIC = "ThirdPartyGeneric"
    FIRST_PARTY_GENERIC = "FirstPartyGeneric"


class Fault(Frozen, frozen=True):
    """What is in the way; ``number``, ``cause`` and ``remedy`` are those of the error."""

    kind: Kind
    number: int
    cause: str
    remedy: str


class HealthEvent(Frozen, frozen=True):
    """A fault that stands: how often it was met since it was first seen, and when last."""

    fault: Fault
    part: str
    count: int
    first_seen: Micros
    last_seen: Micros

    @property
    def key(self) -> tuple[str, Kind, int]:
        """By what a fault that is met again is known."""
        return self.part, self.fault.kind, self.fault.number


class Health(Frozen, frozen=True):
    """How one subject fares.

    ``since`` and ``cause`` are of the last change of state; ``last_data`` is when
    the last new record came, ``NO_TIME`` when none ever did.
    """

    state: State
    since: Micros
    cause: str
    last_data: Micros = NO_TIME
    events: tuple[HealthEvent, ...] = ()


class Change(Frozen, frozen=True):
    """A change of state of a subject, with the state before it."""

    subject: str
    time: Micros
    previous: State
    state: State
    cause: str


class Notice(Frozen, frozen=True):
    """A health event of a subject was ``opened`` or ``cleared``, or is still ``open``."""

    subject: str
    time: Micros
    status: str
    event: HealthEvent


def begun(before: Health | None, now: Micros) -> Health:
    """The health at the start of a run: a clean sheet, but for when the last record came."""
    last_data = NO_TIME if before is None else before.last_data
    return Health(state=State.PENDING, since=now, cause=NEW_RUN, last_data=last_data)


def signalled(health: Health, signal: Signal, now: Micros, cause: str = "") -> Health:
    """After a signal; a state that does not change keeps its time and its cause."""
    state = following(health.state, signal)
    if state is health.state:
        return health
    told = (cause or signal.value)[:MAX_TEXT]
    return msgspec.structs.replace(health, state=state, since=now, cause=told)


def failed(health: Health, part: str, fault: Fault, now: Micros, times: int = 1) -> Health:
    """After a part met a fault, so many times."""
    event = HealthEvent(
        fault=_bounded(fault), part=part, count=times, first_seen=now, last_seen=now
    )
    met = [each for each in health.events if each.key == event.key]
    if met:
        event = msgspec.structs.replace(
            event, count=met[0].count + times, first_seen=met[0].first_seen
        )
    others = [each for each in health.events if each.key != event.key]
    events = tuple([*others, event][-MAX_EVENTS:])
    cause = f"{fault.kind} {fault.number}: {fault.cause}"
    return signalled(msgspec.structs.replace(health, events=events), Signal.FAILED, now, cause)


def progressed(health: Health, part: str, now: Micros) -> Health:
    """After a part made progress: its events are cleared, and so is the error when none is left."""
    events = tuple(each for each in health.events if each.part != part)
    after = msgspec.structs.replace(health, events=events)
    return after if events else signalled(after, Signal.PROGRESSED, now)


def is_silent(health: Health, quiet: float, limit: float) -> bool:
    """Whether a source that is connected and used to bring records has brought none for too long.

    ``quiet``: seconds without a new record; ``limit`` 0: silence is no fault.
    """
    return (
        limit > 0
        and quiet > limit
        and health.state is State.COLLECTING
        and health.last_data != NO_TIME
    )


def news(subject: str, before: Health, after: Health, now: Micros) -> Iterator[Change | Notice]:
    """What is to be told of a change: the state, and the events that came and went."""
    if after.state is not before.state:
        yield Change(
            subject=subject,
            time=now,
            previous=before.state,
            state=after.state,
            cause=after.cause,
        )
    stood = {event.key for event in before.events}
    stands = {event.key for event in after.events}
    for event in after.events:
        if event.key not in stood:
            yield Notice(subject=subject, time=now, status="opened", event=event)
    for event in before.events:
        if event.key not in stands:
            yield Notice(subject=subject, time=now, status="cleared", event=event)


def _bounded(fault: Fault) -> Fault:
    return msgspec.structs.replace(
        fault, cause=fault.cause[:MAX_TEXT], remedy=fault.remedy[:MAX_TEXT]
    )
