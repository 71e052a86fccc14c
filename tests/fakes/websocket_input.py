"""A generic WebSocket input in a running collector, and what it left."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collector.app.collector import Collector
from collector.clock import SystemClock
from collector.config.load import parse
from collector.config.models import Settings
from collector.core.ledger import Account
from collector.core.model import Window
from collector.core.times import HOUR, floor_hour
from collector.persistence.hours import Ledger
from collector.persistence.report import StateReport
from tests.fakes.config import NOW


class Place:
    """An installation under ``folder`` with any number of WebSocket inputs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.document: dict[str, Any] = {
            "globals": {
                "id": "4711",
                "name": "acme",
                "batch": {"max_seconds": 0.1},
                "persistence": {"config": {"directory_name": str(folder / "state")}},
            },
            "outputs": {"archive": {"type": "file", "config": {"path": str(folder / "out")}}},
            "inputs": {},
        }

    def add(self, name: str, uri: str, stream: dict[str, Any], **settings: Any) -> None:
        """One more input; its records have its name as their tag."""
        self.document["inputs"][name] = {
            "type": "websocket",
            "uri": uri,
            "proxy": "none",
            "services": {"stream": {"tag": name, **stream}},
            **settings,
        }

    @contextmanager
    def running(self, speed: float = 1.0) -> Iterator[Collector]:
        """The collector while it runs, on a clock of this speed; stopped at the end."""
        clock = SystemClock(speed=speed)
        collector = Collector(self._settings(), clock, reread=self._settings)
        others = set(threading.enumerate())
        threading.Thread(target=collector.run).start()
        try:
            yield collector
        finally:
            collector.stop()
            # A session may outlast the collector's stop, which then leaves the store open to it.
            for thread in set(threading.enumerate()) - others:
                thread.join()
            collector.store.close()

    def run_once(self) -> int:
        """A run that ends; its exit code."""
        return Collector(self._settings(), SystemClock(), once=True).run_once()

    def _settings(self) -> Settings:
        return parse(self.document, self.folder, {}, NOW)

    def rows(self, source: str) -> list[Account]:
        """The rows of a source that the ledger has."""
        now = SystemClock().now()
        span = Window(floor_hour(now) - 2 * HOUR, floor_hour(now) + HOUR)
        found = Ledger.read(self.folder / "state", span, [source])
        return [hour.account for hour in found.hours]

    def records(self, name: str) -> list[dict[str, Any]]:
        """What has been delivered of an input; lines that are half written are left out."""
        path = self.folder / "out" / f"{name}.ndjson"
        body = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in body.splitlines(keepends=True) if line[-1] == "\n"]

    def contents(self, name: str) -> list[dict[str, Any]]:
        """The same without the collector's own key."""
        records = self.records(name)
        return [{key: each[key] for key in each if key != "@collector"} for each in records]

    def report(self) -> StateReport:
        """The state as it is stored."""
        return StateReport.read(self.folder / "state")
