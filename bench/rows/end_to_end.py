"""End to end: the product, the bound and the peers over the same records (goals 1 and 2)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench import product
from bench.context import Context
from bench.field import CPU, RATE, Command, Contestant, Field, Run, collector, figures, run
from bench.field import finished_hour as finished
from bench.measured import Failed
from bench.outcome import Measurement, Outcome, Verdict
from bench.servers import generator, sink

PRODUCT = "product, syslog"
SEGMENT = "bound, segment file"
BLOB = "bound, SQLite blob"
COMPRESSED = "bound, SQLite blob, zstd"
TUNED = "Sentinel-style, tuned"
PUBLISHED = "Sentinel-style, as published"
XSIAM = "XSIAM-style"

_VERIFIED = 20_000


def _tool(module: str, *, before: Sequence[str] = (), after: Sequence[str] = ()) -> Command:
    def command(field: Field, _folder: Path, records: int) -> Sequence[str]:
        files = str(field.vendor.certificate.ca.parent)
        place = [files, field.url(records), str(field.destination.port)]
        return [sys.executable, "-m", module, *before, *place, *after]

    return command


PRODUCTS = (
    Contestant(PRODUCT, 1, collector(product.syslog)),
    Contestant("product, devo", 1, collector(product.devo)),
)
OTHERS = (
    Contestant(SEGMENT, 1, _tool("bench.bound", after=["segment"])),
    Contestant(BLOB, 1, _tool("bench.bound", after=["blob"])),
    Contestant(COMPRESSED, 1, _tool("bench.bound", after=["zstd"])),
    Contestant(TUNED, 10, _tool("bench.peers", before=["sentinel-tuned"])),
    Contestant(XSIAM, 10, _tool("bench.peers", before=["xsiam"])),
    Contestant("Devo-style, tuned", 10, _tool("bench.peers", before=["devo"])),
    Contestant(PUBLISHED, 50, _tool("bench.peers", before=["sentinel"])),
)


def measure(context: Context) -> Outcome:
    """Prove that the product loses and doubles nothing, then run all in turn."""
    records = context.records(1_000_000, 100_000)
    with generator(context.certificate) as vendor:
        for contestant in PRODUCTS:
            with sink(context.certificate, unique=True) as witness:
                prove(Field(context, vendor, witness, finished()), contestant)
        with sink(context.certificate) as destination:
            found = _all(Field(context, vendor, destination, finished()), records)
    return Outcome(
        [Measurement(name, each) for name, each in found.items()],
        verdicts(found),
        [f"{records:,} records of 2 KB a run; slow peers a tenth or a fiftieth of them."],
    )


def prove(field: Field, contestant: Contestant) -> None:
    """Each record arrives, and once; raises ``Failed`` otherwise."""
    run(field, contestant, _VERIFIED)
    unique = field.destination.told("/")["unique"]
    if unique != _VERIFIED:
        raise Failed(f"{contestant.name}: {unique} different records of {_VERIFIED}")


def _all(field: Field, records: int) -> dict[str, dict[str, float]]:
    everybody = (*PRODUCTS, *OTHERS)
    runs: dict[str, list[Run]] = {each.name: [] for each in everybody}
    empty: dict[str, list[Run]] = {each.name: [] for each in everybody}
    for _ in field.context.each_round():
        for each in everybody:
            runs[each.name].append(run(field, each, records // each.share))
            empty[each.name].append(run(field, each, 0))
    return {name: figures(runs[name], empty[name]) for name in runs}


def verdicts(found: dict[str, dict[str, float]]) -> list[Verdict]:
    """Goals 1 and 2."""
    return [
        _against_bound(found, SEGMENT),
        _against_bound(found, BLOB),
        _against_peer(found, TUNED, 8.0),
        _against_peer(found, XSIAM, 15.0),
        _against_peer(found, PUBLISHED, 25.0),
    ]


def _against_bound(found: dict[str, dict[str, float]], bound: str) -> Verdict:
    rate = found[PRODUCT][RATE] / found[bound][RATE]
    cpu = found[PRODUCT][CPU] / found[bound][CPU]
    text = f"rate at least 80 % of the {bound}; CPU at most 1.4x"
    return Verdict(1, text, f"{rate:.0%}; {cpu:.2f}x", rate >= 0.8 and cpu <= 1.4)


def _against_peer(found: dict[str, dict[str, float]], peer: str, limit: float) -> Verdict:
    rate = found[PRODUCT][RATE] / found[peer][RATE]
    cpu = found[peer][CPU] / found[PRODUCT][CPU]
    text = f"{limit:g}x the rate of {peer}; 1/{limit:g} of its CPU"
    return Verdict(2, text, f"{rate:.1f}x; 1/{cpu:.1f}", rate >= limit and cpu >= limit)
