"""How hard the kill tests try, and how one of their runs is repeated.

``COLLECTOR_TIER`` names the tier; ``COLLECTOR_SEED`` repeats the seed that a run printed.
"""

from __future__ import annotations

import os
import random

KILLS = {"test": 30, "ci": 150, "soak": 500}
"""SIGKILLs of the real process: in ``make test``, in ``.ci/run``, in a full ``make soak``."""


def kills() -> int:
    """How many this run is to survive."""
    return KILLS[os.environ.get("COLLECTOR_TIER", "test")]


def seeded() -> random.Random:
    """Random numbers from the given seed or a new one, which is printed."""
    seed = int(os.environ.get("COLLECTOR_SEED", random.SystemRandom().randrange(10**6)))
    print(f"to repeat this run: COLLECTOR_SEED={seed}")
    return random.Random(seed)
