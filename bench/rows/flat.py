"""Whether a record costs the same in a small run and in a large one (goal 3)."""

from __future__ import annotations

from bench import product
from bench.context import Context
from bench.field import CPU, Contestant, Field, Run, collector, figures, finished_hour, run
from bench.outcome import Measurement, Outcome, at_most
from bench.servers import generator, sink

_GOAL = "cost per record at {last:,} records at most 10 % over that at {first:,}"
_REPEATED = {0: 5, 1000: 5, 10_000: 5, 100_000: 2, 1_000_000: 1}
"""How often a round repeats a run: small ones cost less than their start-ups differ by."""
_JUDGED_FROM = 100_000


def measure(context: Context) -> Outcome:
    """The product over more and more records."""
    runs = _runs(context)
    empty = runs.pop(0)
    found = {size: figures(each, empty) for size, each in runs.items()}
    last = max(found)
    growth = found[last][CPU] / found[_JUDGED_FROM][CPU]
    return Outcome(
        [Measurement(f"{size:,} records", each) for size, each in found.items()],
        [at_most(3, _GOAL.format(last=last, first=_JUDGED_FROM), growth, 1.10, "x")],
        ["Two starts differ by tens of milliseconds, which is what a few thousand records cost."],
    )


def _runs(context: Context) -> dict[int, list[Run]]:
    """Runs by size, round by round; the largest, which takes long, only once."""
    contestant = Contestant("product", 1, collector(product.syslog))
    largest = context.records(10_000_000, 1_000_000)
    runs: dict[int, list[Run]] = {size: [] for size in _REPEATED}
    with generator(context.certificate) as vendor, sink(context.certificate) as destination:
        field = Field(context, vendor, destination, finished_hour())
        for _ in context.each_round():
            for size, repeats in _REPEATED.items():
                if size < largest:
                    runs[size] += [run(field, contestant, size) for _ in range(repeats)]
        runs[largest] = [run(field, contestant, largest)]
    return runs
