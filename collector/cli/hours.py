"""What ``ledger`` and ``backfill`` share: spans of time, plans, and watching the reading."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from collector.app import rereading
from collector.app.collector import Collector
from collector.app.opening import starts_anew
from collector.app.outcome import PARTIAL
from collector.app.rereading import Plan
from collector.cli.options import utc_time
from collector.cli.process import open_log, stop_on_signals
from collector.cli.screen import err, table
from collector.clock import SystemClock
from collector.config.fields import IN_THE_PAST, in_the_future
from collector.config.models import Settings
from collector.core import times
from collector.core.ledger import SETTLING
from collector.core.model import Micros, Window
from collector.core.standing import standing
from collector.core.times import DAY, HOUR, ceil_hour, floor_hour
from collector.errors import ConfigError
from collector.persistence import database
from collector.persistence.hours import Hour, Ledger

FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help='First hour, as "2026-01-31T00:00:00Z".'),
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="End of the last hour. Default: now.")
]
GRACE_HOURS = 2.0
"""From when an hour is due until it is overdue, unless a person says otherwise."""
_LONGEST = 3660 * DAY


def span(start: str | None, end: str | None, now: Micros, default_hours: int) -> Window:
    """Whole hours from ``--from`` to ``--to``; raises ``ConfigError`` for nonsense.

    It has ten years at most, for every hour of it is looked at.
    """
    last = ceil_hour(now if end is None else utc_time(end))
    first = last - default_hours * HOUR if start is None else floor_hour(utc_time(start))
    if end is None and first >= last:
        raise ConfigError(22, f"--from {in_the_future(now)}", IN_THE_PAST)
    if first >= last:
        raise ConfigError(22, "--from is not before --to", "give an earlier --from")
    if last - first > _LONGEST:
        raise ConfigError(22, "the span is longer than ten years", "give a later --from")
    return Window(first, last)


def hours_of(
    settings: Settings, sources: Sequence[str], wanted: Window, *, whole: bool = False
) -> dict[str, list[Hour]]:
    """The ledger's hours of each source, those without a row included.

    ``whole``: also the hours before a source's first one, and all of them where there
    is no state yet.
    """
    place = settings.state_folder
    if whole and not database.exists(place):
        ledger = Ledger.unmade(place, wanted, sources, start_anew=starts_anew(settings))
        return by_source(ledger, sources)
    return by_source(ledger_of(settings, sources, wanted, whole=whole), sources)


def ledger_of(
    settings: Settings, sources: Sequence[str], wanted: Window, *, whole: bool = False
) -> Ledger:
    """The ledger of these sources, those that never ran included."""
    starts = rereading.starts(settings, sources)
    return Ledger.read(settings.state_folder, wanted, sources, whole=whole, starts=starts)


def by_source(ledger: Ledger, sources: Sequence[str]) -> dict[str, list[Hour]]:
    """The hours of each source."""
    found: dict[str, list[Hour]] = {source: [] for source in sources}
    for hour in ledger.hours:
        found[hour.source].append(hour)
    return found


def carry_out(settings: Settings, plans: list[Plan], *, yes: bool) -> None:
    """Show the plan, ask, read, and end with an exit code that says whether all is done.

    An hour that settles is no failure, as for ``ledger show --gaps``: it was read, and
    the next run reads it once more.  Raises ``StateError`` first while a collector runs.
    """
    rereading.refuse_beside_another(settings)
    show(settings, plans)
    wanted = sum(len(plan.read) for plan in plans)
    if not wanted:
        err.print("There is nothing to read.")
        raise typer.Exit(0)
    if not yes:
        typer.confirm(f"Read {counted(wanted)}?", abort=True)
    os.umask(0o077)
    clock = SystemClock()
    stop_on_signals(clock)
    rereading.ask(settings, plans, clock)
    asked = clock.now()
    log = settings.state_folder / "reading.log"
    # It stays open: a pull that outlasts a stop may still write to it until the process ends.
    open_log(settings, log.open("a", encoding="utf-8"))
    ended = rereading.read(settings, plans, clock, lambda collector: _watch(collector, wanted))
    err.print(f"The log of this reading is in {log}", highlight=False)
    read = [hour for plan in plans if plan.read for hour in _read(settings, plan)]
    if ended.report().interrupted:
        unread = sum(hour.look is not None and hour.look <= asked for hour in read)
        err.print(f"Interrupted; {unread} of {len(read)} hours were not read.")
    whole = _sum_up(settings, read)
    raise typer.Exit(ended.exit_code() or (0 if whole else PARTIAL))


def show(settings: Settings, plans: list[Plan]) -> None:
    """The plan: how many hours, what will not be read, and what will be made."""
    shown = table(
        "service",
        "#hours to read",
        "#calls at least",
        "#known",
        "#out of reach",
        "#too new",
    )
    for plan in plans:
        counts = (plan.read, plan.read, plan.known, plan.out_of_reach, plan.future)
        shown.add_row(plan.source, *(str(len(hours)) for hours in counts))
    err.print(shown)
    if not database.exists(settings.state_folder):
        text = f"The folder {settings.state_folder} holds no state yet; the reading makes it."
        err.print(text, highlight=False)
    for plan in plans:
        if plan.ready is not None:
            err.print(
                f"Too new: {counted(len(plan.future))} of {plan.source}; the last can be read "
                f"from {minute(plan.ready)} on.",
                highlight=False,
            )


def counted(hours: int) -> str:
    """So many hours, as people write it."""
    return f"{hours:,} hour{'' if hours == 1 else 's'}"


def minute(instant: Micros) -> str:
    """An instant as people read it."""
    return times.isoformat(instant)[:16] + "Z"


def _watch(collector: Collector, wanted: int) -> None:
    worker = threading.Thread(target=collector.run_once, name="collector")
    columns = (
        TextColumn("reading hours"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        task = progress.add_task("hours", total=wanted)
        worker.start()
        while worker.is_alive():
            worker.join(0.2)
            progress.update(task, completed=max(wanted - _outstanding(collector), 0))


def _outstanding(collector: Collector) -> int:
    looks = [look for job in collector.jobs for look in job.service.intake.checkpoint.looks]
    return sum((look.end - look.start) // HOUR for look in looks)


def _sum_up(settings: Settings, read: list[Hour]) -> bool:
    """Say what became of the hours; whether nothing of them is missing."""
    done = sum(hour.done for hour in read)
    due = [moment for hour in read if (moment := _settles(settings, hour)) is not None]
    err.print(f"{done} of {len(read)} hours are complete, verified or repaired.")
    if due:
        err.print(
            f"{len(due)} hours settle: they held no records, or far fewer than usual. The next run "
            f"reads them once more, the last from {minute(max(due))} on.",
            highlight=False,
        )
    return done + len(due) == len(read)


def _read(settings: Settings, plan: Plan) -> list[Hour]:
    """The hours that the plan was to read, as they are now."""
    span = Window(plan.read[0].start, plan.read[-1].end)
    asked = set(plan.read)
    found = hours_of(settings, [plan.source], span, whole=True)[plan.source]
    return [hour for hour in found if hour.account.span in asked]


def _settles(settings: Settings, hour: Hour) -> Micros | None:
    """When an hour that was read, and is to be read once more, is due; None for any other."""
    if hour.account.state != SETTLING:
        return None
    terms = rereading.terms(settings, hour.source, round(GRACE_HOURS * HOUR))
    found = standing(hour.account, hour.look, terms, SystemClock().now())
    return None if found.is_gap else found.due
