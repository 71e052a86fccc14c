"""Memory: idle, with the destination down, and a record in flight (goal 7)."""

from __future__ import annotations

import socket
import time

from bench import product
from bench.certificate import HOST
from bench.context import Context
from bench.field import finished_hour
from bench.measured import Failed
from bench.outcome import Measurement, Outcome, at_most, middle
from bench.running import running
from bench.servers import Server, generator, sink, tenants

_MIB = 1024**2
_SETTLED_SECONDS = 5.0


def measure(context: Context) -> Outcome:
    """Five idle services; a dead destination while records come in; events held."""
    records = context.records(2_000_000, 200_000)
    with generator(context.certificate) as vendor:
        idle = middle(_idle(context, vendor) for _ in context.each_round())
        down = _down(context, vendor, records)
    held = middle(context.worker("held", 40_000) for _ in context.each_round())
    factor = held["bytes"] / held["raw"]
    return Outcome(
        [
            Measurement("idle, five services", idle),
            Measurement(f"destination down, {records:,} records come in", down),
            Measurement("event in flight", {"bytes/raw byte": factor}),
        ],
        [
            at_most(7, "at most 1.25x the raw bytes per record in flight", factor, 1.25, "x"),
            at_most(7, "under 256 MiB with the destination down", down["peak MiB"], 256, "MiB"),
            at_most(7, "under 120 MiB idle with five services", idle["MiB"], 120, "MiB"),
        ],
    )


def _idle(context: Context, vendor: Server) -> dict[str, float]:
    """Both CASB services and the three of PoD, connected, with nothing to do."""
    hour = int(time.time()) // 3600
    pod = product.with_all_services(product.pod_input(vendor, hour, 0))
    with (
        context.scratch() as folder,
        tenants(context.certificate) as casb,
        sink(context.certificate) as destination,
    ):
        inputs = {"casb": product.casb_input(casb, "idle", hour, 600.0), "pod": pod}
        found = product.document(folder, inputs, product.syslog(destination))
        before = len(vendor.told("/sessions"))
        with running(context, folder, found) as collector:
            collector.when(lambda: len(vendor.told("/sessions")) >= before + 3)
            time.sleep(_SETTLED_SECONDS)
            figures = {"MiB": collector.memory() / _MIB, "peak MiB": collector.peak() / _MIB}
            collector.stop()
    return figures


def _down(context: Context, vendor: Server, records: int) -> dict[str, float]:
    """All records of an hour go into the spool; nobody listens at the destination."""
    inputs = {"pod": product.pod_input(vendor, finished_hour(), records, mode="archive")}
    with socket.create_server((HOST, 0)) as taken:
        nobody = Server(taken.getsockname()[1], context.certificate)
    before = len(vendor.told("/sessions"))
    with context.scratch() as folder:
        found = product.document(folder, inputs, product.syslog(nobody))
        with running(context, folder, found) as collector:
            collector.when(lambda: len(vendor.told("/sessions")) > before)
            time.sleep(_SETTLED_SECONDS)
            figures = {"MiB": collector.memory() / _MIB, "peak MiB": collector.peak() / _MIB}
            collector.stop()
            waiting = collector.waiting()
    if waiting != records:
        raise Failed(f"{waiting} of {records} records wait for the destination")
    return figures
