"""Whether the configured start differs from the stored one, found with DeepDiff."""

from __future__ import annotations

from typing import Any

from deepdiff import DeepDiff


def difference(stored: str, configured: str) -> dict[str, Any]:
    """What changed, in DeepDiff's form, as the reference page prints it; empty when nothing did."""
    return DeepDiff(stored, configured).to_dict()
