"""What a soak has shown, as numbers and as a table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from collector.demo.judge import Verdict, good
from tests.fakes.deliveries import Deliveries
from tests.soak.child import Weight

_HOUR = 3600.0


class Lag(msgspec.Struct, frozen=True):
    """Simulated seconds from a live event's time to its arrival."""

    p50: float
    p99: float


class Memory(msgspec.Struct, frozen=True):
    """The last process in the calm: its size at the end, and its slope by least squares."""

    mib: float
    mib_per_hour: float
    seconds: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One soak.  ``failures``: processes that ended unasked or not in order."""

    seed: int
    minutes: float
    simulated_hours: float
    kills: int
    stops: int
    faults: int
    outages: int
    repeats_dropped: int
    failures: int
    settled: bool
    gaps_exit_code: int
    lag: dict[str, Lag | None]
    memory: Memory | None
    outputs: dict[str, list[Verdict]]

    def good(self) -> bool:
        """Whether nothing was lost or doubled, every hour is done, and no process failed."""
        exact = all(good(verdicts) for verdicts in self.outputs.values())
        return exact and self.settled and not self.gaps_exit_code and not self.failures


def lag(found: Deliveries) -> Lag | None:
    """The median and the 99th percentile; None when there were too few live records."""
    if len(found.lags) < 100:
        return None
    cuts = statistics.quantiles(found.lags, n=100)
    return Lag(p50=cuts[49], p99=cuts[98])


def memory(weights: Sequence[Weight], since: float) -> Memory | None:
    """What the weights from then on say; None when they span less than a minute."""
    steady = [weight for weight in weights if weight.at >= since]
    if not steady or steady[-1].at - steady[0].at < 60.0:
        return None
    hours = [weight.at / _HOUR for weight in steady]
    slope = statistics.linear_regression(hours, [weight.mib for weight in steady]).slope
    return Memory(steady[-1].mib, slope, steady[-1].at - steady[0].at)


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
        f"minutes: {report.minutes:g}; simulated hours: {report.simulated_hours:g}; seed: {report.seed}",
        f"kills: {report.kills}; stops in order: {report.stops}",
        f"faults of the vendor: {report.faults}; outages of the HTTP output: {report.outages}",
        f"posts that came again, and were dropped there by their key: {report.repeats_dropped}",
        *(f"lag of live records, {name}: {_lag(found)}" for name, found in report.lag.items()),
        f"memory: {_memory(report.memory)}",
        f"collector ledger show --gaps: exit code {report.gaps_exit_code}",
        f"everything settled: {'yes' if report.settled else 'no'}",
        f"processes that ended by themselves: {report.failures}",
    ]


def _lag(found: Lag | None) -> str:
    if found is None:
        return "too few records"
    return f"p50 {found.p50:.1f} s, p99 {found.p99:.1f} s (simulated)"


def _memory(found: Memory | None) -> str:
    if found is None:
        return "the calm was too short to tell"
    return (
        f"{found.mib:.1f} MiB at the end, slope {found.mib_per_hour:+.2f} MiB an hour "
        f"over {found.seconds:.0f} seconds of calm"
    )
