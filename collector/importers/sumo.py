"""Sumo Logic's Proofpoint On Demand source, as its management API and its JSON files have it.

    {"api.version": "v1", "source": {"schemaRef": {"type": "Proofpoint On Demand"},
     "config": {"name": ..., "api_secret": ..., "supported_events": [...]}, ...}}

One source, ``sources`` of a collector, or the bare ``config``, as Terraform writes it.
"""

from __future__ import annotations

from typing import Any

from collector.config.problems import Place
from collector.importers import pod
from collector.importers.draft import Draft, is_called
from collector.importers.original import Original, Setting
from collector.importers.rules import Form, blocks, dismiss, follow, rule
from collector.importers.values import text, toggle

FORM = Form(
    names=frozenset({"source", "sources"}),
    wrappers=frozenset({"config"}),
    around={"apiversion": "the form of Sumo Logic's file"},
)
SIEM = "_siemforward"
RULES = (rule("description", "description"), rule("category", "category"))
REASONS = (
    ("source type", "how Sumo Logic runs the source"),
    ("schemaRef.version", "how Sumo Logic runs the source"),
    ("id|collector id|alive|state.state|status", "Sumo Logic's own state of the source"),
    ("apiversion", "the form of Sumo Logic's file"),
)


DEFAULTS = (
    ("batch", "batches of 1000 records, or of 5 seconds; there it is five minutes: max_seconds"),
    ("give_up_after_in_minutes", "never; there a source quits after 90 minutes of errors"),
)


def take(data: Any, draft: Draft) -> None:
    """Every Proofpoint On Demand source of the file becomes an input."""
    for name, note in DEFAULTS:
        draft.keep(("globals", name), None, note, comment=False)
    for original in blocks(data, FORM, draft):
        kind = original.take("schemaRef.type")
        if kind is not None and not is_called(kind, pod.PRODUCT):
            draft.leave(kind.place, f"only sources of the type {pod.PRODUCT} are read")
        elif kind is not None or is_config(original):
            _source(original, kind, draft)
        else:
            draft.rest(original)


def is_config(original: Original) -> bool:
    """Whether a block without a type is the configuration of a source."""
    return original.has("api_secret", "supported_events")


def _source(original: Original, kind: Setting | None, draft: Draft) -> None:
    base = pod.begin(draft, original, kind)
    follow(RULES, original, draft, base)
    _fields(original, draft, base)
    cluster, token = original.take("cluster_id"), original.take("api_secret")
    pod.credentials(draft, base, cluster, token, hidden=True)
    pod.services(draft, base, original.take("supported_events"))
    pod.told_defaults(draft)
    dismiss(REASONS, original, draft)
    draft.rest(original)


def _fields(original: Original, draft: Draft, base: Place) -> None:
    """Metadata; one of them is the switch for SIEM."""
    for found in original.below("fields"):
        name = str(found.place[-1])
        value = toggle(found.value) if name.lower() == SIEM else _field(found.value)
        if value is None or len(found.path) != 2:
            draft.leave(found.place, "is no name with a single value")
        elif name.lower() == SIEM:
            draft.put((*base, "forward_to_siem"), value, found.place)
        else:
            draft.put((*base, "fields", name), value, found.place)


def _field(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else text(value)
