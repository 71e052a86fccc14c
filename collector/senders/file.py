"""Files: NDJSON per tag, rotated, with neither duplicates nor torn lines after a kill."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from collector.core import fault
from collector.core.model import Clock, Refusal, SpooledBatch
from collector.core.times import HOUR
from collector.errors import Undelivered
from collector.senders.base import Hold
from collector.senders.compression import Compression
from collector.senders.error_numbers import FILE_GONE
from collector.senders.failures import file_failure
from collector.senders.marks import FOLDER_MODE, Mark, sync_folder
from collector.senders.rotation import compress_rotated, rotate
from collector.senders.tagfile import TagFile, cut_torn_line, open_for

# The last alternative keeps a tag from looking like a rotated file of another tag.
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]|^[.-]|-(?=\d{8}T\d{6}Z)")
_MAX_SLUG = 120


class FileSender:
    """Appends batches to ``<path>/<tag>.ndjson``.

    The position is JSON: a ``Mark`` per file.  A file is rotated before the
    first batch that would make it larger than ``max_bytes``, or that comes
    ``rotate_every_in_hours`` after its first, and only while all its bytes are
    confirmed, so that nothing that is in a rotated file ever comes again.
    """

    def __init__(
        self,
        *,
        path: Path,
        clock: Clock,
        log: logging.Logger,
        max_bytes: int = 256 * 1024 * 1024,
        rotate_every_in_hours: float = 24.0,
        compression: Compression = "none",
        fsync: bool = True,
    ) -> None:
        self.hold = Hold()
        self._folder = path
        self._clock = clock
        self._log = log
        self._max_bytes = max_bytes
        self._period = round(rotate_every_in_hours * HOUR)
        self._compression = compression
        self._fsync = fsync
        self._marks: dict[str, Mark] = {}
        self._open: dict[str, TagFile] = {}
        self._new_names = False

    def rewind(self, position: str | None) -> None:
        """Remember where each file's confirmed bytes end, and cut off lines torn behind them."""
        self.close()
        self._marks = _marks(position)
        with self._failures():
            self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            for name, mark in self._marks.items():
                cut_torn_line(self._folder / name, mark)

    def send(self, batch: SpooledBatch) -> Sequence[Refusal]:
        """Append the batch as it is; raises ``Undelivered`` when the disk does not take it."""
        with self._failures():
            file = self._file_for(batch)
            missing = file.missing(batch.uid, batch.body)
            if missing is None:
                self._tell_of_others(file)
                file.go_behind(batch.uid)
            file.append(batch.body if missing is None else missing)
        return ()

    def flush(self) -> str:
        """Make all files durable; the position says how long each is."""
        with self._failures():
            for file in self._open.values():
                self._keep(file)
                self._marks[file.path.name] = file.sync()
            if self._fsync and self._new_names:
                sync_folder(self._folder)
            self._new_names = False
        return msgspec.json.encode(self._marks).decode()

    def close(self) -> None:
        """Close all files."""
        for file in self._open.values():
            with suppress(OSError):
                file.close()
        self._open.clear()

    def _file_for(self, batch: SpooledBatch) -> TagFile:
        """The open file of the batch's tag, after a rotation when one is due."""
        file = self._open.get(batch.tag)
        if file is not None and file.moved():
            self._leave(batch.tag, file)
            file = None
        file = file or self._open_for(batch)
        if not self._due(file, len(batch.body)):
            return file
        rotate(file.path, self._clock.now())  # while no other writer can open it
        self._leave(batch.tag, file)
        return self._open_for(batch)

    def _open_for(self, batch: SpooledBatch) -> TagFile:
        """Open the tag's file, finishing first what a killed rotation left."""
        fault.point("send.connect")
        path = self._folder / f"{slug(batch.tag)}.ndjson"
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        mark = self._marks.get(path.name)
        file = open_for(path, batch.uid, mark, self._clock.now(), fsync=self._fsync)
        self._open[batch.tag] = file
        self._new_names = True
        compress_rotated(path, self._compression, self._clock.stopping)  # as the only writer
        return file

    def _due(self, file: TagFile, coming: int) -> bool:
        """Whether to rotate before so many more bytes."""
        if file.dirty or file.ahead or not file.size:
            return False
        old = self._clock.now() - file.born >= self._period
        return old or file.size + coming > self._max_bytes

    def _leave(self, tag: str, file: TagFile) -> None:
        """Close a file for good, with its bytes safe."""
        self._keep(file)
        file.sync()
        file.close()
        del self._open[tag]

    def _keep(self, file: TagFile) -> None:
        """Refuse to count bytes whose file somebody removed."""
        if file.dirty and file.removed():
            raise Undelivered(
                FILE_GONE,
                f"{file.path} was removed while records were written to it",
                "rename files instead of removing them; the records are written again",
            )

    def _tell_of_others(self, file: TagFile) -> None:
        """Say that bytes are kept which this output did not send, or not in this state."""
        self._log.warning(
            "%s holds %d bytes behind what this output has confirmed, and they are not what comes "
            "now: they are kept, and records may stand there twice -> nothing to do after a "
            "renamed output or a restored state; else give each output and each collector its "
            "own folder",
            file.path,
            file.ahead,
        )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn what the file system raises into ``Undelivered``."""
        try:
            yield
        except OSError as error:
            raise file_failure(error, error.filename or self._folder) from error


def slug(tag: str) -> str:
    """A file name for the tag: never a path, never hidden, different for different tags."""
    safe = _UNSAFE.sub("_", tag)[:_MAX_SLUG]
    if safe and safe == tag:
        return tag
    return f"{safe}-{zlib.crc32(tag.encode()):08x}"


def _marks(position: str | None) -> dict[str, Mark]:
    """Read a position; one that cannot be read cuts nothing, so that nothing is lost."""
    if position is None:
        return {}
    try:
        return msgspec.json.decode(position, type=dict[str, Mark])
    except msgspec.DecodeError:
        return {}
