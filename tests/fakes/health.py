"""Health that is kept in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collector.core.health import Health
from collector.core.model import Micros
from collector.errors import StateError


class MemoryHealth:
    """``app.health.HealthRecords``: ``writes`` counts what was stored, ``full`` refuses it."""

    def __init__(self) -> None:
        self.rows: dict[str, Health] = {}
        self.checked: Micros = 0
        self.writes = 0
        self.full = False

    def load(self) -> dict[str, Health]:
        """What was stored."""
        return dict(self.rows)

    def save(self, rows: Mapping[str, Health], now: Micros) -> None:
        """Store, unless the disk is full."""
        if self.full:
            raise StateError(206, "the disk is full", "free some space")
        self.rows.update(rows)
        self.checked = now
        self.writes += 1

    def keep_only(self, subjects: Collection[str]) -> None:
        """Forget all other subjects."""
        self.rows = {name: each for name, each in self.rows.items() if name in subjects}
