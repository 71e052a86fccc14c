"""Opening the SQLite file: durable, private, one writer, and loud when it is damaged."""

from __future__ import annotations

import sqlite3
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock, Timeout
from sqlite_utils import Database

from collector.errors import StateError, own_user
from collector.persistence import damage, soundness
from collector.persistence.failures import damaged, errors_of
from collector.persistence.guarded import BUSY_TIMEOUT_MS, Guarded, meta, set_meta
from collector.persistence.migrations import schema

FILE_NAME = "collector.db"
LOCK_NAME = "collector.lock"
PAGE_SIZE = 16 * 1024
IN_USE = 201
"""The number of the error that another process owns the folder."""
UNUSABLE_FOLDER = 202
"""The number of the error that the folder cannot be made or written."""
OURS = b"ppco"
"""Marks the file as ours, in the field that SQLite's file header has for it (application_id)."""
OURS_AT = 68

_LAYOUT = (  # in this order: with the first byte written, the layout is fixed
    f"page_size = {PAGE_SIZE}",  # a measured middle: see docs/decisions
    "auto_vacuum = INCREMENTAL",  # a spool that was large gives its space back
    f"application_id = {int.from_bytes(OURS)}",
)
_WRITER = (  # some of these write, so a reader must not set them
    "journal_mode = WAL",
    "synchronous = FULL",  # NORMAL loses the last commit in a power cut
    "journal_size_limit = 67108864",
    # Debian's SQLite overwrites what is deleted with zeros, which costs as much as writing it.
    "secure_delete = OFF",
    "cache_size = -8192",  # a batch is larger than the default cache and would go out in pieces
    "trusted_schema = OFF",
)
_READER = ("query_only = ON", "trusted_schema = OFF")

Connect: TypeAlias = Callable[[Path], sqlite3.Connection]
"""How a connection to a file that exists is made; tests bring one that can fail."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection; the file must exist, for SQLite would make one that anybody can read."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_TIMEOUT_MS / 1000,
    )


def take_lock(folder: Path) -> FileLock:
    """Own the state folder; raises ``StateError`` when another process does."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep_private(folder)
        lock = FileLock(folder / LOCK_NAME, mode=0o600)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StateError(
            IN_USE,
            f"another collector is using the state folder {folder}",
            "stop it or wait for it to end; to run beside it, a collector needs its own "
            "globals.persistence.config.directory_name",
        ) from error
    except OSError as error:
        raise StateError(
            UNUSABLE_FOLDER,
            f"the state folder {folder} cannot be used: {error.strerror}",
            f"give the folder (chown) to {own_user()}, or make it writable for it",
        ) from error
    return lock


def is_owned(folder: Path) -> bool | None:
    """Whether a process owns the state folder; None where that cannot be found out.

    A lock file that is left behind is held by nobody.
    """
    path = folder / LOCK_NAME
    if not path.exists():
        return False
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return None
    lock.release()
    return False


def _keep_private(folder: Path) -> None:
    """Let nobody else into the folder, as far as it is ours to say.

    A folder that was mounted for us may belong to somebody else and let our group
    in: the files in it are private by themselves.  But where everybody may write,
    anybody could put another state in our place.
    """
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & 0o077:
        return
    try:
        folder.chmod(mode & ~0o077)
    except PermissionError as error:
        if mode & stat.S_IWOTH:
            raise StateError(
                215,
                f"everybody may write to the state folder {folder}, which belongs to another user",
                "give the folder to the user that runs the collector, or chmod o-w it",
            ) from error


def exists(folder: Path) -> bool:
    """Whether there is a state file in the folder."""
    return (folder / FILE_NAME).exists()


def refuse_absent(folder: Path) -> None:
    """Raise ``StateError`` where there is no state file; one that was set aside is named."""
    path = folder / FILE_NAME
    with errors_of(path):
        if path.exists():
            return
        damage.refuse_silence(path)
    raise StateError(
        203,
        f"the folder {folder} holds no state",
        "run the collector once, or give with --config the configuration it runs with",
    )


def open_for_writing(folder: Path, connect: Connect = connect, *, shared: bool = False) -> Guarded:
    """The database, migrated to today's schema, with a new epoch.

    ``shared``: processes of ours will join it.
    """
    path = folder / FILE_NAME
    with errors_of(path):
        if not path.exists():
            _make(path, connect)
        _refuse_foreign(path)
        path.chmod(0o600)
        reconnect = partial(_connected, path, connect, *_WRITER)
        database = reconnect()
        with _closed_on_failure(database):
            soundness.check_pages(database, path)
            _refuse_newer(database, path)
            with database.atomic():  # the list of steps and its index are two of their own
                schema.apply(database)
            soundness.check_rows(database, path)
            return Guarded(database, path, reconnect, _new_epoch(database), shared=shared)


def join(folder: Path, epoch: str, connect: Connect = connect) -> Guarded:
    """A database that another process of ours has opened for writing, in the same epoch.

    That process has the lock and looked at the file: it is neither checked nor changed here.
    """
    path = folder / FILE_NAME
    with errors_of(path):
        reconnect = partial(_connected, path, connect, *_WRITER)
        return Guarded(reconnect(), path, reconnect, epoch, shared=True)


def open_for_reading(folder: Path, connect: Connect = connect, *, checked: bool = False) -> Guarded:
    """A second connection that never writes; the file must exist.

    ``checked``: it was opened for writing just before, so it is sound.
    """
    path = folder / FILE_NAME
    with errors_of(path):
        refuse_absent(folder)
        reconnect = partial(_connected, path, connect, *_READER)
        database = reconnect()
        with _closed_on_failure(database):
            if database.execute("PRAGMA application_id").fetchone()[0] != int.from_bytes(OURS):
                raise _foreign(path)
            if not checked:
                _refuse_newer(database, path)
                _refuse_older(database, path)
                soundness.check_rows(database, path)
            return Guarded(database, path, reconnect)


def _make(path: Path, connect: Connect) -> None:
    """Make an empty database: private from its first byte, and there as a whole or not at all.

    So a file that is empty, or not marked as ours, is never one that we made.
    """
    new = path.with_suffix(".new")
    for left in (new, *(Path(f"{path}{suffix}") for suffix in ("-wal", "-shm"))):
        left.unlink(missing_ok=True)
    new.touch(0o600)
    _connected(new, connect, *_LAYOUT, *_WRITER).close()
    new.replace(path)


@contextmanager
def _closed_on_failure(database: Database) -> Iterator[None]:
    try:
        yield
    except BaseException:
        database.close()
        raise


def _connected(path: Path, connect: Connect, *pragmas: str) -> Database:
    database = Database(connect(path))
    with _closed_on_failure(database):
        for pragma in pragmas:
            database.execute(f"PRAGMA {pragma}").fetchall()
    return database


def _new_epoch(database: Database) -> str:
    """The number of this start; whoever holds an earlier one can no longer write."""
    with database.atomic():
        if not database.execute("SELECT 1 FROM meta").fetchall():
            set_meta(database, "store_id", uuid.uuid4().hex[:12])
            set_meta(database, "epoch", "0")
        epoch = str(int(meta(database, "epoch")) + 1)
        set_meta(database, "epoch", epoch)
        return epoch


def _refuse_foreign(path: Path) -> None:
    """Look before SQLite may change the file, and never while it has it open.

    To close a file makes POSIX forget all locks of the process on it: a reader in
    another process would then remove the write-ahead log that is in use here.
    """
    with path.open("rb") as file:
        header = file.read(OURS_AT + len(OURS))
    if header[OURS_AT:] != OURS:
        raise _foreign(path)


def _foreign(path: Path) -> StateError:
    return damaged(path, "it was made by another program, or its beginning is lost")


def _refuse_newer(database: Database, path: Path) -> None:
    known = {step.name for step in schema._migrations}  # noqa: SLF001 - no public list exists
    unknown = {step.name for step in schema.applied(database)} - known
    if unknown:
        steps = ", ".join(sorted(unknown))
        raise StateError(
            204,
            f"{path.name} was written by a newer release (it has {steps})",
            "run that release, or start with another state folder",
        )


def _refuse_older(database: Database, path: Path) -> None:
    """Who only looks cannot bring a state up to date."""
    if schema.pending(database):
        raise StateError(
            216,
            f"{path.name} was written by an earlier release",
            "run the collector once: it brings the state up to date",
        )
