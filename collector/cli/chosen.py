"""The configuration that a command is to use.

Apart from ``options``, for not every command loads what reads one.
"""

from __future__ import annotations

import os
from pathlib import Path

from collector.app.examining import accepted
from collector.clock import SystemClock
from collector.config.load import find
from collector.config.models import Settings


def settings(config: Path | None) -> Settings:
    """The settings of the chosen file; raises ``InvalidConfig``."""
    return accepted(find(config, os.environ), os.environ, SystemClock().now())
