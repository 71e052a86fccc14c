"""A disk that can lose its power, and a connection over it that looks like ``sqlite3``'s.

SQLite runs on a file system of ours (an ``apsw`` VFS) which passes everything on to the
real one and writes down what it did.  From these notes comes what is on the disk when the
power fails after any step: what was synced, and of all later writes none, or some of them,
in any combination of their 512-byte sectors.
"""

# ruff: noqa: N802 - SQLite names the methods of a file system

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import apsw
import msgspec

_SECTOR = 512


class Step(msgspec.Struct, frozen=True):
    """One thing that was asked of the disk, or a note of the test between two of them."""

    kind: str
    path: str = ""
    offset: int = 0
    data: bytes = b""


class Disk(apsw.VFS):
    """A file system whose every step is remembered.

    ``failing``: what the n-th write or sync, of ``asked`` so far, fails with (a code of SQLite).
    A file that is there when it is opened first counts as durable.  ``careless``: the
    store's wish to have each commit synced is answered with SQLite's usual setting.
    """

    def __init__(self, name: str, failing: Mapping[int, int], *, careless: bool = False) -> None:
        """Register the file system under a name of its own."""
        super().__init__(name, "")
        self.name = name
        self._careless = careless
        self.steps: list[Step] = []
        self.asked = 0
        self._failing = failing

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        """Open a file."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        if Path(path).exists() and not any(step.path == path for step in self.steps):
            self.note("found", path, data=Path(path).read_bytes())
        return _File(self, name, path, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001 - apsw calls it
        """Remove a file."""
        super().xDelete(filename, syncdir)
        self.note("delete", filename)

    def note(self, kind: str, path: str = "", offset: int = 0, data: bytes = b"") -> None:
        """Remember a step, or whatever the test wants to find between the steps."""
        self.steps.append(Step(kind, path, offset, data))

    def ask(self) -> None:
        """A write or a sync is due; raises when it is one that fails."""
        self.asked += 1
        if self.asked in self._failing:
            raise apsw.exception_for(self._failing[self.asked])

    def connect(self, path: Path) -> sqlite3.Connection:
        """A connection for ``SqliteStore.open``."""
        connection = Connection(path, self.name, careless=self._careless)
        return cast("sqlite3.Connection", connection)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, path: str, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._path = path

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.ask()
        super().xWrite(data, offset)
        self._disk.note("write", self._path, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._disk.note("truncate", self._path, newsize)

    def xSync(self, flags: int) -> None:
        del flags  # the real disk need not be bothered
        self._disk.ask()
        self._disk.note("sync", self._path)


class Image:
    """What a power cut leaves of each file, step by step."""

    def __init__(self) -> None:
        self._durable: dict[str, bytes] = {}
        self._pending: dict[str, list[Step]] = {}

    def add(self, step: Step) -> None:
        """Take in the next step."""
        match step.kind:
            case "found":
                self._durable[step.path] = step.data
            case "sync":
                self._durable[step.path] = _applied(
                    self._durable.get(step.path, b""), self._pending.pop(step.path, [])
                )
            case "delete":
                self._durable.pop(step.path, None)
                self._pending.pop(step.path, None)
            case "write" | "truncate":
                self._pending.setdefault(step.path, []).append(step)

    def files(self, luck: random.Random | None) -> dict[str, bytes]:
        """The files by name; without luck nothing survives that was not synced."""
        files = dict(self._durable)
        if luck is not None:
            for path, steps in self._pending.items():
                kept = [part for step in steps for part in _survivors(step, luck)]
                files[path] = _applied(files.get(path, b""), kept)
        return {Path(path).name: data for path, data in files.items()}


def _survivors(step: Step, luck: random.Random) -> list[Step]:
    """What is left of a write: nothing, all of it, or some of its sectors."""
    fate = luck.choice(("lost", "whole", "torn"))
    if fate == "torn" and step.kind == "write":
        return [sector for sector in _sectors(step) if luck.random() < 0.5]
    return [] if fate == "lost" else [step]


def _sectors(step: Step) -> Iterator[Step]:
    start = 0
    while start < len(step.data):
        end = start + _SECTOR - (step.offset + start) % _SECTOR
        yield Step("write", step.path, step.offset + start, step.data[start:end])
        start = end


def _applied(content: bytes, steps: Sequence[Step]) -> bytes:
    image = bytearray(content)
    for step in steps:
        if step.kind == "truncate":
            del image[step.offset :]
            continue
        image.extend(bytes(max(0, step.offset - len(image))))
        image[step.offset : step.offset + len(step.data)] = step.data
    return bytes(image)


class Connection:
    """As much of ``sqlite3.Connection`` as the store and ``sqlite_utils`` use."""

    def __init__(self, path: Path, vfs: str, *, careless: bool) -> None:
        self._careless = careless
        with _errors():
            self._apsw = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._apsw.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Run one statement to its end."""
        if self._careless:
            sql = sql.replace("synchronous = FULL", "synchronous = NORMAL")
        with _errors():
            columns: list[Any] = []

            def tell(running: apsw.Cursor, *_: object) -> bool:
                columns.extend(running.get_description())
                return True

            cursor = self._apsw.cursor()
            cursor.exec_trace = tell  # only while it runs does a statement name its columns
            rows = list(cursor.execute(sql, tuple(parameters)))
            return Cursor(columns or None, rows, self._apsw.last_insert_rowid())

    def executescript(self, sql: str) -> Cursor:
        """Run statements to their end."""
        return self.execute(sql)

    def close(self) -> None:
        """Close it; like ``sqlite3``, do not tell when the last checkpoint failed."""
        with suppress(apsw.Error):
            self._apsw.close()


class Cursor:
    """The rows of a statement that has run."""

    def __init__(
        self, description: list[Any] | None, rows: list[tuple[Any, ...]], lastrowid: int
    ) -> None:
        self.description = description
        self.lastrowid = lastrowid
        self._rows = rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows that are left."""
        rows, self._rows = self._rows, []
        return rows


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what ``apsw`` raises into what ``sqlite3`` would."""
    try:
        yield
    except apsw.Error as error:
        damaged = isinstance(error, (apsw.CorruptError, apsw.NotADBError))
        raised = (sqlite3.DatabaseError if damaged else sqlite3.OperationalError)(str(error))
        raised.sqlite_errorcode = error.result  # type: ignore[attr-defined] # its stubs lack it
        raise raised from error
