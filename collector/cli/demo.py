"""``collector demo``: see it work without a Proofpoint licence."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import RenderableType
from rich.live import Live

from collector.app.outcome import INTERNAL
from collector.cli.options import JsonOption
from collector.cli.screen import err, out, print_json, table

if TYPE_CHECKING:
    from collector.demo.show import Demo

_PROGRESS_SECONDS = 5.0


def demo(
    folder: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where records, state and log go.")
    ] = Path("out"),
    seed: Annotated[int, typer.Option(help="The same seed makes the same records.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Collect all five services from the built-in simulator, through faults, in under a minute.

    Simulator and collector share a clock that runs 480 times faster than yours:
    six hours of history and two of live records go by, with refused tokens, 429s,
    cut answers, a dropped stream and an archive hour cut short. The verdict
    compares what was emitted with what stands in the files; the exit code is 0
    only when nothing was lost and nothing doubled.
    """
    # Here and not above: the start of `collector run` must not wait for the simulator's import.
    from collector.demo.show import perform, prepare  # noqa: PLC0415

    prepare(folder)
    err.print("Simulating Proofpoint CASB and Proofpoint on Demand; collecting all five services.")
    if err.is_terminal:
        with Live(console=err, refresh_per_second=5) as live:
            done = perform(folder, seed, live.update)
    else:
        done = perform(folder, seed, _now_and_then())
    if as_json:
        print_json({"good": done.good(), **msgspec.to_builtins(done, enc_hook=str)})
    else:
        _show(done, folder)
    raise typer.Exit(0 if done.good() else INTERNAL)


def _now_and_then() -> Callable[[RenderableType], None]:
    """Progress for a log file: a table every few seconds instead of one that moves."""
    told = time.monotonic()

    def show(progress: RenderableType) -> None:
        nonlocal told
        if time.monotonic() - told >= _PROGRESS_SECONDS:
            told = time.monotonic()
            err.print(progress)

    return show


def _show(done: Demo, folder: Path) -> None:
    verdict = table("service", "#emitted", "#delivered", "#lost", "#duplicates", title="\nVerdict")
    for each in done.verdicts:
        numbers = (each.emitted, each.delivered, each.lost, each.duplicates)
        verdict.add_row(each.service, *(f"{number:,}" for number in numbers))
    out.print(verdict)
    word = "[green]nothing lost, nothing doubled[/]" if done.good() else "[red]NOT good[/]"
    out.print(f"\n{word}, through {done.faults} scripted faults, in {done.seconds:.0f} seconds.")
    out.print(f"Records: {folder}/*.ndjson   log: {done.log}", highlight=False)
