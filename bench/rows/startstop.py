"""From the start to the first record, and from SIGTERM to the exit under load (goal 10)."""

from __future__ import annotations

from pathlib import Path

from bench import product
from bench.context import Context
from bench.field import finished_hour
from bench.measured import Failed, cost
from bench.outcome import Measurement, Outcome, at_most, middle
from bench.rows.stages import delivered
from bench.running import running
from bench.servers import Server, generator

_FIRST = "s to first record"
_STOP = "s from SIGTERM to exit"
_UNDER_WAY = 20_000


def measure(context: Context) -> Outcome:
    """Stop in the midst of an archive hour, then finish it: each record is there once."""
    records = context.records(500_000, 200_000)
    with generator(context.certificate) as vendor:
        found = middle(_round(context, vendor, records) for _ in context.each_round())
    return Outcome(
        [Measurement("product, archive hour into a file", found)],
        [
            at_most(10, "start to first delivered record under 1.5 s", found[_FIRST], 1.5, "s"),
            at_most(10, "stop on SIGTERM under 2 s, all durable", found[_STOP], 2.0, "s"),
        ],
        [f"Stopped while {records:,} records flow in; a second start brings the rest, none twice."],
    )


def _round(context: Context, vendor: Server, records: int) -> dict[str, float]:
    inputs = {"pod": product.pod_input(vendor, finished_hour(), records, mode="archive")}
    with context.scratch() as folder:
        out = folder / "out"
        found = product.document(folder, inputs, product.files(out))
        with running(context, folder, found) as collector:
            first = collector.when(lambda: _size(out)) - collector.began
            collector.when(lambda: _size(out) > _UNDER_WAY * 2000)
            stopped = collector.stop()
        cost(product.command(context, folder, found, "--once"), folder)
        lines = delivered(out)
    if lines != records:
        raise Failed(f"{lines} of {records} records are in the files after the second start")
    return {_FIRST: first, _STOP: stopped}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.ndjson"))
