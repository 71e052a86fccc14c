"""The hosted form of Devo's collectors: a JSON document to paste, without outputs.

    {"global_overrides": {"debug": false}, "inputs": {"proofpoint_casb": {...}}}

(docs/vendor-notes.md, Devo 1).  It is laid over a base configuration in our
own form, named by ``$COLLECTOR_BASE_CONFIG``, which says where records go; an
``outputs`` block in the document itself takes that one's place.  ``global_overrides``
goes setting by setting over the base's ``globals``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from collector.config.plain import block
from collector.config.problems import Place, Problem
from collector.config.source import Document
from collector.core.model import Frozen

VARIABLE = "COLLECTOR_BASE_CONFIG"
MARK = "global_overrides"

NEUTRAL = (
    "multiprocessing",
    "queue_max_size_in_mb",
    "queue_max_size_in_messages",
    "queue_wrap_max_size_in_messages",
)
"""Devo's globals about its own processes and queues: nothing here answers to them."""

NAMES = {"sender_stats_period_in_sec": "statistics_period_in_seconds"}
"""Devo's globals that have another name here."""

IDENTITY = {"id": "hosted", "name": "collector"}
"""Who the collector is where nothing says so: the hosted form has no name for it."""


NO_OUTPUTS = Problem(
    path="outputs",
    reason="is required, and the hosted form has none of its own",
    fix=f"add outputs to it, or name a configuration that has some with ${VARIABLE}",
)


class Layer(Frozen, frozen=True):
    """One document that settings come from; ``folder`` is where its relative paths start.

    ``base``: it lies under the configuration that was asked for.
    """

    document: Document
    folder: Path
    base: bool = False


def is_hosted(document: Document) -> bool:
    """Whether a document has the hosted form."""
    return MARK in document.data


def layers(job: Layer, base: Layer | None) -> list[Layer]:
    """A hosted document in our own form, over its base; the uppermost is the last."""
    identity = Document(data={"globals": IDENTITY}, lines={}, problems=())
    below = [] if base is None else [_chosen(base, job)]
    found = [Layer(document=identity, folder=job.folder, base=True), *below, _ours(job)]
    if not any("outputs" in each.document.data for each in found):
        return [*found[:-1], _refused(found[-1], NO_OUTPUTS)]
    return found


def merged(above: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of both; where both have one, blocks are merged and else ``above`` counts."""
    both = {
        name: merged(above[name], value)
        for name, value in below.items()
        if isinstance(value, dict) and isinstance(above.get(name), dict)
    }
    return {**below, **above, **both}


def original(path: str) -> str:
    """The path of a setting as the hosted document spells it."""
    first, dot, rest = path.partition(".")
    return f"{MARK}{dot}{rest}" if first == "globals" else path


def of_the_base(problem: Problem) -> Problem:
    """The problem, told as one of the base configuration."""
    return msgspec.structs.replace(problem, reason=f"(in ${VARIABLE}) {problem.reason}")


def _ours(job: Layer) -> Layer:
    """The hosted document with its settings where ours are."""
    data = {name: value for name, value in job.document.data.items() if name != MARK}
    own = {**data, "globals": _globals(job.document.data[MARK])}
    if isinstance(data.get("inputs"), dict):
        own["inputs"] = {name: _input(each) for name, each in data["inputs"].items()}
    lines = _moved(job.document.lines)
    document = msgspec.structs.replace(job.document, data=own, lines=lines)
    ours = msgspec.structs.replace(job, document=document)
    return _refused(ours, _beside(job.document)) if "globals" in data else ours


def _beside(document: Document) -> Problem:
    line = document.lines.get(("globals",), 1)
    fix = f"move its settings into {MARK}"
    return Problem(path="globals", reason=f"stands beside {MARK}", fix=fix, line=line)


def _refused(layer: Layer, problem: Problem) -> Layer:
    problems = (*layer.document.problems, problem)
    document = msgspec.structs.replace(layer.document, problems=problems)
    return msgspec.structs.replace(layer, document=document)


def _globals(overrides: Any) -> Any:
    if not isinstance(overrides, dict):
        return overrides
    ours = {
        NAMES.get(str(name), str(name)): value
        for name, value in overrides.items()
        if name not in NEUTRAL
    }
    persistence = block(ours, "persistence")
    if persistence.get("type") == "filesystem":
        ours["persistence"] = {**persistence, "type": "sqlite"}
    return ours


def _input(settings: Any) -> Any:
    """An input less Devo's ``id``: here it is known by its name."""
    if not isinstance(settings, dict):
        return settings
    return {name: value for name, value in settings.items() if name != "id"}


def _moved(lines: Mapping[Place, int]) -> dict[Place, int]:
    return {_place(place): line for place, line in lines.items() if place[:1] != ("globals",)}


def _place(place: Place) -> Place:
    if place[:1] != (MARK,):
        return place
    renamed = (NAMES.get(str(place[1]), place[1]), *place[2:]) if place[1:] else ()
    return ("globals", *renamed)


def _chosen(base: Layer, job: Layer) -> Layer:
    """The base without what the job brings along itself, and without inputs."""
    own = {"inputs", *({"outputs"} & set(job.document.data))}
    kept = {name: value for name, value in base.document.data.items() if name not in own}
    document = msgspec.structs.replace(base.document, data=kept)
    return msgspec.structs.replace(base, document=document)
