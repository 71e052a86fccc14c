"""Writes batches to a segment file, synced, each with a checkpoint's row in SQLite.

python -m bench.workers.segment BATCHES
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.bound import SegmentSpool
from bench.meter import spent, tell
from bench.records import pod_messages

_RECORDS = 1000


def main(batches: int) -> None:
    """Measure in the working directory."""
    body = b"\n".join(pod_messages(_RECORDS)) + b"\n"
    spool = SegmentSpool(Path.cwd())
    with spent() as took:
        for _ in range(batches):
            spool.keep(body, b"2026-01-01T00:00:00.000000+0000", 0)
    tell(records=batches * _RECORDS, seconds=took.seconds, cpu=took.cpu)


if __name__ == "__main__":
    main(int(sys.argv[1]))
