"""Prints how long the collector takes to its first delivered record, and to its exit.

    python -m tests.measure.start_and_stop [RUNS]

First record: from the start of the process to the first line in an output file.
Exit: from SIGTERM to the end of the process, while it listens to live streams.
Medians of so many runs (5), in real seconds, against the simulator on this machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from collector.clock import SystemClock
from collector.simulator import Simulator
from tests.fakes.processes import Site, document, eventually, history


def measured(folder: Path) -> tuple[float, float]:
    """Seconds to the first record, and from SIGTERM to the exit, of one run."""
    options = history(2, 400, ended=-1)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(folder, document(folder, simulator, options), afresh=True)
        began = time.monotonic()
        with site.running() as process:
            eventually(site.records, look=0.001)
            first = time.monotonic() - began
            eventually(lambda: site.log.count("Live session is open") == 3)
            asked = time.monotonic()
            process.terminate()
            process.wait()
            return first, time.monotonic() - asked


def main(runs: int) -> None:
    """Measure and print."""
    firsts, exits = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            first, left = measured(Path(folder))
        firsts.append(first)
        exits.append(left)
    for name, seconds in (("first record", firsts), ("exit", exits)):
        every = " ".join(f"{each:.2f}" for each in seconds)
        print(f"{name}: median {statistics.median(seconds):.2f} s of {runs} runs ({every})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
