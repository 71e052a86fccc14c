"""One NDJSON file, open for one writer, that holds a batch once though it is sent twice.

What stands behind the last confirmed place may be ours, from before a kill, or
confirmed all the same: by another output or collector, or under a state that a
backup has replaced since.  So no complete line is ever cut off.  The batches that
come again after a kill, in the same order, are compared with what is there: the same
bytes are not written again, and behind other ones all is written.

The lock on a file is the operating system's (``flock``): it ends with the process.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path

from collector.core import fault
from collector.core.model import Micros
from collector.senders.marks import (
    FILE_MODE,
    BirthNote,
    Mark,
    end_of_lines,
    holds,
    mark_at,
    noted,
    write_note,
)

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})


class TagFile:
    """An open file; ``dirty`` while it holds bytes that no flush has covered."""

    def __init__(self, path: Path, descriptor: int, start: Mark, *, fsync: bool) -> None:
        """``start``: the place behind which unconfirmed bytes may stand."""
        self.path = path
        self.born = start.born
        self.dirty = False
        self._descriptor = descriptor
        self._fsync = fsync
        # How far what was found in the file has come again; None: to its end.
        self._met = start.size if start.size < self.size else None

    @property
    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self._descriptor).st_size

    @property
    def ahead(self) -> int:
        """Bytes in the file behind all that came: found there when it was opened."""
        return 0 if self._met is None else self.size - self._met

    def missing(self, uid: str, body: bytes) -> bytes | None:
        """What of the batch is not in the file yet; None where other bytes stand in its place."""
        if self._met is None:
            return body
        found = self._meet(body, self._met)
        if found is None and (mark := noted(self.path, self._descriptor, uid)) is not None:
            found = self._meet(body, mark.size)
        return found

    def go_behind(self, uid: str) -> None:
        """Have the batch begin behind all complete lines, and note that it does."""
        end = end_of_lines(self._descriptor)
        note = BirthNote(
            os.fstat(self._descriptor).st_ino, uid, mark_at(self._descriptor, end, self.born)
        )
        write_note(self.path, note, fsync=self._fsync)
        os.ftruncate(self._descriptor, end)
        self._met = None

    def append(self, body: bytes) -> None:
        """Write all of it at the end; raises ``OSError``."""
        self.dirty = True
        view = memoryview(body)
        while view:
            view = view[os.write(self._descriptor, view) :]
            fault.point("send.write.partial")

    def sync(self) -> Mark:
        """Make what came durable (against a power cut only with ``fsync``)."""
        if self._fsync and self.dirty:
            os.fsync(self._descriptor)
        self.dirty = False
        end = self.size if self._met is None else self._met
        return mark_at(self._descriptor, end, self.born)

    def removed(self) -> bool:
        """Whether the file has no name any more, so that its bytes will vanish."""
        return os.fstat(self._descriptor).st_nlink == 0

    def moved(self) -> bool:
        """Whether its path leads elsewhere or nowhere: removed, or rotated by somebody else."""
        return _moved(self.path, self._descriptor)

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self._descriptor)

    def _meet(self, body: bytes, place: int) -> bytes | None:
        """What of the body is behind the end of the file, when the rest stands at the place."""
        there = os.pread(self._descriptor, len(body), place)
        if not body.startswith(there):
            return None
        end = place + len(there)
        self._met = end if end < self.size else None
        return body[len(there) :]


def open_for(path: Path, uid: str, mark: Mark | None, now: Micros, *, fsync: bool) -> TagFile:
    """Open the file where batch ``uid`` belongs: behind the confirmed bytes, on a line start.

    Raises ``OSError``; a link or anything else but a plain file is refused, and a
    file that another writer has open (``BlockingIOError``).
    """
    descriptor = _open_alone(path)
    try:
        if mark is None or not holds(descriptor, mark):
            mark = noted(path, descriptor, uid)
        file = TagFile(path, descriptor, mark or Mark(0, 0, now), fsync=fsync)
        if mark is None:
            file.go_behind(uid)
    except BaseException:
        os.close(descriptor)
        raise
    return file


def cut_torn_line(path: Path, mark: Mark) -> None:
    """Cut off an unfinished line behind the mark, unless somebody is writing it just now."""
    try:
        descriptor = _open(path, 0)
    except FileNotFoundError:
        return
    try:
        _lock(path, descriptor)
        if holds(descriptor, mark):
            os.ftruncate(descriptor, end_of_lines(descriptor))
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)


def _open_alone(path: Path) -> int:
    """Open or make the file, for no other writer; raises ``BlockingIOError`` when there is one."""
    descriptor = _open(path, os.O_CREAT)
    try:
        _lock(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lock(path: Path, descriptor: int) -> None:
    """Own the file until its descriptor is closed, where its file system has locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BlockingIOError(error.errno, error.strerror, str(path)) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    if _moved(path, descriptor):
        raise BlockingIOError(errno.EAGAIN, "its writer has just rotated it", str(path))


def _open(path: Path, extra: int) -> int:
    """Open a plain file for reading and appending."""
    descriptor = os.open(path, _FLAGS | extra, FILE_MODE)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise PermissionError(errno.EACCES, "not a plain file", str(path))


def _moved(path: Path, descriptor: int) -> bool:
    """Whether the path leads to another file than the open one, or to none."""
    ours = os.fstat(descriptor)
    try:
        there = path.lstat()
    except FileNotFoundError:
        return True
    return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)
