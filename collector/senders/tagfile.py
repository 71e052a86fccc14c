"""One NDJSON file, open for appending, that can be cut back to what was confirmed.

A ``Mark`` names a place in a file by its size and by the bytes before it, so
that a file put in its place (rotated, restored, with a reused inode) is not
taken for it.

A file that no confirmed position knows gets a *birth note* beside it before the
first byte: where its unconfirmed bytes start, and the uid of the first batch
among them.  When that very batch comes again, after a kill, the bytes are known
to be ours and unconfirmed; in any other case all complete lines are kept.
"""

from __future__ import annotations

import errno
import os
import stat
import zlib
from pathlib import Path

import msgspec

from collector.core import fault
from collector.core.model import Micros

# A reader of the files is often another user in the same group (a shipper, an
# agent); the rest of the machine has no business with security logs.
FILE_MODE = 0o640
FOLDER_MODE = 0o750

_TAIL_BYTES = 4_096
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


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


class TagFile:
    """An open file; ``dirty`` while it holds bytes that no flush has covered."""

    def __init__(self, path: Path, descriptor: int, born: Micros) -> None:
        self.path = path
        self.born = born
        self.dirty = False
        self._descriptor = descriptor

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self._descriptor).st_size

    def append(self, body: bytes) -> None:
        """Write all of it at the end; raises ``OSError``."""
        self.dirty = True
        view = memoryview(body)
        while view:
            view = view[os.write(self._descriptor, view) :]
            fault.point("send.write.partial")

    def sync(self, *, fsync: bool) -> Mark:
        """Make what was written durable (against a power cut only with ``fsync``)."""
        if fsync and self.dirty:
            os.fsync(self._descriptor)
        self.dirty = False
        size = self.size
        return Mark(size, _crc_before(self._descriptor, size), self.born)

    def removed(self) -> bool:
        """Whether the file has no name any more, so that its bytes will vanish."""
        return os.fstat(self._descriptor).st_nlink == 0

    def moved(self) -> bool:
        """Whether its path leads elsewhere or nowhere: removed, or rotated by somebody else."""
        ours = os.fstat(self._descriptor)
        try:
            there = self.path.lstat()
        except FileNotFoundError:
            return True
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self._descriptor)


def open_for(path: Path, uid: str, mark: Mark | None, now: Micros, *, fsync: bool) -> TagFile:
    """Open the file where batch ``uid`` belongs: behind the confirmed bytes, on a line start.

    Raises ``OSError``; a link or anything else but a plain file is refused.
    """
    descriptor = _open(path, os.O_CREAT)
    try:
        start = _start(path, descriptor, uid, mark)
        if start is None:
            start = _end_of_lines(descriptor, now)
            note = BirthNote(os.fstat(descriptor).st_ino, uid, start)
            _write_note(path, note, fsync=fsync)
        os.ftruncate(descriptor, start.size)
    except BaseException:
        os.close(descriptor)
        raise
    return TagFile(path, descriptor, start.born)


def cut_back(path: Path, mark: Mark) -> None:
    """Cut off what was written after the mark, when this is the file it was made in."""
    try:
        descriptor = _open(path, 0)
    except FileNotFoundError:
        return
    try:
        if _holds(descriptor, mark):
            os.ftruncate(descriptor, mark.size)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make names that were made or changed in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def note_path(path: Path) -> Path:
    """Where a file's birth note is kept."""
    return path.with_name(f".{path.name}.born")


def _open(path: Path, extra: int) -> int:
    """Open a plain file for reading and appending."""
    descriptor = os.open(path, _FLAGS | extra, FILE_MODE)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise PermissionError(errno.EACCES, "not a plain file", str(path))


def _start(path: Path, descriptor: int, uid: str, mark: Mark | None) -> Mark | None:
    """Where the confirmed bytes end, when the position or the birth note can tell."""
    if mark is not None and _holds(descriptor, mark):
        return mark
    note = _read_note(path)
    ours = note is not None and (note.inode, note.uid) == (os.fstat(descriptor).st_ino, uid)
    return note.mark if note is not None and ours and _holds(descriptor, note.mark) else None


def _holds(descriptor: int, mark: Mark) -> bool:
    """Whether the mark was made in this file, and nothing before it has changed."""
    if os.fstat(descriptor).st_size < mark.size:
        return False
    return _crc_before(descriptor, mark.size) == mark.crc


def _crc_before(descriptor: int, size: int) -> int:
    """CRC-32 of the last bytes before ``size``."""
    length = min(size, _TAIL_BYTES)
    return zlib.crc32(os.pread(descriptor, length, size - length))


def _end_of_lines(descriptor: int, now: Micros) -> Mark:
    """The end of the last complete line: what is behind it is a torn tail."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(end - _TAIL_BYTES, 0)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    return Mark(end, _crc_before(descriptor, end), now)


def _read_note(path: Path) -> BirthNote | None:
    """The birth note; one that cannot be read tells nothing, so that all lines are kept."""
    try:
        return msgspec.json.decode(note_path(path).read_bytes(), type=BirthNote)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _write_note(path: Path, note: BirthNote, *, fsync: bool) -> None:
    """Replace the birth note in one step."""
    fresh = note_path(path).with_suffix(".tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(fresh, flags, FILE_MODE), "wb") as file:
        file.write(msgspec.json.encode(note))
        if fsync:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(note_path(path))
    if fsync:
        sync_folder(path.parent)
