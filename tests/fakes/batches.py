"""Batches of numbered records."""

from __future__ import annotations

from collector.core.model import SpooledBatch

FIRST = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


def numbered(number: int, size: int) -> list[bytes]:
    """That many different records; some hold what is hard on framing."""
    return [
        f'{{"id":"{number}-{i}","text":"{"é" * (i % 7)} <14> 12 #012 \\n"}}'.encode()
        for i in range(size)
    ]


def batch_of(
    lines: list[bytes], number: int = 1, tag: str = "casb.proofpoint.alert", first: int = FIRST
) -> SpooledBatch:
    """A batch of these records."""
    return SpooledBatch(
        id=number,
        uid=f"uid-{number}",
        source="casb.alerts",
        tag=tag,
        lane="standard",
        mode="live",
        count=len(lines),
        body=b"".join(line + b"\n" for line in lines),
        first=first,
        last=first,
    )
