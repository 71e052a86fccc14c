"""The demo itself: start both sides, watch, and end when everything has settled."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.console import RenderableType
from rich.table import Table

from collector.app.collector import Collector
from collector.clock import SystemClock
from collector.config.load import parse
from collector.core import checkpoint as rules
from collector.core import times
from collector.core.times import SECOND
from collector.demo import plan
from collector.demo.judge import Verdict, good, judge
from collector.errors import ConfigError
from collector.logs import configure
from collector.simulator import Simulator
from collector.simulator.scripts import demo_faults

MARKER = ".collector-demo"
_FOREIGN_FOLDER = 31
"""The number of the error that a folder is not the demo's to empty."""
_UNUSABLE_FOLDER = 32
"""... that a folder cannot be made, emptied or written."""
_LIMIT = 55.0
"""Real seconds after which the verdict is given, whatever is still outstanding."""
_JITTER = 60 * SECOND
"""Everything dated before this long ago has appeared at the simulator."""


class Demo(msgspec.Struct, frozen=True):
    """How the demo went: per service, and how long it took in real seconds."""

    verdicts: list[Verdict]
    seconds: float
    faults: int
    log: Path

    def good(self) -> bool:
        """Whether nothing was lost and nothing doubled."""
        return good(self.verdicts)


def prepare(folder: Path) -> None:
    """An empty folder for the demo; only one that an earlier demo made is emptied.

    Raises ``ConfigError``.
    """
    try:
        _empty(folder)
    except OSError as error:
        cause = f"the folder {folder} cannot be used: {error.strerror}"
        remedy = "name with --out a folder that may be written, or a new one in such a folder"
        raise ConfigError(_UNUSABLE_FOLDER, cause, remedy) from None


def _empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise ConfigError(
                _FOREIGN_FOLDER,
                f"the folder {folder} holds files that no demo made",
                "name another one with --out",
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()


Show = Callable[[RenderableType], None]


def perform(folder: Path, seed: int, show: Show) -> Demo:
    """Run the demo in the folder, showing progress; returns when all has settled."""
    began = time.monotonic()
    day = plan.day(SystemClock().now())
    clock = plan.clock(day)
    options = plan.simulator_options(day, seed)
    faults = demo_faults()
    log = folder / "collector.log"
    with (
        log.open("w", encoding="utf-8") as stream,
        Simulator(options, clock, faults) as simulator,
    ):
        configure(debug=False, log_format="text", stream=stream)
        settings = parse(
            plan.config(simulator, options, day, folder), folder, {}, SystemClock().now()
        )
        collector = Collector(settings, clock, seed=seed)
        thread = threading.Thread(target=collector.run, name="collector")
        thread.start()
        try:
            while not _settled(collector, day, clock) and time.monotonic() - began < _LIMIT:
                show(_progress(collector, simulator, clock))
                clock.sleep(0.2 * plan.SPEED)
            show(_progress(collector, simulator, clock))
        finally:  # also of Ctrl-C: it must not go on without its log and its vendor
            collector.stop()
            thread.join()
    return Demo(judge(simulator.truth, folder), time.monotonic() - began, len(faults), log)


def _settled(collector: Collector, day: plan.Day, clock: SystemClock) -> bool:
    """Whether every service is complete beyond the last record, and everything is delivered."""
    if clock.now() < day.last + _JITTER:
        return False
    marks = [job.service.intake.checkpoint for job in collector.jobs]
    complete = all(
        rules.complete_until(mark) > day.last + _JITTER and not mark.owed for mark in marks
    )
    return complete and collector.delivery.waiting() == 0


def _progress(collector: Collector, simulator: Simulator, clock: SystemClock) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(f"{times.isoformat(clock.now())[:16]}Z", no_wrap=True)
    for column in ("emitted", "received", "repeats", "records out", "hours owed"):
        table.add_column(column, justify="right", no_wrap=True)
    for job in collector.jobs:
        totals = job.service.intake.totals()
        owed = job.service.intake.checkpoint.owed
        hours = sum((each.end - each.start) // times.HOUR for each in owed)
        emitted = len(simulator.truth.emitted(job.service.service))
        numbers = (emitted, totals.received, totals.duplicates, totals.generated, hours)
        table.add_row(job.service.source_id, *(f"{number:,}" for number in numbers))
    return table
