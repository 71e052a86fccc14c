"""What a worker measures of itself, and how it tells."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Spent:
    """Wall and processor seconds of a block, once it has ended."""

    def __init__(self) -> None:
        self.seconds = -time.perf_counter()
        self.cpu = -time.process_time()

    def stop(self) -> None:
        """The block ends here."""
        self.seconds += time.perf_counter()
        self.cpu += time.process_time()


@contextmanager
def spent() -> Iterator[Spent]:
    """Measure a block."""
    found = Spent()
    yield found
    found.stop()


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def tell(**figures: float) -> None:
    """Print the figures as the worker's answer."""
    print(json.dumps(figures), flush=True)
