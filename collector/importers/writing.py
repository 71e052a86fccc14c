"""A draft as the text of a configuration: YAML, with a comment where each setting is from."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from collector.config import source
from collector.config.problems import Place, spell
from collector.importers.draft import Draft, on_one_line

_WIDTH = 100
_LEFT = 100
"""Settings without a place that the file names; the report has them all."""
_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")


def written(draft: Draft, product: str) -> str:
    """The whole file."""
    comments = _comments(draft)
    lines = [line for group in ORDER for line in _group(draft.settings, group, comments)]
    return "\n".join([*_head(draft, product), *lines, ""])


ORDER = ("globals", "outputs", "inputs", "pipelines")


def _head(draft: Draft, product: str) -> Iterator[str]:
    yield f"# Written by: collector import --from {product}"
    yield "# `collector check` tells what is wrong with it, docs/configuration.md every setting."
    needed = by_reference(draft)
    if needed:
        yield "#"
        yield "# To be had before `collector run` (docs/secrets.md):"
        yield from (f"#   {each}  for {', '.join(places)}" for each, places in needed.items())
    left = [entry for entry in draft.entries if entry.kind == "no place"]
    if left:
        yield "#"
        yield "# Not taken over:"
        told = [f"#   {entry.source or 'the file'}: {entry.note}" for entry in left]
        yield from told[:_LEFT]
        if len(told) > _LEFT:
            yield f"#   and {len(told) - _LEFT} more"


def by_reference(draft: Draft) -> dict[str, tuple[str, ...]]:
    """The references of a draft, each with the settings that it stands in."""
    found: dict[str, tuple[str, ...]] = {}
    for place, reference in draft.references.places.items():
        found[reference] = (*found.get(reference, ()), on_one_line(spell(place)))
    return found


def _group(settings: Mapping[str, Any], name: str, comments: Mapping[str, str]) -> Iterator[str]:
    if settings.get(name):
        yield ""
        yield from _lines(settings[name], (name,), comments)


def _comments(draft: Draft) -> dict[str, str]:
    """What to say beside each setting, by its path."""
    found: dict[str, list[str]] = {}
    for entry in draft.entries:
        if entry.to and entry.comment:
            told = [f"from {entry.source}" if entry.source else "", entry.note]
            found.setdefault(entry.to, []).append(": ".join(each for each in told if each))
    return {to: "; ".join(each) for to, each in found.items()}


def _lines(value: Any, place: Place, comments: Mapping[str, str]) -> Iterator[str]:
    """A setting, with what stands below it."""
    indent = "  " * (len(place) - 1)
    text = f"{indent}{_key(str(place[-1]))}:"
    is_block = isinstance(value, dict) and value
    steps = value if _is_steps(value) else []
    line = text if is_block or steps else f"{text} {_flow(value)}"
    yield from _said(line, indent, place, comments)
    for name, child in value.items() if is_block else ():
        yield from _lines(child, (*place, name), comments)
    yield from (f"{indent}  - {_flow(step)}" for step in steps)


def _said(text: str, indent: str, place: Place, comments: Mapping[str, str]) -> Iterator[str]:
    """A line with its comment, behind it or, where that is too long, above it."""
    comment = comments.get(on_one_line(spell(place)), "")
    if comment and len(text) + len(comment) + 4 > _WIDTH:
        above = textwrap.wrap(comment, _WIDTH - len(indent) - 2)
        yield from (f"{indent}# {line}" for line in above)
        yield text
    else:
        yield f"{text}  # {comment}" if comment else text


def _is_steps(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _quoted(name)


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(key)}: {_flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(each) for each in value)}]"
    if isinstance(value, str):
        bare = _BARE.fullmatch(value) and isinstance(source.scalar(value), str)
        return value if bare else _quoted(value)
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _quoted(text: str) -> str:
    """A text in quotes; JSON's are YAML's, as long as what cannot be seen is escaped."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
