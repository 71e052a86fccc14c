"""``collector dead-letters``: what could not be read, and what destinations refuse for good."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from collector.app import rereading
from collector.app.outcome import PARTIAL
from collector.app.replay import Replay, Replayed
from collector.cli.chosen import settings
from collector.cli.options import ConfigOption, JsonOption, YesOption
from collector.cli.screen import err, out, plain, print_json, table
from collector.clock import SystemClock
from collector.config.models import Settings
from collector.config.names import refuse_unknown
from collector.core import times
from collector.errors import ConfigError
from collector.logs import escape
from collector.persistence import letter_report
from collector.persistence.letter_report import LetterReport
from collector.persistence.letters import Filter, Letter, Totals
from collector.persistence.sqlite import SqliteStore

app = typer.Typer(
    help="Dead letters: records that could not be read, or that an output refused for good.\n\n"
    "They are kept aside with their reason, and the rest goes on. Look at them with list and "
    "show; mend the cause, for example an output's limit; then replay them, or drop them.",
    no_args_is_help=True,
)

_SHOWN_BYTES = 16 * 1024
_LARGEST_ID = 2**63 - 1

SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source", metavar="INPUT#SERVICE", help="Only of this service, for example casb#alerts."
    ),
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        metavar="NAME",
        help="Only refused by this output; it need not be configured any more.",
    ),
]
ReasonOption = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Only with this text in the reason.")
]
IdsArgument = Annotated[
    list[int] | None,
    typer.Argument(
        metavar="ID",
        min=1,
        max=_LARGEST_ID,
        help="Which ones, as 'collector dead-letters list' numbers them; or --all.",
        show_default=False,
    ),
]
AllOption = Annotated[
    bool,
    typer.Option(
        "--all", help="Not by id: all, or all that --source, --output and --reason choose."
    ),
]


@app.command("list")
def list_(
    source: SourceOption = None,
    output: OutputOption = None,
    reason: ReasonOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show so many.")] = 100,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List dead letters, oldest first, with their ids and reasons.

    Output: which one refused the record; - where it could not be read. May be
    used while a collector is running.
    """
    wanted = Filter(source=source, output=output, reason=reason)
    found = settings(config)
    report = LetterReport.read(found.state_folder, wanted, limit)
    _refuse_unknown(wanted, found, report.totals)
    if as_json:
        print_json(report.as_dict())
        return
    rows = table("#id", "time", "source", "output", "#bytes", "~reason")
    for each in report.letters:
        facts = (each.source, each.output or "-", f"{each.size:,}", each.reason)
        rows.add_row(str(each.id), _time(each), *(plain(escape(fact)) for fact in facts))
    if report.letters:
        out.print(rows)
    out.print(_shown_of(report), highlight=False)
    if report.dropped:
        out.print(f"{report.dropped} were deleted: see globals.dead_letters.", highlight=False)


@app.command()
def show(
    letter: Annotated[
        int,
        typer.Argument(
            metavar="ID",
            min=1,
            max=_LARGEST_ID,
            help="Its number in 'collector dead-letters list'.",
        ),
    ],
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the bytes alone, as they came.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter: its reason and its bytes, made safe for a terminal.

    May be used while a collector is running.
    """
    found, content = letter_report.one(settings(config).state_folder, letter)
    if raw:
        sys.stdout.buffer.write(content)
        return
    shown = _safe(content[:_SHOWN_BYTES])
    if as_json:
        print_json(letter_report.as_dict(found) | {"text": shown})
        return
    for name, value in letter_report.as_dict(found).items():
        out.print(plain(f"{name:8}{'-' if value is None else escape(str(value))}"), soft_wrap=True)
    out.print(plain(f"\n{shown}"), soft_wrap=True)
    if len(content) > _SHOWN_BYTES:
        rest = len(content) - _SHOWN_BYTES
        err.print(f"... and {rest:,} more bytes: see --raw", highlight=False)


@app.command()
def replay(
    ids: IdsArgument = None,
    every: AllOption = False,
    source: SourceOption = None,
    output: OutputOption = None,
    reason: ReasonOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try dead letters again, after the cause was mended.

    A record that an output refused waits for that output again. What could not
    be read is read by today's rules; what can be read now waits for delivery. The
    next run delivers it; what fails again stays here. The collector must not be
    running: stop it, replay, and start it again. Exit code 8 when some stay.
    """
    wanted = _wanted(ids, source, output, reason, every=every)
    found, clock = settings(config), SystemClock()
    store = SqliteStore.open_existing(found.state_folder, clock)
    try:
        _refuse_unknown(wanted, found, store.letter_totals())
        done = Replay(found, store, clock).run(wanted)
    finally:
        store.close()
    if as_json:
        print_json({name: getattr(done, name) for name in Replayed.__struct_fields__})
    else:
        _tell(done)
    raise typer.Exit(PARTIAL if done.left or done.full else 0)


@app.command()
def drop(
    ids: IdsArgument = None,
    every: AllOption = False,
    source: SourceOption = None,
    output: OutputOption = None,
    reason: ReasonOption = None,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Give dead letters up for good: they cannot be had back.

    You are asked first, with their number. The collector must not be running.
    """
    wanted = _wanted(ids, source, output, reason, every=every)
    found = settings(config)
    store = SqliteStore.open_existing(found.state_folder, SystemClock())
    try:
        _refuse_unknown(wanted, found, store.letter_totals())
        count = store.count_letters(wanted)
        if wanted.ids is not None and count < len(set(wanted.ids)):
            raise letter_report.absent(wanted.ids)
        if count and not yes:
            typer.confirm(f"Drop {count} dead letters for good?", abort=True)
        store.drop_letters(wanted)
    finally:
        store.close()
    err.print(f"Dropped {count} dead letters.", highlight=False)


def _wanted(
    ids: list[int] | None,
    source: str | None,
    output: str | None,
    reason: str | None,
    *,
    every: bool,
) -> Filter:
    if bool(ids) == every:
        raise ConfigError(23, "it is not clear which dead letters", "name their ids, or --all")
    chosen = tuple(ids) if ids else None
    return Filter(source=source, output=output, reason=reason, ids=chosen)


def _shown_of(report: LetterReport) -> str:
    if report.count:
        return f"{len(report.letters)} of {report.count} dead letters."
    kept = any(each.records for each in report.totals)
    return "No dead letter fits." if kept else "There are no dead letters."


def _refuse_unknown(wanted: Filter, found: Settings, totals: Sequence[Totals]) -> None:
    """Raise ``ConfigError`` where a name fits nothing: else a slip looks like success."""
    kept = [each for each in totals if each.records]
    if wanted.output is not None:
        stored = {each.output for each in kept if each.output is not None}
        refuse_unknown("output", wanted.output, found.outputs, stored, "dead letters")
    if wanted.source is not None:
        configured = rereading.sources(found, (), ())
        stored = {each.source for each in kept}
        refuse_unknown("service", wanted.source, configured, stored, "dead letters")


def _tell(done: Replayed) -> None:
    err.print(
        f"{done.letters} dead letters read again or sent again: {done.records} records wait for "
        f"delivery, {done.repeats} had been delivered before. {done.left} stay.",
        highlight=False,
    )
    for reason in done.reasons:
        err.print(plain(f"  {escape(reason)}"))
    if done.full:
        err.print("The spool is full: run the collector, then replay the rest.")


def _safe(content: bytes) -> str:
    """Text in which nothing can steer a terminal; bytes that are not UTF-8 as escapes."""
    return escape(content.decode("utf-8", errors="backslashreplace"))


def _time(letter: Letter) -> str:
    return times.isoformat(times.floor_second(letter.observed))
