"""Processes of the collector that begin where its modules are loaded already.

``python -m collector`` spends half a second of a core on loading them, hundreds of times.
Here a server process of the standard library has done so once; each process of the
collector is a fork of it, and from the first line of ``main`` on nothing is different.
The start itself is what ``tests/integration/test_command_line.py`` and the kills try.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "tests.fakes.forks",
        *(f"collector.cli.{name}" for name in ("backfill", "ledger", "run", "state", "status")),
        *(f"collector.senders.{name}" for name in ("file", "http", "syslog")),
    ]
)


class Process(Protocol):
    """What tests do with a process; ``subprocess.Popen`` is one, too."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    @property
    def returncode(self) -> int | Any:
        """The exit code; less than 0: the signal that ended it; None while it runs."""
        ...

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        ...

    def wait(self, seconds: float | None = None, /) -> int:
        """Its exit code; raises ``subprocess.TimeoutExpired`` when it runs on."""
        ...

    def send_signal(self, number: int, /) -> None:
        """Send a signal, unless it has ended."""
        ...

    def terminate(self) -> None:
        """Send SIGTERM."""
        ...

    def kill(self) -> None:
        """Send SIGKILL."""
        ...


class Fork:
    """A fork of the server."""

    def __init__(self, words: Sequence[str], stdout: Path, stderr: Path) -> None:
        """Start ``collector`` with these words; what it writes is added to the files."""
        given = (list(words), str(Path.cwd()), dict(os.environ), str(stdout), str(stderr))
        self._process = _SERVER.Process(target=_collector, args=given)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code; less than 0: the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None, /) -> int:
        """Its exit code; raises ``subprocess.TimeoutExpired`` when it runs on."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("collector", seconds or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int, /) -> None:
        """Send a signal, unless it has ended."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


@contextmanager
def forked(words: Sequence[str], stdout: Path, stderr: Path | None = None) -> Iterator[Fork]:
    """``collector`` with these words; killed if it still runs at the end.

    What it writes is added to the files; ``stderr`` None: all of it to one.
    """
    process = Fork(words, stdout, stderr or stdout)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ran(words: Sequence[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """``collector`` with these words, to its end within so many seconds.

    What it writes goes through files in the folder.
    """
    files = folder / "stdout", folder / "stderr"
    for file in files:
        file.write_bytes(b"")
    with forked(words, *files) as process:
        code = process.wait(seconds)
    return subprocess.CompletedProcess(words, code, *(file.read_text("utf-8") for file in files))


def _collector(words: list[str], folder: str, environment: Mapping[str, str], *files: str) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, path in enumerate(files, 1):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = ["collector", *words]
    from collector.cli import main  # noqa: PLC0415 - the tests themselves do without

    main()
