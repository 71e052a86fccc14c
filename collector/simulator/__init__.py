"""A stand-in for Proofpoint with faults and a record of the truth.

It serves the CASB and the PoD interfaces on one loopback port, with a seeded
history, the vendor's known oddities, and faults by script; ``Truth`` knows what
a complete collector must have delivered.
"""

from collector.simulator.faults import Fault, load_faults
from collector.simulator.options import QUIET, SimulatorOptions
from collector.simulator.server import Simulator
from collector.simulator.truth import Truth, identity

__all__ = ["QUIET", "Fault", "Simulator", "SimulatorOptions", "Truth", "identity", "load_faults"]
