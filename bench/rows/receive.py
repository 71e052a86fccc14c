"""The receive stage: the product's WebSocket against picows, from one server (goal 4)."""

from __future__ import annotations

from bench import product
from bench.context import Context
from bench.field import Field, finished_hour
from bench.generator import cluster_id
from bench.outcome import Measurement, Outcome, at_most, middle
from bench.rows.stages import per_record
from bench.servers import generator

_GOAL = "receive stage at most 1.7x the CPU of picows bytes over TLS"


def measure(context: Context) -> Outcome:
    """Take the same archive hour by both, in turn."""
    records = context.records(1_000_000, 100_000)
    hour = finished_hour()
    ours, theirs = [], []
    with generator(context.certificate) as vendor:
        files = context.certificate.ca.parent
        url = Field(context, vendor, vendor, hour).url(records)
        span = (cluster_id(hour, records), product.spelled(hour), product.spelled(hour + 1))
        for _ in context.each_round():
            ours.append(context.worker("receive_product", files, vendor.port, *span))
            theirs.append(context.worker("receive_picows", files, url, tools=True))
    found = {
        "product": middle(per_record(each, "messages", records) for each in ours),
        "picows, bytes": middle(per_record(each, "messages", records) for each in theirs),
    }
    ratio = found["product"]["CPU us/record"] / found["picows, bytes"]["CPU us/record"]
    return Outcome(
        [Measurement(name, figures) for name, figures in found.items()],
        [at_most(4, _GOAL, ratio, 1.7, "x")],
    )
