"""Soak the collector: an hour of load, faults, kills and outages, and what came of it.

    python -m tests.soak [--minutes 60] [--seed N] [--json FILE] [--folder build/soak]

Exit 0 only when no record was lost or doubled on either output, every hour of the ledger
is done, no process ended by itself, and the log holds no internal error.  The folder
keeps state, log and files.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from tests.soak.plan import planned
from tests.soak.report import show
from tests.soak.run import perform


def main() -> int:
    """Soak as the arguments say; the exit code."""
    arguments = argparse.ArgumentParser(prog="python -m tests.soak", description="Soak it.")
    arguments.add_argument("--minutes", type=float, default=60.0)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments.add_argument("--json", type=Path, metavar="FILE")
    arguments.add_argument("--folder", type=Path, default=Path("build/soak"))
    given = arguments.parse_args()
    print(f"seed {given.seed}; state, log and files go to {given.folder}", flush=True)
    shutil.rmtree(given.folder, ignore_errors=True)
    given.folder.mkdir(parents=True)
    plan = planned(given.seed, given.minutes)
    report = perform(plan, given.folder.absolute(), lambda line: print(line, flush=True))
    show(report, Console(width=110))
    if given.json:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    return 0 if report.good() else 1


if __name__ == "__main__":
    sys.exit(main())
