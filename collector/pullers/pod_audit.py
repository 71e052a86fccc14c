"""PoD ``audit``: one record per administrator action, known by its ``guid``.

Not in the 2020 manual; several integrations read it (docs/vendor-notes.md, PoD 1).
"""

from __future__ import annotations

from collector.pullers.base import Source
from collector.pullers.pod import PodSettings, pod_source, shape

SHAPE = shape(lambda key: key.guid)


def pod_audit(settings: PodSettings) -> Source:
    """The audit service as a source."""
    return pod_source("audit", settings, SHAPE)
