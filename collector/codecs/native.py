"""The codec of Vector's own events as JSON: ``{"log": {...}}``, ``metric``, ``trace``.

The form is described at https://www.vector.dev/highlights/2022-03-31-native-event-codecs.
"""

from __future__ import annotations

import msgspec

from collector.codecs.objects import json_object, json_objects
from collector.core.decoded import Record
from collector.core.model import Rejected

_KINDS = ("log", "metric", "trace")


def native_json(frame: bytes) -> list[Record | Rejected]:
    """The content of each log; a metric or trace stays in the object that names it."""
    return [_event(each) for each in json_objects(frame)]


def _event(found: Record | Rejected) -> Record | Rejected:
    if isinstance(found, Rejected):
        return found
    kind = next(iter(found.fields), None)
    if len(found.fields) != 1 or kind not in _KINDS or not isinstance(found.fields[kind], dict):
        return Rejected(
            found.raw, "no event of Vector's: an object with log, metric or trace alone"
        )
    return _content(found) if kind == "log" else found


def _content(found: Record) -> Record | Rejected:
    inner = bytes(msgspec.json.decode(found.raw, type=dict[str, msgspec.Raw])["log"])
    log = json_object(inner)
    if isinstance(log, Rejected):
        return Rejected(found.raw, log.reason)
    return msgspec.structs.replace(
        log, flags=found.flags, original=found.original, source=found.raw
    )
