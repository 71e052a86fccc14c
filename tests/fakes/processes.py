"""The collector as a process of its own, and a simulated vendor on the real clock for it.

A *site* is one installation: a configuration, its state, its log, its output files.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from collector.clock import SystemClock
from collector.core import times
from collector.core.times import HOUR, floor_hour
from collector.demo.judge import TAGS, Verdict
from collector.persistence.report import StateReport
from collector.simulator import Simulator, SimulatorOptions
from collector.simulator.options import SERVICES
from tests.fakes.forks import Process, forked

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Real seconds after which a process that should have ended is a failed test."""


class Site:
    """One installation under ``folder``; ``document`` is its configuration, free to change."""

    def __init__(self, folder: Path, document: dict[str, Any], *, afresh: bool = False) -> None:
        """Lay out the installation; nothing is started.

        ``afresh``: its runs load all that they need, as a user's do (``fakes.forks``).
        """
        self._afresh = afresh
        self.folder = folder
        self.document = document
        self.out = folder / "out"
        self.state = folder / "state"
        self._log = folder / "collector.log"
        self._log.touch()

    @property
    def log(self) -> str:
        """All that its processes wrote to standard output and error."""
        return self._log.read_text(encoding="utf-8")

    @property
    def config(self) -> Path:
        """The configuration file, as the document is now."""
        path = self.folder / "config.yaml"
        path.write_text(json.dumps(self.document), encoding="utf-8")  # JSON is YAML
        return path

    @contextmanager
    def running(self, *options: str) -> Iterator[Process]:
        """``collector run`` with these options; killed if it still runs at the end."""
        words = ["run", "--config", str(self.config), *options]
        alone = started([sys.executable, "-m", "collector", *words], self._log)
        with alone if self._afresh else forked(words, self._log) as process:
            yield process

    def command(self, name: str) -> list[str]:
        """``collector NAME`` with this configuration, as arguments."""
        return [sys.executable, "-m", "collector", name, "--config", str(self.config)]

    def run(self, *options: str) -> int:
        """``collector run`` to its end; the exit code."""
        with self.running(*options) as process:
            return process.wait(PATIENCE)

    def report(self) -> StateReport:
        """The state as ``collector state show`` reads it."""
        return StateReport.read(self.state)

    def records(self) -> dict[str, bytes]:
        """What stands in the output files of the five services, by tag; empty ones left out."""
        paths = {tag: self.out / f"{tag}.ndjson" for tag in TAGS.values()}
        found = {tag: path.read_bytes() for tag, path in paths.items() if path.exists()}
        return {tag: body for tag, body in found.items() if body}


@contextmanager
def started(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that logs to a file; killed if it still runs at the end."""
    with (
        log.open("ab") as stream,
        subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def heeding_ctrl_c(*words: str) -> list[str]:
    """A command of the collector that is interrupted by SIGINT wherever the tests run.

    A shell has what it starts in the background ignore that signal, which children inherit.
    """
    code = (
        "import signal\n"
        "from collector.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "main()\n"
    )
    return [sys.executable, "-c", code, *words]


def eventually(condition: Callable[[], object], look: float = 0.01) -> None:
    """Look every so many real seconds until the condition holds; fails when it never does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(look)


def history(
    hours: int,
    records: int,
    oddities: Mapping[str, float] = MappingProxyType({}),
    *,
    ended: int = 2,
    **changed: Any,
) -> SimulatorOptions:
    """A vendor whose records, so many a service, lie ``hours`` long before ``ended`` hours ago.

    Everything is due at once: old enough for the archive and for CASB to settle.
    """
    end = floor_hour(SystemClock().now()) - ended * HOUR
    base: dict[str, Any] = {
        "history_start": end - hours * HOUR,
        "history_end": end,
        "rates": dict.fromkeys(SERVICES, records / hours),
        "alert_burst": min(60, records),
        "calls_per_day": None,
        "dead_session_seconds": 0.0,
    }
    return SimulatorOptions(**(base | dict(oddities) | changed))


def document(folder: Path, simulator: Simulator, options: SimulatorOptions) -> dict[str, Any]:
    """A configuration for this vendor: all five services into files, without pauses."""
    start = {"initial_start_time_in_utc": times.isoformat(options.history_start)}
    return {
        "globals": {
            "id": "4711",
            "name": "acme",
            "persistence": {"config": {"directory_name": str(folder / "state")}},
        },
        "outputs": {"archive": {"type": "file", "config": {"path": str(folder / "out")}}},
        "inputs": {
            "casb": casb(simulator, options, start),
            "pod": {
                "type": "proofpoint_pod",
                "endpoint": simulator.ws_url,
                "credentials": {"cluster_id": options.cluster_id, "token": options.tokens[0]},
                "services": {"message": {**start}, "maillog": {**start}, "audit": {**start}},
            },
        },
    }


def casb(simulator: Simulator, options: SimulatorOptions, start: dict[str, Any]) -> dict[str, Any]:
    """A CASB input that neither spaces its calls nor waits long before it repeats one."""
    return {
        "type": "proofpoint_casb",
        "endpoints": dict.fromkeys(("auth", "alerts", "events"), simulator.url),
        "credentials": {
            "api_key": options.api_key,
            "client_id": options.client_id,
            "client_secret": options.client_secret,
        },
        "rate": {
            "calls_per_day": 0,
            "min_interval_in_seconds": 0,
            "retry_base_in_seconds": 0.05,
            "retry_cap_in_seconds": 0.2,
            "retry_attempts": 3,
        },
        "services": {"alerts": {**start}, "events": {**start}},
    }


def unfinished(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The services that lost or doubled records, or delivered none at all."""
    return [each for each in verdicts if each.lost or each.duplicates or not each.delivered]


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
