"""Secrets on their way into a configuration: each becomes a reference, never a copy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from collector.config.problems import Place
from collector.config.sealed import leaves
from collector.config.secrets import FILE, REFERENCE
from collector.config.vaults import NAME
from collector.importers.values import masked

# A reference with a default could hold the secret itself, so it is none to keep.
_KEPT = re.compile(rf"\$\{{[A-Za-z_][A-Za-z0-9_]{{0,127}}\}}|\$secret\{{{NAME.pattern}\}}")
_NO_NAME = re.compile(r"[^A-Z0-9]+")
_DULL = frozenset({"inputs", "outputs", "credentials", "config"})


class References:
    """Which reference stands where, and for the same secret everywhere the same one."""

    def __init__(self) -> None:
        self.places: dict[Place, str] = {}
        self._known: dict[tuple[str | int, str], str] = {}

    def add(self, place: Place, secret: str | None) -> str:
        """The reference for this place: the one that stands there, or ``${NAME}`` of its own.

        ``secret`` is None, or a mask, where the file does not hold it.
        """
        if secret is None or masked(secret):
            reference = self._new(place)
        elif _KEPT.fullmatch(secret):
            reference = secret
        else:
            same = (place[-1], secret)
            reference = self._known[same] = self._known.get(same) or self._new(place)
        self.places[place] = reference
        return reference

    def forget(self, place: Place) -> None:
        """No reference stands at or below this place any more."""
        depth = len(place)
        self.places = {each: text for each, text in self.places.items() if each[:depth] != place}

    def _new(self, place: Place) -> str:
        words = [str(step) for step in place if step not in _DULL]
        name = _NO_NAME.sub("_", "_".join(words).upper()).strip("_")
        name = name if name[:1].isalpha() else f"SECRET_{name}"
        taken = {*self.places.values(), *self._known.values()}
        names = [f"${{{name}}}", *(f"${{{name}_{number}}}" for number in range(2, len(taken) + 3))]
        return next(each for each in names if each not in taken)


def clear_secrets(settings: Mapping[str, Any], references: References) -> dict[Place, str]:
    """The texts of a draft that a setting of ours says are secret, and still stand in clear."""
    return {
        leaf.place: leaf.text
        for leaf in leaves(settings)
        if leaf.secret and leaf.place not in references.places
    }


def is_reference(value: Any) -> bool:
    """Whether our configuration would read a text, or one within, as a reference."""
    if isinstance(value, dict):
        return any(is_reference(each) for each in value.values())
    if isinstance(value, list):
        return any(is_reference(each) for each in value)
    return isinstance(value, str) and (
        value.startswith(FILE) or REFERENCE.search(value) is not None
    )
