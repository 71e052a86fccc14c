r"""Where a value stands in a record: ``msg.header.from[0]``, ``envelope.rcpts[*]``.

Names are separated by dots.  ``[0]`` is an element of a list, from 0, ``[*]`` each of
them.  A backslash makes the next character an ordinary one: ``a\.b`` is one name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeAlias

MAX_PARTS = 16
MAX_TEXT = 512


class Every(Enum):
    """The part ``[*]``: each element of a list."""

    EVERY = "*"


EVERY = Every.EVERY

Path: TypeAlias = tuple[str | int | Every, ...]

GONE: Any = object()
"""What a change gives back for a value that is to be taken out."""

_NAME = re.compile(r"(?:[^\\.\[\]]|\\.)+", re.DOTALL)
_INDEX = re.compile(r"\[(?:(\*)|(\d{1,6}))\]", re.ASCII)


def parse(text: str) -> Path:
    """The path that a text spells; raises ``ValueError`` with what is wrong."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters")
    parts: list[str | int | Every] = []
    at = 0
    while True:
        name = _NAME.match(text, at)
        if name is None:
            raise ValueError(f"has no name at character {at + 1}")
        parts.append(re.sub(r"\\(.)", r"\1", name[0], flags=re.DOTALL))
        at = name.end()
        while index := _INDEX.match(text, at):
            parts.append(EVERY if index[1] else int(index[2]))
            at = index.end()
        if at == len(text):
            break
        if text[at] != ".":
            raise ValueError(f"has no dot, [0] or [*] at character {at + 1}")
        at += 1
    if len(parts) > MAX_PARTS:
        raise ValueError(f"has more than {MAX_PARTS} parts")
    return tuple(parts)


def named(path: Path) -> bool:
    """Whether the path ends in the name of a field."""
    return isinstance(path[-1], str)


def single(path: Path) -> bool:
    """Whether the path is made of names alone, so that it leads to one field at most."""
    return all(isinstance(part, str) for part in path)


def find(value: Any, path: Path) -> Any:
    """What stands at a path of names; ``GONE`` where nothing does."""
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return GONE
        value = value[name]
    return value


def update(value: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """The value with a change made wherever the path leads.

    Where it leads nowhere, and where the change gives back what it was given,
    nothing is copied: the very same value comes back.
    """
    if not path:
        return change(value)
    head, rest = path[0], path[1:]
    if isinstance(value, dict):
        return _in_object(value, head, rest, change) if head in value else value
    if isinstance(value, list) and not isinstance(head, str):
        return _in_list(value, head, rest, change)
    return value


def _in_object(fields: dict[Any, Any], name: Any, rest: Path, change: Callable[[Any], Any]) -> Any:
    before = fields[name]
    after = update(before, rest, change)
    if after is before:
        return fields
    if after is GONE:
        return {key: value for key, value in fields.items() if key != name}
    return {**fields, name: after}


def _in_list(
    values: list[Any], at: int | Every, rest: Path, change: Callable[[Any], Any]
) -> list[Any]:
    after = [
        update(value, rest, change) if at in (n, EVERY) else value for n, value in enumerate(values)
    ]
    if all(new is old for new, old in zip(after, values, strict=True)):
        return values
    return [value for value in after if value is not GONE]
