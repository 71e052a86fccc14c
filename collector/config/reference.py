"""The manual of the settings, written from the settings themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator

from collector.config.schema import Node, json_schema, kinds, resolve
from collector.config.source import MAX_BYTES, MAX_DEPTH, MAX_VALUES

INTRODUCTION = """\
# Configuration

<!-- Written by collector/config/reference.py from the settings; do not edit by hand. -->

The file is `--config`, else `$CONFIG_FILE`, else `config.yaml`. `collector check`
reads it and tells every problem at once, each with its path, reason and fix; it
uses no network. `collector schema` prints a JSON Schema for editors.
[config.yaml.example](../config.yaml.example) is a complete file to start from.

## How the file is read

- YAML 1.2, strictly: a setting stands once in its block, an unknown one is
  refused, and so are anchors, aliases, tags and a second document.
- Nothing is converted. `true` and `false` are the only truth values (`no`, `yes`,
  `on` and `off` are text); `08`, `0x1F`, `1e3`, `1:30` and dates are text; a
  number in quotes is no number.
- `${NAME}` anywhere in a text is replaced by that environment variable,
  `${NAME:-default}` by the default where the variable is unset or empty; `$${`
  writes a literal `${`. A value `file:path` is replaced by that file's text, less
  one line end, 64 KiB at most; a relative path starts at the configuration's
  folder. `$secret{name}` anywhere in a text is replaced by a secret that
  `globals.secrets` says how to look up; `$$secret{` writes a literal `$secret{`.
  What a reference brings is always text and is not read for references.
- In a section with `secure: true` every secret is a ciphertext of
  `collector secret encrypt`, bound to its setting ([secrets.md](secrets.md)).
- Secrets of inputs and outputs are read again regularly and while they are
  refused: one that was replaced is used without a restart.
- A `.json` file is read as strict JSON. Devo's hosted form (`global_overrides`,
  `inputs`) is taken too, over the file that `$COLLECTOR_BASE_CONFIG` names.
- Every other relative path starts at the working directory.
- A setting of type *secret* is never printed or logged.
"""
LIMITS = f"- Limits: {MAX_BYTES // 1024**2} MiB, {MAX_VALUES:,} values, {MAX_DEPTH} levels.\n"


TYPES = {
    "string": "text",
    "password": "secret",
    "path": "path",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "names and values",
}


def reference() -> str:
    """The whole manual as Markdown."""
    schema = json_schema()["properties"]
    parts = [INTRODUCTION + LIMITS, *_section("globals", resolve(schema["globals"]))]
    for group in ("outputs", "inputs"):
        parts.append(f"## `{group}`\n\n{schema[group]['description']}\n")
        for kind, node in kinds(schema[group]["additionalProperties"]).items():
            parts += _section(f"{group}.<name>` of type `{kind}", node, level=3)
    return "\n".join([*parts, *_pipelines(schema["pipelines"])])


def _pipelines(node: Node) -> Iterator[str]:
    yield f"## `pipelines`\n\n{node['description']}\n"
    named = resolve(node["additionalProperties"])
    yield from _section("pipelines.<name>", named, level=3)
    for kind, step in kinds(named["properties"]["steps"]["items"]).items():
        yield from _section(f"pipelines.<name>.steps[]` of type `{kind}", step, level=3)


def _section(title: str, node: Node, level: int = 2) -> list[str]:
    table = ["| setting | type | default | meaning |", "| --- | --- | --- | --- |", *_rows(node)]
    return [f"{'#' * level} `{title}`\n\n{node['description']}\n", "\n".join(table) + "\n"]


def _rows(node: Node, prefix: str = "") -> Iterator[str]:
    for name, setting in node["properties"].items():
        inner = resolve(setting)
        if "properties" in inner:
            yield from _rows(inner, f"{prefix}{name}.")
        else:
            required = name in node.get("required", [])
            cells = [
                f"`{prefix}{name}`",
                _type(inner),
                "**required**" if required else _default(setting),
                setting["description"],
            ]
            yield f"| {' | '.join(cells)} |"


def _type(node: Node) -> str:
    if "enum" in node or "const" in node:
        return ", ".join(f"`{word}`" for word in node.get("enum", [node.get("const")]))
    if kinds(node):
        return "blocks with a `type`"
    if node["type"] == "array":
        return f"list of {_type(resolve(node['items']))}"
    return TYPES[str(node.get("format", node["type"]))]


def _default(setting: Node) -> str:
    default = setting.get("default")
    if default is None:
        return "none"
    if isinstance(default, float) and default.is_integer():
        default = int(default)
    return f"`{default}`" if default and isinstance(default, str) else f"`{json.dumps(default)}`"
