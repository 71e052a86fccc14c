"""``collector ledger``: which hours are there, and how sure that is."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from collector.app import rereading
from collector.app.outcome import PARTIAL
from collector.cli.hours import (
    FromOption,
    InputsOption,
    ServicesOption,
    ToOption,
    YesOption,
    carry_out,
    hours_of,
    span,
)
from collector.cli.options import ConfigOption, JsonOption, settings
from collector.cli.screen import out, print_json, table
from collector.clock import SystemClock
from collector.core import times
from collector.core.ledger import UNRECOVERABLE
from collector.core.times import DAY, HOUR
from collector.persistence.hours import Hour

app = typer.Typer(
    help="Which hours are complete, which are not, and what became of every event in them.",
    no_args_is_help=True,
)

_MONTH_HOURS = 30 * 24
GraceOption = Annotated[
    float,
    typer.Option(
        "--grace",
        metavar="HOURS",
        min=0,
        help="Hours after which one that is not done is a gap: time for the archive to settle.",
    ),
]


@app.command()
def show(
    gaps: Annotated[
        bool,
        typer.Option("--gaps", help="Only hours that are not done; exit 8 when there are any."),
    ] = False,
    grace: GraceOption = 3.0,
    inputs: InputsOption = None,
    services: ServicesOption = None,
    start: FromOption = None,
    end: ToOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the hours of the last day, or with --gaps of the last 30 days.

    For an alarm: 'collector ledger show --gaps' exits 0 when every hour that had
    time to settle is complete, verified or repaired, and 8 otherwise.
    """
    found = settings(config)
    now = SystemClock().now()
    wanted = span(start, end, now, _MONTH_HOURS if gaps else DAY // HOUR)
    sources = rereading.sources(found, inputs or (), services or ())
    hours = [hour for each in hours_of(found, sources, wanted).values() for hour in each]
    if gaps:
        settled = now - round(grace * HOUR)
        hours = [hour for hour in hours if not hour.done and hour.account.span.end <= settled]
    if as_json:
        print_json([hour.as_dict() for hour in hours])
    else:
        _print(hours, gaps=gaps)
    raise typer.Exit(PARTIAL if gaps and hours else 0)


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
    grace: GraceOption = 3.0,
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
    settled = now - round(grace * HOUR)
    plans = [
        rereading.plan(found, source, _settled(hours, settled), now, again=False)
        for source, hours in hours_of(found, sources, wanted).items()
    ]
    carry_out(found, plans, yes=yes)


def _settled(hours: list[Hour], before: int) -> list[Hour]:
    return [hour for hour in hours if hour.account.span.end <= before]


def _print(hours: list[Hour], *, gaps: bool) -> None:
    if gaps and not hours:
        out.print("[green]No gaps.[/]")
        return
    counted = ("#events", "#repeats", "#filtered", "#aside")
    rows = table("service", "hour", "state", *counted, "delivered", "why")
    for hour in hours:
        account, counts = hour.account, hour.account.counts
        rows.add_row(
            hour.source,
            times.isoformat(account.span.start)[:16] + "Z",
            _colour(hour),
            f"{counts.spooled:,}",
            f"{counts.duplicate:,}",
            f"{counts.filtered:,}",
            f"{counts.dead_lettered:,}",
            ", ".join(f"{name} {count:,}" for name, count in sorted(hour.delivered.items())) or "-",
            escape(
                account.reason or (f"{account.repaired:,} repaired" if account.repaired else "")
            ),
        )
    out.print(rows)
    if gaps:
        out.print(f"\n{len(hours)} hours are not done; a running collector repairs what it can.")
        out.print("To read them now, stop it and run: collector ledger repair")


def _colour(hour: Hour) -> str:
    if hour.done:
        return f"[green]{hour.account.state}[/]"
    return (
        f"[red]{hour.account.state}[/]"
        if hour.account.state == UNRECOVERABLE
        else hour.account.state
    )
