"""The JSON Schema of the configuration, for editors and for our own messages."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

from collector.config.models import Settings

Node: TypeAlias = dict[str, Any]


@cache
def root() -> Node:
    """The node of the whole configuration."""
    return Settings.model_json_schema()


def json_schema() -> Node:
    """JSON Schema (draft 2020-12) of ``config.yaml``, with descriptions and defaults."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the Proofpoint collector",
    }
    return {**root(), **head}


def resolve(node: Node) -> Node:
    """A node with its ``$ref`` followed and a choice between it and null settled."""
    if "anyOf" in node:
        return resolve(next(choice for choice in node["anyOf"] if choice.get("type") != "null"))
    if "$ref" in node:
        definition: Node = root()["$defs"][node["$ref"].rpartition("/")[2]]
        return definition
    return node


def kinds(node: Node) -> dict[str, Node]:
    """The kinds that a node's ``type`` setting chooses from, or none."""
    mapping = node.get("discriminator", {}).get("mapping", {})
    return {kind: resolve({"$ref": ref}) for kind, ref in mapping.items()}


def settings_at(steps: tuple[str | int, ...]) -> list[str]:
    """The names that may stand at a place; steps as pydantic reports them."""
    node = root()
    for step in steps:
        node = below(resolve(node), step)
    return list(resolve(node).get("properties", {}))


def below(node: Node, step: str | int) -> Node:
    """The node one step below a resolved one; empty where nothing is known."""
    if step in kinds(node):
        return kinds(node)[str(step)]
    if step in node.get("properties", {}):
        below: Node = node["properties"][step]
        return below
    inner = node.get("additionalProperties") or node.get("items") or {}
    return inner if isinstance(inner, dict) else {}
