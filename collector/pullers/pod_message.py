"""PoD ``message``: one record per filtered mail, known by its ``guid``.

A guid can be absent; the record is then known by ``id``
(docs/vendor-notes.md, PoD 6).
"""

from __future__ import annotations

from collector.pullers.base import Source
from collector.pullers.pod import PodSettings, pod_source, shape

SHAPE = shape(lambda key: key.guid or key.id)


def pod_message(settings: PodSettings) -> Source:
    """The message service as a source."""
    return pod_source("message", settings, SHAPE)
