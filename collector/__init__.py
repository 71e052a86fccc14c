"""A collector for the logs of Proofpoint CASB and Proofpoint on Demand."""

import os

__version__ = "0.1.0"

# numpy would start a thread for each core at its import, for linear algebra that nobody here does.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
