"""The index of known events: ids a second, bytes an id (goal 6)."""

from __future__ import annotations

from collections.abc import Sequence

from bench.context import Context
from bench.outcome import Measurement, Outcome, Verdict, middle

_RATE = "new ids/CPU s"
_SIZE = "bytes/id"


def measure(context: Context) -> Outcome:
    """Fill the index with a million ids, and with ten million."""
    sizes = [1_000_000] if context.quick else [1_000_000, 10_000_000]
    found = {size: _filled(context, size) for size in sizes}
    return Outcome(
        [Measurement(f"{size:,} ids", figures) for size, figures in found.items()],
        _verdicts(list(found.values())),
        ["128-bit digests, hashed from id and time; a thousand a page, all in one hour."],
    )


def _filled(context: Context, ids: int) -> dict[str, float]:
    told = [context.worker("dedup", ids) for _ in context.each_round()]
    return middle(
        {
            _RATE: ids / each["cpu"],
            "known ids/CPU s": each["met_again"] / each["met_cpu"],
            _SIZE: each["bytes"] / ids,
        }
        for each in told
    )


def _verdicts(found: Sequence[dict[str, float]]) -> list[Verdict]:
    rate = min(each[_RATE] for each in found)
    size = max(each[_SIZE] for each in found)
    return [
        Verdict(6, "dedup at least 1 M ids a CPU second", f"{rate / 1e6:.2f} M/s", rate >= 1e6),
        Verdict(6, "at most 40 bytes an id at 128 bits", f"{size:.1f} bytes", size <= 40),
    ]
