"""Each sender, and devo-sdk's ``send`` (goal 9)."""

from __future__ import annotations

import json
from collections.abc import Callable

from bench import product
from bench.context import Context
from bench.measured import Failed
from bench.outcome import Measurement, Outcome, at_most, middle
from bench.rows.stages import delivered, per_record
from bench.servers import Server, arrived, sink

_GOAL = "TLS syslog sender at most 1/4 of the CPU of devo-sdk send()"
_SYSLOG = "product, syslog over TLS"
_SDK = "devo-sdk send() over TLS"
_NETWORK: dict[str, Callable[[Server], product.Document]] = {
    _SYSLOG: product.syslog,
    "product, devo over TLS": product.devo,
    "product, http over TLS": product.http,
}
_SDK_SHARE = 10


def measure(context: Context) -> Outcome:
    """The same batches by each; the sink has to have every record."""
    batches = context.records(500, 100)
    names = ("product, file", *_NETWORK, _SDK)
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with sink(context.certificate) as destination:
        for _ in context.each_round():
            samples["product, file"].append(_file(context, batches))
            for name, output in _NETWORK.items():
                samples[name].append(_sent(context, destination, output, batches))
            samples[_SDK].append(_devo_sdk(context, destination, batches * 1000 // _SDK_SHARE))
    found = {name: middle(told) for name, told in samples.items()}
    ratio = found[_SYSLOG]["CPU us/record"] / found[_SDK]["CPU us/record"]
    return Outcome(
        [Measurement(name, figures) for name, figures in found.items()],
        [at_most(9, _GOAL, ratio, 0.25, "x")],
        ["Batches of 1000, confirmed after every twentieth."],
    )


def _file(context: Context, batches: int) -> dict[str, float]:
    with context.scratch() as folder:
        told = context.worker("senders", json.dumps(product.files(folder / "out")), batches)
        lines = delivered(folder / "out")
    if lines != batches * 1000:
        raise Failed(f"{lines} of {batches * 1000} records are in the files")
    return per_record(told, "records", batches * 1000)


def _sent(
    context: Context,
    destination: Server,
    output: Callable[[Server], product.Document],
    batches: int,
) -> dict[str, float]:
    before = destination.told("/")["records"]
    told = context.worker("senders", json.dumps(output(destination)), batches)
    arrived(destination, before, batches * 1000)
    return per_record(told, "records", batches * 1000)


def _devo_sdk(context: Context, destination: Server, records: int) -> dict[str, float]:
    before = destination.told("/")["records"]
    files = context.certificate.ca.parent
    told = context.worker("devo_sdk", files, destination.port, records, tools=True)
    arrived(destination, before, records)
    return per_record(told, "records", records)
