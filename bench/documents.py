"""The tables in docs/performance.md, between two marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.outcome import Outcome
from bench.report import grid, judged, word

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN = "<!-- begin: written by make bench -->"
END = "<!-- end: written by make bench -->"


def write(outcomes: Mapping[str, Outcome], machine: Mapping[str, str], *, quick: bool) -> None:
    """Replace what stands between the marks by the tables of this run."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    body = "\n\n".join(tables(outcomes, machine, quick=quick))
    PAGE.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}", encoding="utf-8")


def tables(
    outcomes: Mapping[str, Outcome], machine: Mapping[str, str], *, quick: bool
) -> list[str]:
    """The blocks of the page: the run, the goals, each row."""
    run = "A quick run (`--quick`): fewer records and rounds." if quick else "A full run."
    facts = [[name, text] for name, text in machine.items()]
    goals = [[str(each.goal), each.text, each.figure, word(each)] for each in judged(outcomes)]
    blocks = [run, _table(["machine", ""], facts), "### Goals"]
    blocks.append(_table(["#", "goal", "figure", ""], goals))
    for name, one in outcomes.items():
        head, *lines = grid(one)
        blocks += [f"### {name}", *([_table(head, lines)] if lines else []), *one.notes]
    return blocks


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))
