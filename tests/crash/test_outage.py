"""A destination that is down for eight hours: nothing lost, memory flat, the spool bounded.

Reliability matrix, row 25; invariants I2, I3, I7 and I8.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.crash.outage import LIMIT
from tests.fakes.processes import PATIENCE, ROOT


def test_eight_hours(tmp_path: Path) -> None:
    """Thousands of batches through a spool of 4 MiB; pulling pauses, and goes on by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.outage", str(tmp_path / "state")],
        cwd=ROOT,
        capture_output=True,
        timeout=2 * PATIENCE - 10,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["delivered"] == found["expected"]
    assert found["repeats"] == 0
    assert found["batches"] > 3000
    # Catching up may fill the spool again, which is as it should be: threads decide.
    assert found["pauses"] >= 1
    assert found["paused_hours"] > 6
    assert LIMIT * 0.9 < found["largest_spool"] <= LIMIT
    assert found["peak_mib"] < 256
