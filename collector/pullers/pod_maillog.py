"""PoD ``maillog``: one record per sendmail log line, known by its ``id``.

22 characters of standard base64, with ``/`` and ``+`` among them
(docs/vendor-notes.md, PoD 6).
"""

from __future__ import annotations

from collector.pullers.base import Source
from collector.pullers.pod import PodSettings, pod_source, shape

SHAPE = shape(lambda key: key.id)


def pod_maillog(settings: PodSettings) -> Source:
    """The maillog service as a source."""
    return pod_source("maillog", settings, SHAPE)
