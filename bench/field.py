"""Contestants over the same records: what each takes from the vendor to the destination."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from bench import product
from bench.certificate import HOST
from bench.context import Context
from bench.generator import cluster_id
from bench.measured import cost
from bench.outcome import middle
from bench.servers import Server, arrived

RATE = "records/s"
CPU = "CPU us/record"
PEAK = "peak MiB"

_FINISHED_SECONDS = 2 * 3600


class Field(NamedTuple):
    """Between what a contestant stands: the vendor's archive hour, and the destination."""

    context: Context
    vendor: Server
    destination: Server
    hour: int

    def url(self, records: int) -> str:
        """The archive hour with so many records in it."""
        query = {
            "cid": cluster_id(self.hour, records),
            "type": "message",
            "sinceTime": product.spelled(self.hour),
            "toTime": product.spelled(self.hour + 1),
        }
        return f"wss://{HOST}:{self.vendor.port}/v1/stream?{urlencode(query)}"


Command = Callable[[Field, Path, int], Sequence[str]]


class Contestant(NamedTuple):
    """Who takes part; one in ``share`` of the records is enough for slow ones."""

    name: str
    share: int
    command: Command


class Run(NamedTuple):
    """Seconds from the first byte served to the last record at the sink, and what it took."""

    records: int
    seconds: float
    cpu: float
    peak: int


def finished_hour() -> int:
    """An hour (since 1970) that the archive can give, by the collector's defaults."""
    return int(time.time() - _FINISHED_SECONDS) // 3600


def collector(output: Callable[[Server], product.Document]) -> Command:
    """The product with this output."""

    def command(field: Field, folder: Path, records: int) -> Sequence[str]:
        inputs = {"pod": product.pod_input(field.vendor, field.hour, records)}
        found = product.document(folder, inputs, output(field.destination))
        return product.command(field.context, folder, found, "--once")

    return command


def run(field: Field, contestant: Contestant, records: int) -> Run:
    """One run; raises ``Failed`` when not exactly these records arrived."""
    before = field.destination.told("/")["records"]
    with field.context.scratch() as folder:
        used = cost(contestant.command(field, folder, records), folder)
    after = arrived(field.destination, before, records)
    # When an hour ends meanwhile, the product asks for one more, which is empty.
    sessions = [each for each in field.vendor.told("/sessions") if each["records"] == records]
    return Run(records, after["last"] - sessions[-1]["began"], used.cpu, used.peak)


def figures(runs: Sequence[Run], empty: Sequence[Run]) -> dict[str, float]:
    """Medians; what a run without records takes is not the records' cost."""
    idle = statistics.median(each.cpu for each in empty)
    return middle(
        {
            RATE: each.records / each.seconds,
            CPU: (each.cpu - idle) / each.records * 1e6,
            PEAK: each.peak / 1024**2,
        }
        for each in runs
    )
