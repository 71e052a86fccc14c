"""A collector that runs until it is stopped, as seen from outside."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import product
from bench.context import Context
from bench.measured import Failed

_LOOK_SECONDS = 0.002
_PATIENCE = 300.0
_WAITING = re.compile(r"has stopped; (\d+) records wait")


class Running(NamedTuple):
    """A collector's process; ``began`` is when it was started, monotonic seconds."""

    process: subprocess.Popen[bytes]
    folder: Path
    began: float

    @property
    def log(self) -> str:
        """All that it has logged."""
        return (self.folder / "collector.log").read_text(encoding="utf-8")

    def memory(self) -> int:
        """Bytes of it and of its children in memory now."""
        return sum(_status(pid, "VmRSS") for pid in _family(self.process.pid))

    def peak(self) -> int:
        """The most bytes that it has had in memory, with its children."""
        return sum(_status(pid, "VmHWM") for pid in _family(self.process.pid))

    def when(self, condition: Callable[[], object], patience: float = _PATIENCE) -> float:
        """The moment at which a condition holds; raises ``Failed`` when it never does."""
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise Failed(f"the collector did not come so far:\n{self.log[-2000:]}")
            time.sleep(_LOOK_SECONDS)
        return time.monotonic()

    def stop(self) -> float:
        """Seconds from SIGTERM to the exit; raises ``Failed`` when that is no orderly one."""
        asked = time.monotonic()
        self.process.terminate()
        code = self.process.wait(_PATIENCE)
        if code:
            raise Failed(f"the collector ended with {code}:\n{self.log[-2000:]}")
        return time.monotonic() - asked

    def waiting(self) -> int:
        """How many records it said at its end to wait for delivery."""
        found = _WAITING.findall(self.log)
        if not found:
            raise Failed(f"the collector did not say what waits:\n{self.log[-2000:]}")
        return int(found[-1])


@contextmanager
def running(context: Context, folder: Path, found: product.Document) -> Iterator[Running]:
    """``collector run`` with this configuration; killed if it still runs at the end."""
    command = product.command(context, folder, found)
    began = time.monotonic()
    with (
        (folder / "collector.log").open("ab") as log,
        subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process,
    ):
        try:
            yield Running(process, folder, began)
        finally:
            process.kill()


def _family(pid: int) -> list[int]:
    """A process and the children of all its threads, and theirs."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            found += _family(int(child))
    return found


def _status(pid: int, name: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"^{name}:\s*(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
