"""A thousand configured sources in one process: memory, and how late they run (goal 11)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence

from bench import product
from bench.context import Context
from bench.measured import Failed
from bench.outcome import Measurement, Outcome, at_most
from bench.running import running
from bench.servers import Server, generator, sink, tenants

_TENANTS = 200
_SERVICES = 5
_PERIOD = 10.0
_PERIODS = 6
_WARM_UP = 2
_MIB = 1024**2


def measure(context: Context) -> Outcome:
    """Tenants with all five services: two that are polled, three live streams."""
    with (
        generator(context.certificate) as vendor,
        tenants(context.certificate) as casb,
        sink(context.certificate) as destination,
    ):
        figures, warm = _run(context, _inputs(vendor, casb), vendor, destination)
        calls: dict[str, list[float]] = casb.told("/calls")
    late = lags([each for name, each in calls.items() if "/v1/auth" not in name], warm)
    if len(late) < 2 * _TENANTS * (_PERIODS - 1):
        raise Failed(f"{len(late)} pulls of {2 * _TENANTS} services in {_PERIODS} periods")
    return _outcome(figures, late)


def _inputs(vendor: Server, casb: Server) -> product.Document:
    hour = int(time.time()) // 3600
    inputs: product.Document = {}
    for tenant in range(_TENANTS):
        pod = product.pod_input(vendor, hour, 0, mode="live", tenant=tenant)
        inputs[f"pod{tenant}"] = product.with_all_services(pod)
        inputs[f"casb{tenant}"] = product.casb_input(casb, f"key{tenant}", hour, _PERIOD)
    return inputs


def _run(
    context: Context, inputs: product.Document, vendor: Server, destination: Server
) -> tuple[dict[str, float], float]:
    """Let it run for some periods; its figures, and the moment from which it was warm."""
    with context.scratch() as folder:
        found = product.document(folder, inputs, product.syslog(destination))
        with running(context, folder, found) as collector:
            connected = collector.when(lambda: len(vendor.told("/sessions")) >= 3 * _TENANTS)
            time.sleep((_WARM_UP + _PERIODS) * _PERIOD)
            figures = {
                "peak MiB": collector.peak() / _MIB,
                "s to all live": connected - collector.began,
                "s to stop": collector.stop(),
            }
    return figures, connected + _WARM_UP * _PERIOD


def _outcome(figures: dict[str, float], late: Sequence[float]) -> Outcome:
    sources = f"{_TENANTS * _SERVICES:,} sources"
    p99 = statistics.quantiles(late, n=100)[98]
    lag = {"lag p50 ms": statistics.median(late) * 1000, "lag p99 ms": p99 * 1000}
    return Outcome(
        [Measurement(sources, figures | lag)],
        [
            at_most(11, f"{sources} under 1 GiB", figures["peak MiB"], 1024, "MiB"),
            at_most(11, "scheduler lag p99 under 1 s", p99, 1.0, "s"),
        ],
        [
            f"{_TENANTS} tenants: three live PoD streams, two CASB services every {_PERIOD:g} s.",
            "Lag: how much later a call comes than its service's earliest one.",
        ],
    )


def lags(calls: Iterable[Sequence[float]], since: float) -> list[float]:
    """How late the calls of each service are, in seconds, by its own earliest one.

    A pull's later calls, if it has any, are no pulls of their own.
    """
    found: list[float] = []
    for times in calls:
        starts = [at for at in pulls(times) if at >= since]
        phases = [at - round((at - starts[0]) / _PERIOD) * _PERIOD for at in starts]
        found += [phase - min(phases) for phase in phases]
    return found


def pulls(times: Sequence[float]) -> list[float]:
    """The calls that begin a pull: those that come half a period after the one before."""
    gaps = zip([float("-inf"), *times], times, strict=False)
    return [at for before, at in gaps if at - before > _PERIOD / 2]
