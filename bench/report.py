"""The outcomes as tables for people, and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.outcome import Outcome, Verdict

_MET = {True: "met", False: "not met", None: "not measured"}
_STYLE = {True: "green", False: "red", None: "dim"}


def judged(outcomes: Mapping[str, Outcome]) -> list[Verdict]:
    """All verdicts, by goal."""
    verdicts = (each for one in outcomes.values() for each in one.verdicts)
    return sorted(verdicts, key=lambda each: each.goal)


def word(verdict: Verdict) -> str:
    """``met``, ``not met`` or ``not measured``."""
    return _MET[verdict.met]


def show(name: str, outcome: Outcome, console: Console) -> None:
    """Print the figures of one row."""
    head, *lines = grid(outcome)
    table = Table(title=name, title_justify="left")
    for title in head:
        table.add_column(title, justify="right" if title else "left")
    for cells in lines:
        table.add_row(*cells)
    if lines:
        console.print(table)
    for note in outcome.notes:
        console.print(f"  {note}", highlight=False)


def show_goals(outcomes: Mapping[str, Outcome], console: Console) -> None:
    """Print how the goals stand."""
    table = Table(title="goals", title_justify="left")
    for name in ("#", "goal", "figure", ""):
        table.add_column(name, justify="right" if name == "figure" else "left")
    for each in judged(outcomes):
        table.add_row(str(each.goal), each.text, each.figure, word(each), style=_STYLE[each.met])
    console.print(table)


def grid(outcome: Outcome) -> list[list[str]]:
    """The measurements as lines of cells, the first one the head."""
    names = list(dict.fromkeys(name for each in outcome.measurements for name in each.figures))
    lines = [
        [each.name, *(figure(each.figures.get(name)) for name in names)]
        for each in outcome.measurements
    ]
    return [["", *names], *lines]


def figure(value: float | None) -> str:
    """A number with three significant digits, or all of those before the point."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def as_json(outcomes: Mapping[str, Outcome], machine: Mapping[str, str], *, quick: bool) -> Any:
    """All of it as plain values."""
    return {
        "machine": dict(machine),
        "quick": quick,
        "rows": {
            name: {
                "measurements": {each.name: each.figures for each in one.measurements},
                "notes": list(one.notes),
            }
            for name, one in outcomes.items()
        },
        "goals": [each._asdict() for each in judged(outcomes)],
    }


def write_json(path: Path, found: object) -> None:
    """Write the values to a file."""
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
