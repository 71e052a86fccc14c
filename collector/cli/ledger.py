"""``collector ledger``: which hours are there, and how sure that is."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
import typer
from rich.console import RenderableType

from collector.app import rereading
from collector.app.outcome import PARTIAL
from collector.cli.chosen import settings
from collector.cli.hours import (
    GRACE_HOURS,
    FromOption,
    ToOption,
    by_source,
    carry_out,
    counted,
    hours_of,
    ledger_of,
    minute,
    span,
)
from collector.cli.judged import Judged, alike, hourly
from collector.cli.options import ConfigOption, InputsOption, JsonOption, ServicesOption, YesOption
from collector.cli.screen import out, print_json
from collector.clock import SystemClock
from collector.config.models import Settings
from collector.core.ledger import COMPLETE, SETTLING
from collector.core.model import Micros
from collector.core.standing import standing
from collector.core.times import DAY, HOUR
from collector.persistence.hours import Hour

app = typer.Typer(
    help="Which hours are complete, which are not, and what became of every event in them.",
    no_args_is_help=True,
)

_MONTH_HOURS = 30 * 24
_YEAR_HOURS = 366 * 24


def _number(hours: float) -> float:
    # nan is beyond no bound, by those releases of typer that compare with < and >.
    if math.isnan(hours):
        raise typer.BadParameter("nan is no number of hours")
    return hours


GapsOption = Annotated[
    bool,
    typer.Option(
        "--gaps",
        help="Only gaps, one row for those in a row that are alike; exit 8 when there are any. "
        "Hours that settle are counted.",
    ),
]
GraceOption = Annotated[
    float,
    typer.Option(
        "--grace",
        metavar="HOURS",
        min=0,
        max=_YEAR_HOURS,
        callback=_number,
        help="Hours from when an hour is due until it is overdue: time for a run to read it.",
    ),
]


@app.command()
def show(
    gaps: GapsOption = False,
    grace: GraceOption = GRACE_HOURS,
    inputs: InputsOption = None,
    services: ServicesOption = None,
    start: FromOption = None,
    end: ToOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the hours of the last day, or with --gaps of the last 30 days.

    For an alarm: 'collector ledger show --gaps' exits 8 when there is a gap, and
    0 otherwise. A gap is an hour that is unrecoverable, partial (reading it
    failed), or overdue: not complete two hours (--grace) after it was due. It is
    due when it can first be read: archive_delay_in_seconds (CASB alerts:
    settle_delay_in_seconds) after its end; an hour that held no records, or far
    fewer than usual, is due again at its second reading. Until it is overdue an
    hour settles: it is counted apart, and no alarm. A service that is configured
    and never ran has gaps from its start on. One that is disabled, or
    configured no more, has none: its name is told apart.

    Consecutive gaps of a service with the same state and reason are one row, from
    the start of the first hour to the end of the last; --json has each hour.
    """
    found = settings(config)
    now = SystemClock().now()
    wanted = span(start, end, now, _MONTH_HOURS if gaps else DAY // HOUR)
    sources = rereading.sources(found, inputs or (), services or ())
    ledger = ledger_of(found, sources, wanted)
    judged = [
        each
        for source, hours in by_source(ledger, sources).items()
        for each in _judged(found, source, hours, grace, now)
    ]
    left = sorted({*ledger.others}.difference(rereading.sources(found, (), ())))
    alarms = _tell(judged, left, gaps=gaps, as_json=as_json)
    raise typer.Exit(PARTIAL if gaps and alarms else 0)


@app.command()
def export(
    inputs: InputsOption = None,
    services: ServicesOption = None,
    start: FromOption = None,
    end: ToOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the ledger of the last 30 days to standard output, one JSON object an hour."""
    found = settings(config)
    wanted = span(start, end, SystemClock().now(), _MONTH_HOURS)
    sources = rereading.sources(found, inputs or (), services or ())
    for each in hours_of(found, sources, wanted).values():
        for hour in each:
            sys.stdout.buffer.write(msgspec.json.encode(hour.as_dict()) + b"\n")


@app.command()
def verify(
    inputs: InputsOption = None,
    services: ServicesOption = None,
    start: FromOption = None,
    end: ToOption = None,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Read the hours of the last day once more and compare them with what was delivered.

    What was missing is delivered and the hour is 'repaired', otherwise it is
    'verified'. The collector must not be running. Give --from and --to for
    other hours.
    """
    found = settings(config)
    now = SystemClock().now()
    wanted = span(start, end, now, DAY // HOUR)
    sources = rereading.sources(found, inputs or (), services or ())
    plans = [
        rereading.plan(found, source, hours, now, again=True)
        for source, hours in hours_of(found, sources, wanted).items()
    ]
    carry_out(found, plans, yes=yes)


@app.command()
def repair(
    grace: GraceOption = GRACE_HOURS,
    inputs: InputsOption = None,
    services: ServicesOption = None,
    start: FromOption = None,
    end: ToOption = None,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Read the gaps of the last 30 days now.

    A running collector repairs its gaps by itself; this is for one that is
    stopped, or run by cron.
    """
    found = settings(config)
    now = SystemClock().now()
    wanted = span(start, end, now, _MONTH_HOURS)
    sources = rereading.sources(found, inputs or (), services or ())
    plans = []
    for source, hours in hours_of(found, sources, wanted).items():
        judged = _judged(found, source, hours, grace, now)
        due = [each.hour for each in judged if each.standing.kind != SETTLING]
        plans.append(rereading.plan(found, source, due, now, again=False))
    carry_out(found, plans, yes=yes)


def _judged(
    settings: Settings, source: str, hours: list[Hour], grace: float, now: Micros
) -> list[Judged]:
    terms = rereading.terms(settings, source, round(grace * HOUR))
    return [Judged(each, standing(each.account, each.look, terms, now)) for each in hours]


def _tell(judged: list[Judged], left: list[str], *, gaps: bool, as_json: bool) -> int:
    """Print all hours, or the gaps (for programs also what settles); how many are gaps.

    ``left``: the sources that are not collected any more.
    """
    alarms = sum(each.standing.is_gap for each in judged)
    settling = [each for each in judged if each.standing.kind == SETTLING]
    shown = [each for each in judged if each.standing.kind != COMPLETE] if gaps else judged
    if as_json:
        rows = [each.as_dict() for each in shown]
        counts = {"gaps": alarms, "settling": len(settling)}
        print_json({**counts, "not_collected": left, "hours": rows})
        return alarms
    told: list[RenderableType] = []
    if not gaps:
        told.append(hourly(shown) if shown else "No hours in this span.")
    elif alarms:
        told.append(alike(each for each in shown if each.standing.is_gap))
    if left:
        told.append(f"Not collected any more, and no alarm: {', '.join(left)}.")
    if gaps:
        told.append("\n".join(_summary(alarms, settling)))
    _print_apart(told)
    return alarms


def _summary(alarms: int, settling: list[Judged]) -> Iterator[str]:
    if settling:
        last = minute(max(each.standing.overdue for each in settling))
        yield f"Still settling, and no gap: {counted(len(settling))}, the last until {last}."
    if not alarms:
        yield "[green]No gaps.[/]"
        return
    yield f"Gaps: {counted(alarms)}; a running collector repairs what it can."
    yield "To read them now, stop it and run: collector ledger repair"


def _print_apart(told: Iterable[RenderableType]) -> None:
    """Print each, with an empty line between two."""
    for number, each in enumerate(told):
        if number:
            out.print()
        out.print(each, highlight=False)
