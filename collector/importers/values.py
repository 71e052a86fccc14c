"""What the values of other products mean; None where they mean nothing that we know."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

Reader: TypeAlias = Callable[[Any], Any]

ON = frozenset({"true", "yes", "on", "1", "enable", "enabled", "active"})
OFF = frozenset({"false", "no", "off", "0", "disable", "disabled", "inactive"})

_NUMBER = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(?:s|sec|secs|seconds)?", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;|\n]")
_MASK = re.compile(r"[*•●xX.]{3,}|<[^<>]*>|\[[^\[\]]*\]|\{[^{}$]*\}")


def text(value: Any) -> str | None:
    """One line of text; a number is the text of it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def toggle(value: Any) -> bool | None:
    """A switch of a form: on or off, in whatever word."""
    if isinstance(value, bool):
        return value
    word = (text(value) or "").lower()
    return word in ON if word in ON | OFF else None


def seconds(value: Any) -> float | None:
    """A number of seconds, maybe with its unit behind it."""
    match = _NUMBER.fullmatch(text(value) or "")
    return float(match[1]) if match else None


def whole(value: Any) -> int | None:
    """A whole number."""
    found = seconds(value)
    return int(found) if found is not None and found.is_integer() else None


def words(value: Any) -> list[str] | None:
    """A list of texts, also one that is written as one text with commas."""
    if isinstance(value, list):
        found = [text(each) for each in value]
        return None if None in found else [each for each in found if each]
    parts = [part.strip() for part in _BETWEEN.split(text(value) or "")]
    return [part for part in parts if part] or None


def masked(value: str) -> bool:
    """Whether a value is what a product shows in its place: ``********``, ``<CLUSTER_ID>``."""
    return _MASK.fullmatch(value) is not None
