"""``collector run`` on a clock that runs faster than the wall, shared with the parent process.

    python -m tests.crash.driver CONFIG BEGAN START SPEED

The parent's clock stood at START (microseconds since 1970-01-01 UTC) when the machine's
monotonic clock, which all processes share, stood at BEGAN seconds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from collector.app.collector import Collector
from collector.cli.leaving import leave
from collector.cli.process import stop_on_signals
from collector.clock import SystemClock
from collector.config.load import load
from collector.logs import configure


def main(config: str, began: str, start: str, speed: str) -> None:
    """Join the parent's time, and run until a signal comes."""
    configure(debug=False, log_format="text", stream=sys.stderr)
    settings = load(Path(config), {}, SystemClock().now())
    elapsed = (time.monotonic() - float(began)) * float(speed)
    clock = SystemClock(int(start) + round(elapsed * 1_000_000), float(speed))
    stop_on_signals(clock)
    leave(Collector(settings, clock).run())


if __name__ == "__main__":
    main(*sys.argv[1:])
