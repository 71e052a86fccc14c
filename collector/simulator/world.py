"""What the endpoints share: the vendor's options, time, records, truth and script."""

from __future__ import annotations

import asyncio
from typing import Final

from collector.core.model import Clock, Micros
from collector.core.times import SECOND
from collector.simulator.faults import Script
from collector.simulator.history import History
from collector.simulator.options import SimulatorOptions
from collector.simulator.records import Records
from collector.simulator.truth import Truth

POLL: Final = 0.02
"""Real seconds between two looks at the clock, which a test may move by hand."""


class World:
    """One simulated vendor's insides."""

    def __init__(self, options: SimulatorOptions, clock: Clock) -> None:
        """Make the history; a script is set when the simulator starts."""
        self.options = options
        self.clock = clock
        self.history = History(options)
        self.records = Records(options, self.history)
        self.truth = Truth(clock, self.history, self.records)
        self.script = Script((), clock.now())

    async def wait_until(self, moment: Micros) -> None:
        """Wait for the clock, however fast it runs."""
        while (remaining := moment - self.clock.now()) > 0:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(min(self.clock.real(remaining / SECOND), POLL))

    async def wait(self, seconds: float) -> None:
        """Wait so many seconds of the clock."""
        await self.wait_until(self.clock.now() + round(seconds * SECOND))
