"""A collector for the logs of Proofpoint CASB and Proofpoint on Demand."""

__version__ = "0.1.0"
