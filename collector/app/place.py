"""Where a collector keeps its state."""

from __future__ import annotations

from pathlib import Path

from collector.config.models import Settings


def folder(settings: Settings) -> Path:
    """Where this collector keeps its state."""
    return settings.globals.persistence.config.directory_name
