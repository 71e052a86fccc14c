"""``python -m bench``: run the rows, print the tables.

--quick            fewer records and rounds: minutes, and noisier
--only NAME        one row; may be repeated
--rounds N         how often each thing is measured
--product FOLDER   the programs of the environment that holds the collector
--json FILE        write all figures
--write-docs       put the tables into docs/performance.md
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from bench import documents, report, rows
from bench.certificate import Certificate
from bench.context import Context, Product
from bench.machine import machine
from bench.measured import Failed
from bench.outcome import Outcome

_FULL_ROUNDS = 5
_QUICK_ROUNDS = 3


def main(arguments: Sequence[str]) -> int:
    """Measure; the exit code: 1 when a row could not be measured."""
    options = _parsed(arguments)
    console = Console(width=None if sys.stdout.isatty() else 140)
    outcomes: dict[str, Outcome] = {}
    failed = 0
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        context = _context(Path(folder), options)
        for name, measure in rows.chosen(options.only).items():
            console.print(f"{name} ...", style="dim")
            try:
                outcomes[name] = measure(context)
            except Failed as failure:
                failed += 1
                console.print(str(failure), style="red", markup=False)
                outcomes[name] = Outcome([], notes=["Could not be measured."])
            report.show(name, outcomes[name], console)
    _finish(outcomes, options, console)
    return 1 if failed else 0


def _context(folder: Path, options: argparse.Namespace) -> Context:
    return Context(
        folder,
        Certificate.issued(folder),
        Product(options.product.absolute()),
        rounds=options.rounds or (_QUICK_ROUNDS if options.quick else _FULL_ROUNDS),
        quick=options.quick,
    )


def _finish(outcomes: Mapping[str, Outcome], options: argparse.Namespace, console: Console) -> None:
    report.show_goals(outcomes, console)
    found = machine()
    if options.json:
        report.write_json(options.json, report.as_json(outcomes, found, quick=options.quick))
    if options.write_docs:
        documents.write(outcomes, found, quick=options.quick)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=sorted(rows.ROWS), default=[])
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--product", type=Path, default=Path(sys.executable).parent)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write-docs", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
