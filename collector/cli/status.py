"""``collector status``: the health of every source, read beside a running collector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from collector.app import last_run
from collector.app.heartbeat import alive
from collector.app.outcome import PARTIAL
from collector.cli.chosen import settings
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.process import stop_on_signals
from collector.cli.rows import Rows
from collector.cli.screen import out, print_json, table
from collector.clock import SystemClock
from collector.config.models import Settings
from collector.core import times
from collector.core.health import Fault, HealthEvent, Kind, State
from collector.core.model import NO_TIME, Frozen, Micros
from collector.core.times import DAY, HOUR, SECOND
from collector.persistence.database import is_owned
from collector.persistence.health import HealthReader, SubjectHealth

_EVERY_SECONDS = 2.0
_MINUTE = 60 * SECOND
_STALE = 5 * _MINUTE
"""A running collector refreshes what is stored every two minutes."""

_NOT_BEGUN = "not begun"
_NO_RUN = "no run has had it since it was configured"

_COLOURS = {State.ERROR: "red", State.COLLECTING: "green"}

WatchOption = Annotated[
    bool, typer.Option("--watch", "-w", help="Look again every two seconds, until Ctrl-C.")
]


class OpenFault(Frozen, frozen=True):
    """A fault that stands against a subject, and the parts of it that met it; times are UTC.

    An output's lanes fail for one reason, which is told once: ``count`` is of all of them,
    and cause and remedy are of whichever met it last.
    """

    subject: str
    fault: Fault
    parts: tuple[str, ...]
    count: int
    first_seen: Micros
    last_seen: Micros


class Seen(Frozen, frozen=True):
    """One look: the collector's process, and every subject.

    ``running`` is seconds since the last sign of life, or None; ``once`` says that it is
    a one-shot run, and ``died`` that the last run did not end in order.  ``not_begun``: the
    sources that are configured, and that no run has had.
    """

    now: Micros
    running: float | None
    once: bool
    died: bool
    rows: list[SubjectHealth]
    not_begun: list[str]

    @property
    def sources(self) -> list[SubjectHealth]:
        """The rows that are sources."""
        return [row for row in self.rows if "#" in row.subject]

    @property
    def faults(self) -> list[OpenFault]:
        """What stands against each row."""
        return [each for row in self.rows for each in _open_faults(row)]

    @property
    def healthy(self) -> bool:
        """Whether nothing stands against any source or output, a run was, and none was cut off."""
        clear = all(
            not row.health.events and row.health.state is not State.ERROR for row in self.rows
        )
        return clear and not self.died and not self.never_ran

    @property
    def never_ran(self) -> bool:
        """Whether no run has had any of the sources."""
        return bool(self.not_begun) and not self.sources


def status(
    config: ConfigOption = None, watch: WatchOption = False, as_json: JsonOption = False
) -> None:
    """Show the health of every source: state, last record, lag, and the events that stand.

    May be used while a collector is running. For an alarm: exits 0 when nothing
    stands against any source or output, and 8 otherwise, or when the last run did
    not end in order, or when no service ever ran.
    """
    found = settings(config)
    clock = SystemClock()
    with HealthReader(found.state_folder) as reader:
        seen = _look(found, reader, clock)
        if watch:
            _watch(found, reader, clock, as_json=as_json)
        elif as_json:
            print_json(_as_dict(seen))
        else:
            out.print(_shown(seen))
    raise typer.Exit(0 if watch or seen.healthy else PARTIAL)


def _look(found: Settings, reader: HealthReader, clock: SystemClock) -> Seen:
    where, now = found.state_folder, clock.now()
    running = alive(where, now)
    left = last_run.found(where)
    # The last sign of a run that was killed looks fresh for a while, but nobody owns the state.
    died = left is not None and (running is None or is_owned(where) is False)
    rows = reader.read()
    return Seen(
        now=now,
        running=None if died else running,
        once=left is not None and left.once,
        died=died,
        rows=rows,
        not_begun=sorted({*found.sources()}.difference(row.subject for row in rows)),
    )


def _watch(found: Settings, reader: HealthReader, clock: SystemClock, *, as_json: bool) -> None:
    stop_on_signals(clock)  # an exception in the midst of anything can be lost there
    if as_json:
        print_json(_as_dict(_look(found, reader, clock)))
        while not clock.sleep(_EVERY_SECONDS):
            print_json(_as_dict(_look(found, reader, clock)))
        return
    with Live(console=out, auto_refresh=False) as live:
        live.update(_shown(_look(found, reader, clock)), refresh=True)
        while not clock.sleep(_EVERY_SECONDS):
            live.update(_shown(_look(found, reader, clock)), refresh=True)


def _open_faults(row: SubjectHealth) -> list[OpenFault]:
    """The faults of one subject; a source's parts fail by themselves, so each is told."""
    met: dict[tuple[str, Kind, int], list[HealthEvent]] = {}
    for event in row.health.events:
        part = event.part if "#" in row.subject else ""
        met.setdefault((part, event.fault.kind, event.fault.number), []).append(event)
    return [_together(row.subject, events) for events in met.values()]


def _together(subject: str, events: Sequence[HealthEvent]) -> OpenFault:
    newest = max(events, key=lambda event: event.last_seen)
    return OpenFault(
        subject=subject,
        fault=newest.fault,
        parts=tuple(sorted(event.part for event in events)),
        count=sum(event.count for event in events),
        first_seen=min(event.first_seen for event in events),
        last_seen=newest.last_seen,
    )


def _shown(seen: Seen) -> Group:
    parts: list[RenderableType] = [_process(seen), _sources(seen)]
    if seen.faults:
        parts += [Text(), _events(seen)]
    else:
        parts.append(Text("\nNo health event stands."))
    return Group(*parts)


def _process(seen: Seen) -> Text:
    if seen.died:
        return Text("The last run did not end in order, and none is running.\n", style="red")
    if seen.running is None and seen.never_ran:
        return Text("No collector is running, and none has run yet.\n", style="red")
    if seen.running is None:
        return Text("No collector is running; this is what the last run left.\n")
    checked = max((row.checked for row in seen.rows), default=seen.now)
    if seen.now - checked > _STALE:
        return Text(f"Running, but its health was stored {_ago(seen, checked)}.\n", style="red")
    how = "Running (one-shot)" if seen.once else "Running"
    return Text(f"{how}: last sign of life {seen.running:.0f} seconds ago.\n")


def _sources(seen: Seen) -> Rows:
    state = "last state" if seen.running is None else "state"
    rows = table("source", state, "since", "last data", "lag", "#events", "~why")
    for row in seen.sources:
        health = row.health
        rows.add_row(
            escape(row.subject),
            Text(health.state, style=_COLOURS.get(health.state, "")),
            _ago(seen, health.since),
            _ago(seen, health.last_data),
            _span(seen.now - row.complete_until) if row.complete_until != NO_TIME else "-",
            str(sum(event.count for event in health.events)),
            escape(health.cause),
        )
    for source in seen.not_begun:
        rows.add_row(escape(source), _NOT_BEGUN, "-", "never", "-", "0", _NO_RUN)
    return rows


def _events(seen: Seen) -> Rows:
    times_seen = ("first seen", "last seen")
    rows = table("where", "part", "event", "#error", "#count", *times_seen, "~cause", "~remedy")
    for event in seen.faults:
        rows.add_row(
            escape(event.subject),
            ", ".join(event.parts),
            event.fault.kind,
            str(event.fault.number),
            str(event.count),
            _ago(seen, event.first_seen),
            _ago(seen, event.last_seen),
            escape(event.fault.cause),
            escape(event.fault.remedy),
        )
    return rows


def _ago(seen: Seen, moment: Micros) -> str:
    return "never" if moment == NO_TIME else f"{_span(seen.now - moment)} ago"


def _span(length: Micros) -> str:
    """A length of time in its largest unit: exact enough for a table."""
    length = max(length, 0)
    for unit, name in ((DAY, "d"), (HOUR, "h"), (_MINUTE, "min")):
        if length >= 2 * unit:
            return f"{length // unit} {name}"
    return f"{length // SECOND} s"


def _as_dict(seen: Seen) -> dict[str, Any]:
    return {
        "time": times.isoformat(seen.now),
        "running": seen.running is not None,
        "one_shot": seen.running is not None and seen.once,
        "ended_in_order": not seen.died,
        "healthy": seen.healthy,
        "sources": [
            *(_source(seen, row) for row in seen.sources),
            *(_unknown(source) for source in seen.not_begun),
        ],
        "events": [_event(event) for event in seen.faults],
    }


def _source(seen: Seen, row: SubjectHealth) -> dict[str, Any]:
    known = row.complete_until != NO_TIME
    return {
        "source": row.subject,
        "state": row.health.state,
        "since": times.isoformat(row.health.since),
        "cause": row.health.cause,
        "checked": times.isoformat(row.checked),
        "last_data": times.isoformat_or_none(row.health.last_data),
        "last_event_time": times.isoformat_or_none(row.last_event),
        "complete_until": times.isoformat_or_none(row.complete_until),
        "lag_seconds": max(seen.now - row.complete_until, 0) / SECOND if known else None,
        "events": sum(event.count for event in row.health.events),
    }


def _unknown(source: str) -> dict[str, Any]:
    """What there is to say of a source that no run has had."""
    times_of = ("since", "checked", "last_data", "last_event_time", "complete_until")
    told = {"source": source, "state": _NOT_BEGUN, "cause": _NO_RUN, "events": 0}
    return told | dict.fromkeys((*times_of, "lag_seconds"))


def _event(event: OpenFault) -> dict[str, Any]:
    fault = msgspec.structs.asdict(event.fault)
    return {
        "subject": event.subject,
        "event": fault.pop("kind"),
        **fault,
        "parts": list(event.parts),
        "count": event.count,
        "first_seen": times.isoformat(event.first_seen),
        "last_seen": times.isoformat(event.last_seen),
    }
