"""What all tests share: a temporary folder in memory, and less to load and to clean up."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
from hypothesis import HealthCheck

from tests.fakes.pki import Pki

MEMORY = Path("/dev/shm")  # noqa: S108 - each run has a private folder in it
ROOM = 1 << 30
"""Bytes that must be free there; a run takes a tenth of them."""


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the environment of the tests, and of all processes that they start."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        # No test needs a real sync: what a power cut leaves is computed, not tried.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    # To load the machine's 140 authorities takes 25 ms, for each of thousands of contexts;
    # whoever is met here is vouched for by an authority of the tests.
    folder = TemporaryDirectory()
    config.add_cleanup(folder.cleanup)
    os.environ["SSL_CERT_FILE"] = str(Pki(Path(folder.name)).ca.cert)
    # The same examples in each run, and none that fails because the machine is busy.
    hypothesis.settings.register_profile(
        "calm", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("calm")


def pytest_collection_finish() -> None:
    """Leave the ten thousand collected tests out of every collection of garbage that follows.

    It would walk through them and all that they import: half a second, a hundred times.
    """
    gc.collect()
    gc.freeze()


def pytest_runtest_teardown() -> None:
    """Let signals through again that a command which ran in this process waits for.

    What later tests start would inherit the blocked ones, and could not be ended by them.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
