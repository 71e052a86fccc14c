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
_PRODUCT, _BATCHED, _PEER = "product", "product, to a batch with metadata", "peer"
_WORKERS: dict[str, tuple[str, tuple[int, ...]]] = {
    _PRODUCT: ("pages_product", (0,)),
    _BATCHED: ("pages_product", (1,)),
    _PEER: ("pages_peer", ()),
}


def measure(context: Context) -> Outcome:
    """Pages whose alerts have few or many related events."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for children in _CHILDREN:
        times = max(_RECORDS // _ALERTS // children, 1)
        made = _ALERTS * children * times
        samples: dict[str, list[dict[str, float]]] = {name: [] for name in _WORKERS}
        for _ in context.each_round():
            for name, (worker, options) in _WORKERS.items():
                told = context.worker(worker, _ALERTS, children, times, *options)
                samples[name].append(per_record(told, "records", made))
        found |= {(name, children): middle(told) for name, told in samples.items()}
    ratio = found[_PRODUCT, _JUDGED]["CPU us/record"] / found[_PEER, _JUDGED]["CPU us/record"]
    return Outcome(
        [
            Measurement(f"{name}, {children} related events", figures)
            for (name, children), figures in found.items()
        ],
        [at_most(8, f"{_GOAL} ({_JUDGED} related events)", ratio, 0.25, "x")],
        ["The goal is judged without the batch, which the peer does not make."],
    )
