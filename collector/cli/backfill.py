"""``collector backfill``: read hours of the past."""

from __future__ import annotations

from typing import Annotated

import typer

from collector.app import rereading
from collector.cli.chosen import settings
from collector.cli.hours import (
    ToOption,
    carry_out,
    hours_of,
    show,
    span,
)
from collector.cli.options import ConfigOption, InputsOption, ServicesOption, YesOption
from collector.clock import SystemClock


def backfill(
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help='First hour, as "2026-01-31T00:00:00Z".')
    ],
    end: ToOption = None,
    inputs: InputsOption = None,
    services: ServicesOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read hours that are done once more, to compare them.")
    ] = False,
    plan_only: Annotated[bool, typer.Option("--plan", help="Show the plan and stop.")] = False,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Read the hours of a span of the past and deliver what is not known yet.

    Shows a plan first: how many hours, how many calls at least, what is known
    already, and what is out of the vendor's reach. Nothing else is read: the
    position of the services does not move, and what is due besides is left to
    the next run. On a machine that never collected the state is made. The
    collector must not be running; with --plan it may be.

    Exit code 0: the hours are complete, or settle until the next run reads them
    once more; hours that are too new to be read are told, and no failure. 8: some
    of the hours that were read are neither.
    """
    found = settings(config)
    now = SystemClock().now()
    wanted = span(start, end, now, 1)
    sources = rereading.sources(found, inputs or (), services or ())
    plans = [
        rereading.plan(found, source, hours, now, again=again)
        for source, hours in hours_of(found, sources, wanted, whole=True).items()
    ]
    if plan_only:
        show(found, plans)
        return
    carry_out(found, plans, yes=yes)
