"""Places in NDJSON files: what a position remembers of each, and the note beside a file.

A ``Mark`` names a place in a file by its size and by the bytes before it, so
that a file put in its place (rotated, restored, with a reused inode) is not
taken for it.

A *birth note* stands beside a file whose unconfirmed bytes begin where no confirmed
position tells: in a new file, or behind what others wrote.  It is written before
the first of them, and names the batch that begins there.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import msgspec

from collector.core.model import Micros

# A reader of the files is often another user in the same group (a shipper, an
# agent); the rest of the machine has no business with security logs.
FILE_MODE = 0o640
FOLDER_MODE = 0o750

_TAIL_BYTES = 4_096


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A place in a file: bytes before it, a CRC-32 of the last of them, when the file began."""

    size: int
    crc: int
    born: Micros


class BirthNote(msgspec.Struct, frozen=True, array_like=True):
    """Where a file's unconfirmed bytes start, and which batch comes first there."""

    inode: int
    uid: str
    mark: Mark


def mark_at(descriptor: int, size: int, born: Micros) -> Mark:
    """The mark of a place in an open file."""
    return Mark(size, _crc_before(descriptor, size), born)


def holds(descriptor: int, mark: Mark) -> bool:
    """Whether the mark was made in this file, and nothing just before it has changed."""
    if os.fstat(descriptor).st_size < mark.size:
        return False
    return _crc_before(descriptor, mark.size) == mark.crc


def end_of_lines(descriptor: int) -> int:
    """The end of the last complete line: what is behind it is a torn tail."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(end - _TAIL_BYTES, 0)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def noted(path: Path, descriptor: int, uid: str) -> Mark | None:
    """Where this batch was begun in the file, when its birth note tells.

    A note that cannot be read tells nothing.
    """
    try:
        note = msgspec.json.decode(_note_path(path).read_bytes(), type=BirthNote)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    ours = (note.inode, note.uid) == (os.fstat(descriptor).st_ino, uid)
    return note.mark if ours and holds(descriptor, note.mark) else None


def write_note(path: Path, note: BirthNote, *, fsync: bool) -> None:
    """Replace the file's birth note in one step."""
    fresh = _note_path(path).with_suffix(".tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(fresh, flags, FILE_MODE), "wb") as file:
        file.write(msgspec.json.encode(note))
        if fsync:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(_note_path(path))
    if fsync:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names that were made or changed in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _note_path(path: Path) -> Path:
    """Where a file's birth note is kept."""
    return path.with_name(f".{path.name}.born")


def _crc_before(descriptor: int, size: int) -> int:
    """CRC-32 of the last bytes before ``size``."""
    length = min(size, _TAIL_BYTES)
    return zlib.crc32(os.pread(descriptor, length, size - length))
