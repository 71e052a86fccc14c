"""Stellar Cyber's Proofpoint on Demand connector: its form written down, or its API's JSON.

    Name: ...
    Tenant Name: ...
    Cluster ID: ...
    API Key: ...
    Content Type: [Mail Log, Message]

As YAML, as JSON, or as CSV with a connector a row; names in any case.
"""

from __future__ import annotations

from typing import Any

from collector.importers import pod
from collector.importers.draft import Draft, is_called
from collector.importers.original import Original, Setting, normal
from collector.importers.rules import Form, blocks, dismiss, follow, rule
from collector.importers.values import toggle, words

FORM = Form(
    names=frozenset({"connectors", "connector"}),
    wrappers=frozenset({"general", "configuration", "config", "conf"}),
    around={"total": "the form of Stellar Cyber's answer"},
)
RULES = (
    rule("active|enabled", "enabled", toggle),
    rule("description", "description"),
    rule("tenant name|tenant", "tenant"),
)
REASONS = (
    ("category|function|is collect|is respond", "a connector's kind there; an input collects"),
    ("device|run on|runs on", "the collector runs where you start it"),
    (
        "log filters|filter list",
        "has another language here: write a step of type filter, see docs/pipelines.md",
    ),
    ("interval", "a live stream has none; hours are fetched as they are complete"),
    ("id|cust id|status|created at|modified at|version", "Stellar Cyber's own state"),
)
CREDENTIALS = ("cluster id", "api key")
CONTENT = ("content type", "content types")
KNOWN = (*pod.SOURCE_NAMES, *CREDENTIALS, *CONTENT)
NO_CONTENT = "has no content type that can be collected here: the connector is left out"


def take(data: Any, draft: Draft) -> None:
    """Every Proofpoint on Demand connector becomes an input."""
    for original in blocks(data, FORM, draft):
        kind = original.take("type")
        if kind is not None and not is_called(kind, pod.PRODUCT, "proofpoint_pod"):
            draft.leave(kind.place, f"only connectors of the type {pod.PRODUCT} are read")
        elif kind is not None or original.has(*KNOWN):
            _connector(original, kind, draft)
        else:
            draft.rest(original)


def _connector(original: Original, kind: Setting | None, draft: Draft) -> None:
    content = original.take(*CONTENT)
    if not _collects(content, original):
        draft.leave(original.place, NO_CONTENT)
        return
    base = pod.begin(draft, original, kind)
    follow(RULES, original, draft, base)
    cluster, token = (original.take(name) for name in CREDENTIALS)
    pod.credentials(draft, base, cluster, token, hidden=False)
    pod.services(draft, base, content)
    pod.told_defaults(draft)
    dismiss(REASONS, original, draft)
    draft.rest(original)


def _collects(content: Setting | None, original: Original) -> bool:
    """Whether one of the content types is known; without any, whether there are credentials."""
    if content is None:
        return original.has(*CREDENTIALS)
    return any(normal(word) in pod.SERVICES for word in words(content.value) or ())
