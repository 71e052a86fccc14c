"""The collector's process in a soak: killed, stopped, started again, and weighed."""

from __future__ import annotations

import signal
import subprocess
from types import TracebackType
from typing import Self

import msgspec

from tests.fakes.driven import SharedTime, resident_mib
from tests.fakes.processes import ROOT, Site

STOP_SECONDS = 10.0
"""Real seconds within which a process asked to stop must have ended."""
_IN_ORDER = (0, -signal.SIGTERM)
"""Exit codes after SIGTERM; the second is that of one too young to listen for signals."""


class Weight(msgspec.Struct, frozen=True):
    """The memory of one process at one moment, in real seconds and MiB."""

    at: float
    mib: float


class Child:
    """One process after the other over the same site; a context manager.

    ``weights`` are those of the present process; ``failures`` counts processes that
    ended unasked, or not in order when asked.
    """

    def __init__(self, site: Site, shared: SharedTime) -> None:
        self.weights: list[Weight] = []
        self.failures = 0
        self._site = site
        self._shared = shared
        self._process = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave no process behind."""
        self._process.kill()
        self._process.wait()

    def kill(self) -> None:
        """SIGKILL, and the next process."""
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def restart(self) -> None:
        """SIGTERM, and the next process."""
        self.stop()
        self._process = self._start()

    def stop(self) -> None:
        """SIGTERM; the exit must be in order."""
        self._process.terminate()
        try:
            self.failures += self._process.wait(STOP_SECONDS) not in _IN_ORDER
        except subprocess.TimeoutExpired:
            self.failures += 1
            self._process.kill()
            self._process.wait()

    def look(self, at: float) -> None:
        """Weigh the process; one that has ended by itself is a failure, and replaced."""
        if self._process.poll() is None:
            self.weights.append(Weight(at, resident_mib(self._process.pid)))
        else:
            self.failures += 1
            self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self.weights = []
        with (self._site.folder / "collector.log").open("ab") as log:
            command = self._shared.command(self._site)
            return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
