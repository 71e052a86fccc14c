"""Reading a plain document, of any shape."""

from __future__ import annotations

from typing import Any


def block(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """A block of settings; empty when it is missing or none."""
    found = settings.get(name)
    return found if isinstance(found, dict) else {}
