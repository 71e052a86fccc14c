"""What the rows of single stages share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.measured import Failed


def per_record(told: Mapping[str, float], counted: str, expected: int) -> dict[str, float]:
    """Rate and processor time of a worker; raises ``Failed`` when its count is not the expected."""
    if told[counted] != expected:
        raise Failed(f"{told[counted]} {counted}, and {expected} were expected")
    return {
        "records/s": expected / told["seconds"],
        "CPU us/record": told["cpu"] / expected * 1e6,
    }


def delivered(folder: Path) -> int:
    """How many records are in the files of a file output.

    They are read line by line: the kernel tells a process's peak memory as no less
    than that of the process that started it, which is this one.
    """
    count = 0
    for path in folder.glob("*.ndjson"):
        with path.open("rb") as stream:
            count += sum(1 for _ in stream)
    return count
