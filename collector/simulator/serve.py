"""The simulator as a program of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from collector.core.model import Clock
from collector.simulator.faults import Fault
from collector.simulator.options import SimulatorOptions
from collector.simulator.server import Simulator

LOOK_AGAIN: Final = 3600.0


def serve(
    options: SimulatorOptions,
    clock: Clock,
    faults: Sequence[Fault],
    on_ready: Callable[[Simulator], None],
    port: int = 0,
) -> None:
    """Serve on loopback until the clock says that the program is stopping, or Ctrl-C.

    ``on_ready`` is called once, when the simulator is listening; port 0 takes a free one.
    """
    with Simulator(options, clock, faults, port=port) as simulator:
        on_ready(simulator)
        try:
            while not clock.sleep(LOOK_AGAIN):
                pass
        except KeyboardInterrupt:
            return
