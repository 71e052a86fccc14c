"""VirtualMetric Director's devices of type ``proofpoint``, in its YAML.

    devices:
      - {id: 1, name: ..., type: proofpoint, properties: {cluster: ..., token: ..., ...}}

A list of devices, or one by itself.
"""

from __future__ import annotations

from typing import Any

from collector.config.problems import Place
from collector.importers import pod
from collector.importers.draft import UNREADABLE, Draft, is_called, named
from collector.importers.endpoints import endpoint
from collector.importers.original import Original, Setting
from collector.importers.rules import Form, blocks, dismiss, follow, rule
from collector.importers.values import masked, text, toggle, whole, words

ELSEWHERE = "belongs to the Director; write it anew: docs/outputs.md, docs/pipelines.md"
FORM = Form(
    names=frozenset({"devices", "device"}),
    around=dict.fromkeys(("targets", "routes", "pipelines"), ELSEWHERE),
)
RULES = (
    rule("status", "enabled", toggle),
    rule("description", "description"),
    rule("tags", "tags", words),
)
REASONS = (("id", "an input is known by its name here"),)
ENCRYPTED = (
    "encrypted with the Director's key, which is not read here: the reference stands for the "
    "token itself"
)
PLACEHOLDER = [{"type": "bypass", "condition": "true", "enabled": False}]
NO_STEPS = (
    "does nothing yet, and drops and hides nothing: write its steps anew, see docs/pipelines.md"
)
USUAL = ("message",)
"""What the Director collects where a device does not say."""

HIDDEN = "********"
"""What stands for a ciphertext that nobody here can read."""

WORKERS = ("globals", "workers")


def take(data: Any, draft: Draft) -> None:
    """Every device of type ``proofpoint`` becomes an input."""
    for original in blocks(data, FORM, draft):
        kind = original.take("type")
        if is_called(kind, "proofpoint"):
            _device(original, kind, draft)
        elif kind is not None:
            draft.leave(kind.place, "only devices of the type proofpoint are read")
        else:
            draft.rest(original)


def _device(original: Original, kind: Setting | None, draft: Draft) -> None:
    base = pod.begin(draft, original, kind)
    follow(RULES, original, draft, base)
    if (url := original.take("properties.endpoint", "endpoint")) is not None:
        endpoint(draft, base, url)
    _credentials(original, draft, base)
    pod.services(draft, base, original.take("properties.type"), USUAL)
    _pipelines(original, draft, base)
    _workers(original, draft)
    pod.told_defaults(draft)
    dismiss(REASONS, original, draft)
    draft.rest(original)


def _credentials(original: Original, draft: Draft, base: Place) -> None:
    secure = original.take("properties.secure", "secure")
    token = original.take("properties.token", "token")
    encrypted = secure is not None and toggle(secure.value) is True
    if secure is not None:
        draft.leave(secure.place, ENCRYPTED if encrypted else "the token is a reference here")
    if token is not None and encrypted and not masked(text(token.value) or ""):
        token = Setting(path=token.path, place=token.place, value=HIDDEN)
    cluster = original.take("properties.cluster", "cluster")
    pod.credentials(draft, base, cluster, token, hidden=False)


def _pipelines(original: Original, draft: Draft, base: Place) -> None:
    """The names of pipelines stay, with nothing behind them yet."""
    found = original.take("pipelines")
    if found is None:
        return
    names = [named(word) for word in words(found.value) or ()]
    if not all(names):
        draft.leave(found.place, UNREADABLE)
        return
    draft.put((*base, "pipelines"), names, found.place)
    for name in names:
        if name not in draft.settings.get("pipelines", {}):
            draft.keep(("pipelines", name), {"steps": PLACEHOLDER}, NO_STEPS)


def _workers(original: Original, draft: Draft) -> None:
    """The most workers that a device has; one where it may not have several."""
    found = original.take("properties.workers", "workers")
    reuse = original.take("properties.reuse", "reuse")
    alone = reuse is not None and toggle(reuse.value) is False
    if reuse is not None:
        draft.leave(reuse.place, "is part of globals.workers")
    if found is None:
        return
    wanted = whole(found.value)
    if wanted is None:
        draft.leave(found.place, UNREADABLE)
        return
    known = draft.settings.get("globals", {}).get("workers", 1)
    draft.put(WORKERS, max(known, 1 if alone else wanted), found.place, "the most of any device")
