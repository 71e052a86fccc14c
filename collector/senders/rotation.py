"""Closed NDJSON files: their names, and their compression, finished even after a kill.

``tag.ndjson`` is renamed to ``tag-20260131T235959Z.ndjson``, compressed into a
temporary file, which gets its name when it is complete, and then removed.  A
file that still waits for compression tells by its name that it does.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from collector.core import fault
from collector.core.model import Micros
from collector.core.times import to_datetime
from collector.senders.compression import SUFFIXES, Compression, Format, compressing
from collector.senders.marks import FILE_MODE, sync_folder

_CHUNK_BYTES = 256 * 1024


def rotate(path: Path, now: Micros) -> None:
    """Give the file its final name, with the UTC second of its end; never replaces a file."""
    stamped = f"{path.stem}-{to_datetime(now):%Y%m%dT%H%M%SZ}"
    target = path.with_name(f"{stamped}{path.suffix}")
    count = 0
    while any(target.with_name(target.name + suffix).exists() for suffix in SUFFIXES.values()):
        count += 1
        target = path.with_name(f"{stamped}-{count}{path.suffix}")
    path.rename(target)
    fault.point("rotate")
    sync_folder(path.parent)


def compress_rotated(path: Path, compression: Compression, stopping: Callable[[], bool]) -> None:
    """Compress each rotated file of ``path`` that still waits for it, the oldest first.

    Returns early when the program stops; the next start goes on.
    """
    if compression == "none":
        return
    for rotated in _rotated(path):
        if not _compress(rotated, compression, stopping):
            return


def _rotated(path: Path) -> list[Path]:
    """Rotated files of this name that are not compressed."""
    name = re.compile(rf"{re.escape(path.stem)}-\d{{8}}T\d{{6}}Z(-\d+)?{re.escape(path.suffix)}")
    return sorted(entry for entry in path.parent.iterdir() if name.fullmatch(entry.name))


def _compress(source: Path, compression: Format, stopping: Callable[[], bool]) -> bool:
    """Replace the file by its compressed form; False when the program stops first."""
    target = source.with_name(source.name + SUFFIXES[compression])
    unfinished = target.with_name(target.name + ".tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with source.open("rb") as plain, os.fdopen(os.open(unfinished, flags, FILE_MODE), "wb") as file:
        with compressing(file, compression) as packed:
            while chunk := plain.read(_CHUNK_BYTES):
                if stopping():
                    return False
                packed.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    shutil.copystat(source, unfinished)
    unfinished.replace(target)
    source.unlink()
    sync_folder(source.parent)
    return True
