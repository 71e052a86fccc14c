"""Processes that are measured: what they cost in processor time and memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Failed(Exception):
    """A contestant that did not do its job; there is nothing to measure then."""


class Cost(NamedTuple):
    """What a process used with its children: seconds, processor seconds, peak bytes."""

    seconds: float
    cpu: float
    peak: int
    output: str


def cost(command: Sequence[str], folder: Path) -> Cost:
    """Run a process in a folder to its end; raises ``Failed`` when it does not exit with 0.

    Its standard error is kept in the folder, and its end told by the failure.
    """
    errors = folder / "stderr.log"
    began = time.monotonic()
    with (
        (folder / "stdout.log").open("w+", encoding="utf-8") as output,
        errors.open("w", encoding="utf-8") as stderr,
        subprocess.Popen(command, cwd=folder, stdout=output, stderr=stderr) as process,
    ):
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        if process.returncode:
            said = errors.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise Failed(f"{' '.join(command[:4])} ended with {process.returncode}:\n{said}")
        output.seek(0)
        told = output.read()
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, told)
