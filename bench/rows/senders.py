"""Each sender, and devo-sdk's ``send`` (goal 9)."""

from __future__ import annotations

import json
from collections.abc import Callable

from bench import product
from bench.context import Context
from bench.measured import Failed
from bench.outcome import Measurement, Outcome, at_most, middle
from bench.rows.stages import delivered, per_record
from bench.servers import Server, arrived, services, sink

_GOAL = "TLS syslog sender at most 1/4 of the CPU of devo-sdk send()"
_SYSLOG = "product, syslog over TLS"
_SDK = "devo-sdk send() over TLS"
_NETWORK: dict[str, Callable[[Server], product.Document]] = {
    _SYSLOG: product.syslog,
    "product, devo over TLS": product.devo,
    "product, http over TLS": product.http,
}
SERVICES: dict[str, tuple[Callable[[Server], product.Document], str]] = {
    "product, splunk_hec over TLS, gzip": (product.splunk_hec, "/"),
    "product, elasticsearch over TLS, gzip": (product.elasticsearch, "/"),
    "product, sumo_logic over TLS, gzip": (product.sumo_logic, "/"),
    "product, sentinel over TLS, gzip": (product.sentinel, "/"),
    "product, s3 over TLS, gzip": (product.s3, "/"),
    "product, kafka over TCP, zstd": (product.kafka, "/kafka"),
}
"""By name: the output, and where its service tells what came."""
_SDK_SHARE = 10


def measure(context: Context) -> Outcome:
    """The same batches by each; the sink has to have every record."""
    batches = context.records(500, 100)
    names = ("product, file", *_NETWORK, *SERVICES, _SDK)
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with sink(context.certificate) as destination, services(context.certificate) as cloud:
        for _ in context.each_round():
            samples["product, file"].append(_file(context, batches))
            for name, output in _NETWORK.items():
                samples[name].append(sent(context, destination, output, batches))
            for name, (output, path) in SERVICES.items():
                samples[name].append(sent(context, cloud, output, batches, path))
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


def sent(
    context: Context,
    destination: Server,
    output: Callable[[Server], product.Document],
    batches: int,
    path: str = "/",
) -> dict[str, float]:
    """What it takes to send so many batches; raises ``Failed`` when not all of them came."""
    before = destination.told(path)["records"]
    told = context.worker("senders", json.dumps(output(destination)), batches)
    arrived(destination, before, batches * 1000, path)
    return per_record(told, "records", batches * 1000)


def _devo_sdk(context: Context, destination: Server, records: int) -> dict[str, float]:
    before = destination.told("/")["records"]
    files = context.certificate.ca.parent
    told = context.worker("devo_sdk", files, destination.port, records, tools=True)
    arrived(destination, before, records)
    return per_record(told, "records", records)
