"""Public collections of hostile input, which are not part of the project (docs/testing.md).

``COLLECTOR_CORPORA`` names their folder; without it they may lie beside the project.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[3] / "shared"
"""Notes and data beside the project, where they are kept."""

FOLDER = Path(os.environ.get("COLLECTOR_CORPORA") or BESIDE / "data")
CASES = FOLDER / "jsontestsuite" / "test_parsing"
STRINGS = FOLDER / "blns.json"

needs_cases = pytest.mark.skipif(
    not CASES.is_dir(), reason="COLLECTOR_CORPORA names no folder with jsontestsuite/test_parsing"
)
needs_strings = pytest.mark.skipif(
    not STRINGS.is_file(), reason="COLLECTOR_CORPORA names no folder with blns.json"
)
