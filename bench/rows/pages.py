"""A CASB page to flat records: the product against json and a merge of dicts (goal 8)."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Measurement, Outcome, at_most, middle
from bench.rows.stages import per_record

_GOAL = "CASB page to flat records at most 1/4 of the CPU of json + dict merge"
_ALERTS = 1000
_CHILDREN = (1, 4, 20)
_JUDGED = 4
_RECORDS = 80_000


def measure(context: Context) -> Outcome:
    """Pages whose alerts have few or many related events."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for children in _CHILDREN:
        times = max(_RECORDS // _ALERTS // children, 1)
        made = _ALERTS * children * times
        samples: dict[str, list[dict[str, float]]] = {"product": [], "peer": []}
        for _ in context.each_round():
            for name, told in samples.items():
                worker = context.worker(f"pages_{name}", _ALERTS, children, times)
                told.append(per_record(worker, "records", made))
        found |= {(name, children): middle(told) for name, told in samples.items()}
    ratio = found["product", _JUDGED]["CPU us/record"] / found["peer", _JUDGED]["CPU us/record"]
    return Outcome(
        [
            Measurement(f"{name}, {children} related events", figures)
            for (name, children), figures in found.items()
        ],
        [at_most(8, f"{_GOAL} ({_JUDGED} related events)", ratio, 0.25, "x")],
        ["The product's records also carry its metadata; the peer adds nothing."],
    )
