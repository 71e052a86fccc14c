"""Programs that print a secret: each has so long, and none outlives the collector.

A program has a session of its own, so that it is ended with all that it has started,
and so that a Ctrl-C at the terminal, which it would not get, is ours to pass on.
"""

from __future__ import annotations

import errno
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NamedTuple

_running: set[subprocess.Popen[bytes]] = set()
_over = threading.Event()
"""No program is started any more."""


class Printed(NamedTuple):
    """What a program printed, None when it was late, and the code that it ended with."""

    raw: bytes | None
    code: int | None


def printed(
    words: Sequence[str], timeout: float, environ: Mapping[str, str], limit: int
) -> Printed:
    """Run a program without a shell for so many real seconds; one byte over the limit at most.

    Raises ``OSError`` or ``ValueError`` when it cannot be started.
    """
    with _ended_by_sigterm(), _started(words, environ) as process:
        return Printed(_read(process, timeout, limit), process.returncode)


def end_all() -> None:
    """End every program that still runs, for good: the collector is about to end itself."""
    _over.set()
    for process in list(_running):
        _end(process)


@contextmanager
def _started(words: Sequence[str], environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The program while it runs, or what it started does."""
    process = subprocess.Popen(  # noqa: S603 - the operator's own command, without a shell
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environ),
        start_new_session=True,
    )
    _running.add(process)
    with process:
        try:
            if _over.is_set():
                raise InterruptedError(errno.EINTR, "the collector ends")
            yield process
        finally:
            _end(process)
            _running.discard(process)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the programs before it ends us, as it does where nobody has asked for it.

    While the collector runs, a thread of its own waits for it, and this is of no effect.
    """
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        end_all()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:  # else its number may be another's by now
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _read(process: subprocess.Popen[bytes], timeout: float, limit: int) -> bytes | None:
    """What the program prints until it ends, one byte too many at most; None when it is late."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    deadline = time.monotonic() + timeout
    raw = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while len(raw) <= limit:
            if not selector.select(max(deadline - time.monotonic(), 0)):
                return None
            piece = os.read(process.stdout.fileno(), limit + 1 - len(raw))
            if not piece:
                return raw if _ends(process, deadline) else None
            raw += piece
    return raw


def _ends(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(deadline - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        return False
    return True
