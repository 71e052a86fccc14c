"""The store's cost with 10 GB waiting in it, against an empty one (goal 3)."""

from __future__ import annotations

import shutil

from bench.context import Context
from bench.outcome import Measurement, Outcome, at_most, middle, skipped
from bench.rows.stages import per_record

_GOAL = "cost per record at most 10 % more with 10 GB in the spool than with none"
_WAITING = 22_000
"""Batches of 2 MB, which lie in the file compressed: 10 GB of it."""
_BATCHES = 500
_ROUNDS = 3
"""Each fills ten gigabytes before it measures."""
_FREE_BYTES = 25_000_000_000


def measure(context: Context) -> Outcome:
    """Commit, take and confirm beside batches that nobody takes."""
    if context.quick:
        return _skipped("not in a quick run")
    if shutil.disk_usage(context.folder).free < _FREE_BYTES:
        return _skipped(f"needs {_FREE_BYTES / 1e9:.0f} GB of free disk")
    samples: dict[int, list[dict[str, float]]] = {0: [], _WAITING: []}
    for _ in range(_ROUNDS):
        for waiting, told in samples.items():
            worker = context.worker("spool", "cycle", _BATCHES, waiting)
            told.append(per_record(worker, "records", _BATCHES * 1000))
    found = {waiting: middle(told) for waiting, told in samples.items()}
    growth = found[_WAITING]["CPU us/record"] / found[0]["CPU us/record"]
    return Outcome(
        [
            Measurement("nothing waiting", found[0]),
            Measurement("10 GB waiting", found[_WAITING]),
        ],
        [at_most(3, _GOAL, growth, 1.10, "x")],
        [f"{_WAITING:,} batches of 2 MB, which are compressed."],
    )


def _skipped(reason: str) -> Outcome:
    return Outcome([], [skipped(3, _GOAL, reason)], [f"Skipped: {reason}."])
