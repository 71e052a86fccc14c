"""The rows: one module for what is measured together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from bench.context import Context
from bench.outcome import Outcome
from bench.rows import (
    bigspool,
    dedup,
    end_to_end,
    flat,
    many,
    memory,
    pages,
    receive,
    senders,
    spool,
    startstop,
)

Row = Callable[[Context], Outcome]
"""Measures; raises ``Failed`` when something did not do its job."""

ROWS: Mapping[str, Row] = {
    "end-to-end": end_to_end.measure,
    "receive": receive.measure,
    "pages": pages.measure,
    "dedup": dedup.measure,
    "spool": spool.measure,
    "senders": senders.measure,
    "start-and-stop": startstop.measure,
    "memory": memory.measure,
    "many-sources": many.measure,
    "flat": flat.measure,
    "big-spool": bigspool.measure,
}


def chosen(names: Collection[str]) -> dict[str, Row]:
    """The rows with these names, or all."""
    return {name: row for name, row in ROWS.items() if not names or name in names}
