"""What a soak has shown, as numbers and as a table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from collector.core.model import Micros
from collector.demo.judge import Verdict, good
from tests.fakes.deliveries import Deliveries
from tests.soak.child import Weight

_HOUR = 3600.0
_FEW = 100


class Lag(msgspec.Struct, frozen=True):
    """From a live event's time to its arrival, in seconds of the clock."""

    p50: float
    p99: float


class Memory(msgspec.Struct, frozen=True):
    """The last process in the calm: its size at the end, and its slope by least squares.

    The slope is given for an hour of the wall and for one of the clock; ``seconds`` are real.
    """

    mib: float
    slope: float
    slope_of_clock: float
    seconds: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One soak.

    ``hours`` are those of the virtual clock; ``failures`` are processes that ended
    unasked, or not in order when asked; ``defects`` are internal errors in the log.
    """

    seed: int
    minutes: float
    hours: float
    kills: int
    stops: int
    faults: int
    outages: int
    repeats_dropped: int
    failures: int
    defects: int
    settled: bool
    gaps_exit_code: int
    lag: dict[str, Lag | None]
    lag_in_calm: dict[str, Lag | None]
    memory: Memory | None
    outputs: dict[str, list[Verdict]]

    def good(self) -> bool:
        """Whether nothing was lost or doubled, every hour is done, and nothing of ours failed."""
        exact = all(good(verdicts) for verdicts in self.outputs.values())
        calm = not (self.failures or self.defects or self.gaps_exit_code)
        return exact and self.settled and calm


def lag(found: Deliveries, since: Micros) -> Lag | None:
    """The median and the 99th percentile of what arrived since; None when that was little."""
    arrived = zip(found.arrivals, found.lags, strict=True)
    lags = [seconds for arrival, seconds in arrived if arrival >= since]
    if len(lags) < _FEW:
        return None
    cuts = statistics.quantiles(lags, n=100)
    return Lag(p50=cuts[49], p99=cuts[98])


def memory(weights: Sequence[Weight], since: float, speed: float) -> Memory | None:
    """What the weights from then on say; None when they span less than a minute."""
    steady = [weight for weight in weights if weight.at >= since]
    if not steady or steady[-1].at - steady[0].at < 60.0:
        return None
    hours = [weight.at / _HOUR for weight in steady]
    slope = statistics.linear_regression(hours, [weight.mib for weight in steady]).slope
    return Memory(steady[-1].mib, slope, slope / speed, steady[-1].at - steady[0].at)


def show(report: Report, console: Console) -> None:
    """Print it."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("output", "service"):
        table.add_column(column)
    for column in ("emitted", "delivered", "lost", "duplicates"):
        table.add_column(column, justify="right")
    for name, verdicts in report.outputs.items():
        for each in verdicts:
            numbers = (each.emitted, each.delivered, each.lost, each.duplicates)
            table.add_row(name, each.service, *(f"{number:,}" for number in numbers))
    console.print(table)
    for line in _facts(report):
        console.print(line, highlight=False)


def _facts(report: Report) -> list[str]:
    return [
        "",
        f"seed: {report.seed}; minutes: {report.minutes:g}; of the clock: {report.hours:g} hours",
        f"kills: {report.kills}; stops in order: {report.stops}",
        f"faults of the vendor: {report.faults}; outages of the HTTP output: {report.outages}",
        f"posts that came again, and were dropped there by their key: {report.repeats_dropped}",
        *_lags("lag of live records", report.lag),
        *_lags("the same in the calm", report.lag_in_calm),
        f"memory: {_memory(report.memory)}",
        f"collector ledger show --gaps: exit code {report.gaps_exit_code}",
        f"everything settled: {'yes' if report.settled else 'no'}",
        f"processes that ended by themselves: {report.failures}",
        f"internal errors in the log: {report.defects}",
    ]


def _lags(title: str, lags: Mapping[str, Lag | None]) -> list[str]:
    return [
        f"{title}, {name}: "
        + (f"p50 {found.p50:.1f} s, p99 {found.p99:.1f} s" if found else "none")
        for name, found in lags.items()
    ]


def _memory(found: Memory | None) -> str:
    if found is None:
        return "the calm was too short to tell"
    return (
        f"{found.mib:.1f} MiB; slope over the last {found.seconds:.0f} s of calm: "
        f"{found.slope:+.2f} MiB an hour, {found.slope_of_clock:+.3f} an hour of the clock"
    )
