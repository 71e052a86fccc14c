"""Spool and checkpoint: the product's store against a segment file (goal 5)."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Measurement, Outcome, at_most, middle
from bench.rows.stages import per_record

_GOAL = "spool + checkpoint at most 2x the CPU of segment file + checkpoint row"
_COMMIT = "product, commit"
_CYCLE = "product, commit, take and confirm"
_PAGE = "product, commit with known ids and ledger"
_SEGMENT = "segment file, fdatasync, checkpoint row"
_KINDS = {_COMMIT: "commit", _CYCLE: "cycle", _PAGE: "intake"}


def measure(context: Context) -> Outcome:
    """Batches of 1000 messages of 2 KB, each made durable with its checkpoint."""
    batches = context.records(500, 100)
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in (*_KINDS, _SEGMENT)}
    for _ in context.each_round():
        for name, kind in _KINDS.items():
            told = context.worker("spool", kind, batches, 0)
            samples[name].append(per_record(told, "records", batches * 1000))
        told = context.worker("segment", batches, tools=True)
        samples[_SEGMENT].append(per_record(told, "records", batches * 1000))
    found = {name: middle(told) for name, told in samples.items()}
    base = found[_SEGMENT]["CPU us/record"]
    return Outcome(
        [Measurement(name, figures) for name, figures in found.items()],
        [
            at_most(5, _GOAL, found[_COMMIT]["CPU us/record"] / base, 2.0, "x"),
            at_most(
                5,
                f"{_GOAL}, taken and confirmed too",
                found[_CYCLE]["CPU us/record"] / base,
                2.0,
                "x",
            ),
        ],
        ["The segment file is only written; nobody takes from it, and nothing is removed."],
    )
