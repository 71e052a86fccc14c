"""A product's table of settings: where each has its place here, or why it has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from collector.config.problems import Place
from collector.core.model import Frozen
from collector.importers.draft import Draft
from collector.importers.original import Original, normal
from collector.importers.values import Reader, text


class Rule(Frozen, frozen=True):
    """One setting: its names there, its place here below the block, and what its value means."""

    names: tuple[str, ...]
    to: Place
    read: Reader = text
    note: str = ""


def rule(names: str, to: str, read: Reader = text, note: str = "") -> Rule:
    """A rule, with ``|`` between the names and dots in the place."""
    return Rule(names=tuple(names.split("|")), to=tuple(to.split(".")), read=read, note=note)


def follow(rules: Iterable[Rule], original: Original, draft: Draft, base: Place) -> None:
    """Take each setting that a rule names to its place below ``base``."""
    for each in rules:
        found = original.take(*each.names)
        if found is not None:
            draft.put((*base, *each.to), each.read(found.value), found.place, each.note)


def dismiss(reasons: Iterable[tuple[str, str]], original: Original, draft: Draft) -> None:
    """Tell why these settings have no place here; ``|`` stands between names."""
    for names, reason in reasons:
        for name in names.split("|"):
            while (found := original.take(name)) is not None:
                draft.leave(found.place, reason)


class Form(Frozen, frozen=True):
    """How a product's file is built.

    An object is the file itself, each entry of a list, or what stands under one of the
    ``names``; ``wrappers`` are headings within an object (both as ``normal`` has them).
    ``around``: why settings beside objects have no place, by name.
    """

    names: frozenset[str]
    wrappers: frozenset[str] = frozenset()
    around: Mapping[str, str] = {}


def blocks(data: Any, form: Form, draft: Draft, place: Place = ()) -> list[Original]:
    """The objects of a file; what stands around them is told."""
    if isinstance(data, list):
        each = [blocks(entry, form, draft, (*place, index)) for index, entry in enumerate(data)]
        return [found for entry in each for found in entry]
    if not isinstance(data, dict):
        draft.leave(place, "is no block of settings")
        return []
    inner = [name for name in data if normal(name) in form.names]
    if not inner:
        return [Original(data, place, form.wrappers)]
    around = {name: value for name, value in data.items() if name not in inner}
    draft.rest(Original(around, place), form.around)
    return [found for name in inner for found in blocks(data[name], form, draft, (*place, name))]
