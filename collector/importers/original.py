"""A block of another product's settings, of which each is taken once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from collector.config.problems import Place
from collector.core.model import Frozen

Path: TypeAlias = tuple[str, ...]

_ASIDE = re.compile(r"\([^()]*\)")
_SIGNS = re.compile(r"[\W_]+")
UNSET: tuple[Any, ...] = (None, "", {}, [])
"""What a form has in a field that nobody filled in."""


class Setting(Frozen, frozen=True):
    """One setting: where it stands, and its value (a single one, or a list)."""

    path: Path
    place: Place
    value: Any


class Original:
    """The settings of a block, found by name whatever its case, blanks and signs.

    ``"tls.ca_file"`` is ``ca_file`` in the block ``tls``.  ``wrappers`` are headings, in
    small letters without blanks, whose blocks count as if they were not there;
    ``place`` is where the block stands.
    """

    def __init__(
        self, data: Any, place: Place = (), wrappers: frozenset[str] = frozenset()
    ) -> None:
        self.place = place
        self._settings = list(_leaves(data, place, (), wrappers))

    def take(self, *names: str) -> Setting | None:
        """The first setting that has one of these names."""
        wanted = {path_of(name) for name in names}
        for index, setting in enumerate(self._settings):
            if setting.path in wanted:
                return self._settings.pop(index)
        return None

    def has(self, *names: str) -> bool:
        """Whether a setting with one of these names is left."""
        wanted = {path_of(name) for name in names}
        return any(setting.path in wanted for setting in self._settings)

    def below(self, name: str) -> list[Setting]:
        """All settings in the block of that name."""
        wanted = path_of(name)
        found = [each for each in self._settings if each.path[:1] == wanted]
        self._settings = [each for each in self._settings if each.path[:1] != wanted]
        return found

    def rest(self) -> list[Setting]:
        """The settings that nobody took."""
        taken, self._settings = self._settings, []
        return taken


def path_of(name: str) -> Path:
    """A dotted name as it is compared."""
    return tuple(normal(part) for part in name.split("."))


def normal(name: str) -> str:
    """A name as it is compared: ``"Ping Interval (seconds)"`` is ``pinginterval``."""
    return _SIGNS.sub("", _ASIDE.sub("", name)).lower()


def _leaves(data: Any, place: Place, path: Path, wrappers: frozenset[str]) -> Iterator[Setting]:
    if data in UNSET:
        return
    if not isinstance(data, dict):
        yield Setting(path=path, place=place, value=data)
        return
    for name, value in data.items():
        inner = normal(name)
        heading = isinstance(value, dict) and inner in wrappers
        yield from _leaves(value, (*place, name), path if heading else (*path, inner), wrappers)
