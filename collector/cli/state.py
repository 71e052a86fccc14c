"""``collector state``: where each service stands, starting anew, giving records up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from collector.cli.chosen import settings
from collector.cli.options import NO_TIME, ConfigOption, JsonOption, YesOption, utc_time
from collector.cli.rows import Rows
from collector.cli.screen import err, out, print_json, table
from collector.clock import SystemClock
from collector.config.fields import IN_THE_PAST, in_the_future
from collector.config.models import Settings
from collector.config.names import refuse_unknown, unknown
from collector.core import checkpoint, state, times
from collector.core.gate import Marks
from collector.core.model import Micros
from collector.errors import ConfigError
from collector.persistence.report import ServiceState, StateReport, service, sources
from collector.persistence.sqlite import SqliteStore

SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="INPUT#SERVICE",
        help="The service, as 'collector state show' names it, for example casb#alerts.",
    ),
]
StartOption = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="TIME",
        help='New start in UTC, as "2026-01-31T00:00:00Z". Default: the configured one, else '
        "where it first began.",
        show_default=False,
    ),
]

app = typer.Typer(
    help="Where each service stands.\n\n"
    "The state is the folder globals.persistence.config.directory_name: how far each service "
    "has collected, and the records that wait for an output.",
    no_args_is_help=True,
)


@app.command()
def show(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show where each service stands and what waits for delivery.

    Start: where it began, as configured or 7 days before its first run. Last
    event: the time of the newest record taken; - while there is none. Complete
    until: nothing before that moment is missing. Owed: hours before it that are
    still to be fetched from the vendor's archive. All times are UTC.

    May be used while a collector is running; --json has more of each service.
    """
    found = settings(config)
    report = StateReport.read(found.state_folder)
    marks = Marks(found.globals.spool.max_bytes)
    if as_json:
        print_json(report.as_dict() | {"spool_max_bytes": marks.limit})
        return
    out.print(_table(report.services) if report.services else "No service has begun to collect.")
    out.print(f"\n{_room(report.spool_bytes, marks)}", highlight=False)
    waiting = table("output", "lane", "#records waiting")
    for output, lane, count in report.waiting:
        waiting.add_row(output, lane, str(count))
    out.print(waiting if report.waiting else "Nothing waits for delivery.")
    _tell_unconfigured({output for output, _, _ in report.waiting} - set(found.outputs))
    out.print(
        f"\nKept aside as unreadable or refused: {report.dead_letters} records, "
        f"{_mib(report.dead_letter_bytes)}; deleted to make room: {report.dead_letters_dropped}",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def reset(
    source: SourceArgument,
    start: StartOption = None,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Start one service anew: its position is forgotten, and which records it had.

    Records from the new start on are collected and delivered again, so that they
    come twice; what waits for delivery stays. You are asked first. The collector
    must not be running; stop it, reset, and start it again.

    A service whose initial_start_time_in_utc is configured begins there and
    nowhere else: change that setting instead, and the next run starts the service
    anew.
    """
    clock = SystemClock()
    found = settings(config)
    store = SqliteStore.open_existing(found.state_folder, clock)
    try:
        if store.stored_state(source) is None:
            raise unknown("service", [source], {"with a state": sources(found.state_folder)})
        asked = None if start is None else _past(start, clock.now())
        anew = checkpoint.started(_start(found, store, source, asked))
        shown = times.isoformat(anew.initial_start_time)
        if not yes:
            typer.confirm(f"Collect {source} again from {shown}?", abort=True)
        now = clock.now()
        store.reset(source, anew, now, "collector state reset")
    finally:
        store.close()
    err.print(f"{source} starts anew:", highlight=False)
    err.print(_table([service(source, state.to_state(anew), now)]))


@app.command()
def abandon(
    output: Annotated[
        str,
        typer.Argument(
            metavar="OUTPUT", help="Its name, as 'collector state show' tells it under Spool."
        ),
    ],
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Give up what waits for an output that is configured no more, and free its room.

    For an output that was taken out of the configuration: its records wait for
    ever, and when the spool is full, pulling pauses. They are lost to that output
    alone; other outputs still get them. You are asked first. The collector must
    not be running.
    """
    found = settings(config)
    if output in found.outputs:
        raise ConfigError(24, f"the output {output} is configured", "remove it from the file first")
    store = SqliteStore.open_existing(found.state_folder, SystemClock())
    try:
        backlog = store.spool.backlog()
        stored = {name for name, _lane in backlog}
        refuse_unknown("output", output, found.outputs, stored, "records that wait")
        waiting = sum(count for (name, _lane), count in backlog.items() if name == output)
        if waiting and not yes:
            typer.confirm(f"Give up {waiting} records for {output}?", abort=True)
        given_up = store.spool.abandon(output)
    finally:
        store.close()
    err.print(f"{given_up} records for {output} were given up.", highlight=False)


def _table(services: Sequence[ServiceState]) -> Rows:
    rows = table("service", "start", "last event", "complete until", "owed", "last change")
    for row in services:
        facts = (row.start, row.last_event, row.complete_until, row.owed_hours, row.changed)
        rows.add_row(row.source, *facts)
    return rows


def _tell_unconfigured(outputs: set[str]) -> None:
    """Say whose records nobody will take, and what can be done about it."""
    for name in sorted(outputs):
        out.print(
            f"{name} is configured no more: configure it again, or give its records up with: "
            f"collector state abandon {name}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _past(text: str, now: Micros) -> Micros:
    """A start as an operator writes it; of one in the future nothing would be collected."""
    instant = utc_time(text)
    if instant > now:
        raise ConfigError(NO_TIME, f"{text} {in_the_future(now)}", IN_THE_PAST)
    return instant


def _start(found: Settings, store: SqliteStore, source: str, asked: Micros | None) -> Micros:
    """Where the service is to begin: as asked for, else as configured, else where it first began.

    Raises ``ConfigError`` when another start is configured: the next run would find
    the two to differ, and start the service anew once more, from the configured one.
    """
    configured = _configured_start(found, source)
    if asked is None:
        return _first_start(store, source) if configured is None else configured
    if configured not in (None, asked):
        setting = f"inputs.{source.replace('#', '.services.')}.initial_start_time_in_utc"
        raise ConfigError(
            29,
            f"{setting} is {times.isoformat(configured)}: the next run would begin there instead",
            "change it to the start you want, and the next run starts the service anew from "
            "there; or remove it, and reset again",
        )
    return asked


def _configured_start(found: Settings, source: str) -> Micros | None:
    """Where the configuration has the service begin; None where it leaves that open."""
    name, _, field = source.partition("#")
    services = found.inputs[name].services if name in found.inputs else None
    service = getattr(services, field, None)
    text = None if service is None else service.initial_start_time_in_utc
    return None if text is None else times.parse(text)


def _first_start(store: SqliteStore, source: str) -> Micros:
    """Where the service first began; raises ``StateError`` when its state cannot be read."""
    before = store.checkpoint(source)
    assert before is not None  # noqa: S101 - it was found before
    return before.initial_start_time


def _room(size: int, marks: Marks) -> str:
    """How full the spool is, and what that means for pulling."""
    text = f"Spool: {_mib(size)} of {_mib(marks.limit)}"
    if size >= marks.shut:
        return f"{text}; [yellow]pulling is paused[/] until {_mib(marks.opened)} are left"
    if size > marks.opened:
        return f"{text}; pulling pauses at {_mib(marks.shut)}"
    return text


def _mib(size: int) -> str:
    return f"{size / (1024 * 1024):,.1f} MiB"
