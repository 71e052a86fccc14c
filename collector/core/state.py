"""The stored form of a checkpoint, under the names that users of Devo's collectors know.

Times are ISO 8601 UTC text, spans ``start/end``.  The same form is stored, shown
by ``collector state show``, and written to the log.  ``UPGRADES`` turns the form
of an earlier ``@persistence_version`` into the next one; ``corrected`` repairs
what no release of ours writes but a wrong clock can leave behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from collector.core import times
from collector.core.checkpoint import MAX_LAST_IDS, PERSISTENCE_VERSION, Checkpoint, Live, Look
from collector.core.model import Micros, Window
from collector.core.put_off import PutOff, believed
from collector.core.times import DAY, HOUR, SECOND, ceil_hour

State = dict[str, Any]

UPGRADES: Mapping[int, Callable[[State], State]] = {}
"""From a version to the next: ``UPGRADES[1]`` would make version 2.  So far there is one."""

_MINUTE: Micros = 60 * SECOND
_CLOCKS_DIFFER: Micros = 10 * _MINUTE
"""How far the vendor's clock may be ahead of a right one of ours."""


def to_state(checkpoint: Checkpoint) -> State:
    """The checkpoint as plain, JSON-able values."""
    state: State = {
        "initial_start_time_in_utc": times.isoformat(checkpoint.initial_start_time),
        "last_event_time_in_utc": times.isoformat(checkpoint.last_event_time),
        "last_ids": list(checkpoint.last_ids),
        "@persistence_version": checkpoint.version,
        "since_in_utc": times.isoformat(checkpoint.since),
    }
    if checkpoint.cursor is not None:
        state["next_page_token"] = checkpoint.cursor
    if checkpoint.owed:
        state["owed_hours_in_utc"] = [_span(owed) for owed in checkpoint.owed]
    if checkpoint.live is not None:
        state["live_heard_until_in_utc"] = times.isoformat(checkpoint.live.heard_until)
        state["live_closed_cleanly"] = checkpoint.live.clean
        state["live_unbroken_since_in_utc"] = times.isoformat(checkpoint.live.unbroken_since)
        if checkpoint.live.backlog is not None:
            state["live_backlog_in_utc"] = _span(checkpoint.live.backlog)
    if checkpoint.looks:
        state["second_looks_in_utc"] = [_look_text(look) for look in checkpoint.looks]
    if checkpoint.put_off:
        state["put_off_hours_in_utc"] = [_put_off_text(each) for each in checkpoint.put_off]
    return state


def from_state(state: State) -> Checkpoint:
    """The checkpoint that was stored; raises ``ValueError`` when it is none of ours."""
    try:
        return _read(upgraded(state))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the stored state lacks or mistypes {error}") from error


def upgraded(state: State) -> State:
    """The state in today's form; raises ``ValueError`` for one from a later release."""
    version = state["@persistence_version"]
    if version > PERSISTENCE_VERSION:
        raise ValueError(f"@persistence_version {version} is newer than {PERSISTENCE_VERSION}")
    while version < PERSISTENCE_VERSION:
        state = UPGRADES[version](state)
        version += 1
    return state


def corrected(checkpoint: Checkpoint, now: Micros) -> Checkpoint:
    """The checkpoint without marks that a clock which ran ahead has left.

    Kept, they would hide all new events.  What was asked for in the future was not
    there yet, so such a mark goes back to an hour before the newest event taken:
    reading a span again is safe, for known ids are dropped.
    """
    if clock_is_behind(checkpoint, now):
        return checkpoint
    latest = max(now, checkpoint.initial_start_time)
    newest = min(checkpoint.last_event_time, latest)
    sure = max(newest - HOUR, checkpoint.initial_start_time)
    if _since_is_ahead(checkpoint, latest):
        checkpoint = msgspec.structs.replace(checkpoint, since=sure)
    if _live_is_ahead(checkpoint, latest):
        live = Live(sure, clean=False, unbroken_since=latest)
        checkpoint = msgspec.structs.replace(checkpoint, live=live)
    checkpoint = msgspec.structs.replace(checkpoint, put_off=believed(checkpoint.put_off, latest))
    if checkpoint.last_event_time > latest + DAY:
        # One record with a wrong date says nothing about the others.
        checkpoint = msgspec.structs.replace(checkpoint, last_event_time=latest, last_ids=())
    return checkpoint


def clock_is_behind(checkpoint: Checkpoint, now: Micros) -> bool:
    """Whether the clock says less than our own marks and the newest event do together.

    It is then the clock that is wrong, as in a machine that has not asked a time
    service yet: what it knows would be read once more from the very start.
    """
    latest = max(now, checkpoint.initial_start_time)
    ahead = _since_is_ahead(checkpoint, latest) or _live_is_ahead(checkpoint, latest)
    return ahead and checkpoint.last_event_time > latest + _CLOCKS_DIFFER


def undated_is_ahead(checkpoint: Checkpoint, now: Micros) -> bool:
    """Whether the marks of a stream without times of its own were set by a clock that ran ahead.

    Its newest event proves nothing, for our clock dated that, too.  A clock that says
    less than when the stream was first heard has lost the date, and is not believed.
    """
    live = checkpoint.live
    return (
        live is not None
        and checkpoint.initial_start_time <= now
        and live.heard_until > now + _MINUTE
    )


def set_right(checkpoint: Checkpoint, now: Micros, heard: Micros) -> Checkpoint:
    """The checkpoint of a stream without times once its clock was set back.

    ``heard``: when it was heard last by the clock of ``now``.
    """
    if not undated_is_ahead(checkpoint, now):
        return checkpoint
    event = checkpoint.last_event_time
    return msgspec.structs.replace(
        checkpoint,
        since=min(checkpoint.since, ceil_hour(now)),
        last_event_time=min(event, now),
        last_ids=checkpoint.last_ids if event <= now else (),
        live=Live(heard, clean=False, unbroken_since=heard),
    )


def _since_is_ahead(checkpoint: Checkpoint, latest: Micros) -> bool:
    # Live sets it to the end of the hour in which it is heard.
    return checkpoint.since > latest + HOUR + _MINUTE


def _live_is_ahead(checkpoint: Checkpoint, latest: Micros) -> bool:
    return checkpoint.live is not None and checkpoint.live.heard_until > latest + _MINUTE


def _read(state: State) -> Checkpoint:
    live = None
    if "live_heard_until_in_utc" in state:
        backlog = state.get("live_backlog_in_utc")
        live = Live(
            times.parse(state["live_heard_until_in_utc"]),
            clean=bool(state["live_closed_cleanly"]),
            unbroken_since=times.parse(state["live_unbroken_since_in_utc"]),
            backlog=_window(backlog) if backlog is not None else None,
        )
    return Checkpoint(
        initial_start_time=times.parse(state["initial_start_time_in_utc"]),
        since=times.parse(state["since_in_utc"]),
        last_event_time=times.parse(state["last_event_time_in_utc"]),
        last_ids=tuple(map(str, state["last_ids"]))[:MAX_LAST_IDS],
        cursor=state.get("next_page_token"),
        owed=tuple(_window(text) for text in state.get("owed_hours_in_utc", ())),
        live=live,
        looks=tuple(_look(text) for text in state.get("second_looks_in_utc", ())),
        put_off=tuple(_put_off(text) for text in state.get("put_off_hours_in_utc", ())),
    )


def _look_text(look: Look) -> str:
    return f"{_span(Window(look.start, look.end))} not before {times.isoformat(look.not_before)}"


def _look(text: str) -> Look:
    span, not_before = text.split(" not before ")
    window = _window(span)
    return Look(times.parse(not_before), window.start, window.end)


def _put_off_text(each: PutOff) -> str:
    when = times.isoformat(each.not_before)
    return f"{_span(each.hour)} not before {when}, failures: {each.failures}"


def _put_off(text: str) -> PutOff:
    look, failures = text.split(", failures: ")
    found = _look(look)
    return PutOff(found.start, found.not_before, int(failures))


def _span(window: Window) -> str:
    return f"{times.isoformat(window.start)}/{times.isoformat(window.end)}"


def _window(text: str) -> Window:
    start, end = text.split("/")
    return Window(times.parse(start), times.parse(end))
