"""A configuration in the making, and what became of every setting of the original."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from collector.config.problems import Place, spell
from collector.core.model import Frozen
from collector.importers.original import Original, Setting, normal
from collector.importers.references import References, is_reference

Kind: TypeAlias = Literal["mapped", "default", "no place"]

UNKNOWN = "is unknown here"
UNREADABLE = "its value is none that is known here"

_SHOWN = 160
"""Characters of the other product's names that are shown."""

_NAME_LENGTH = 50
"""Characters of a name that are kept, so that there is room for what makes it unique."""

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


class Entry(Frozen, frozen=True):
    """What became of one setting.

    ``source`` is its path in the original (empty: it is not there), ``to`` its path in
    ours (empty: it has none).  ``comment``: the written file says it too.
    """

    kind: Kind
    source: str
    to: str
    note: str
    comment: bool = True


class Draft:
    """The settings so far, their references, and the entries of the report."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.references = References()
        self.entries: list[Entry] = []
        self._written: dict[Place, list[int]] = {}

    def put(self, place: Place, value: Any, source: Place, note: str = "") -> None:
        """A setting of the original, in the place that it has here.

        A text that would be read as a reference is left to the operator, but for a
        secret, which ``collector.importers.judging`` makes a reference anyway.
        """
        if value is None:
            self.leave(source, UNREADABLE)
            return
        if is_reference(value) and place[-2:] != KEY_PASSWORD:
            self.leave(source, f"holds a reference: write what it stands for at {spell(place)}")
            return
        self._written.setdefault(place, []).append(len(self.entries))
        self.entries.append(_entry("mapped", source, place, note))
        self.write(place, value)

    def add(self, place: Place, source: Place) -> None:
        """A block that the original asks for, and that stays whatever becomes of its settings."""
        self.tell(source, place)
        block: Any = self.settings
        for step in place:
            block = block.setdefault(step, {})

    def tell(self, source: Place, place: Place, note: str = "") -> None:
        """A setting of the original that is part of one that is put elsewhere."""
        self.entries.append(_entry("mapped", source, place, note))

    def keep(self, place: Place, value: Any, note: str, *, comment: bool = True) -> None:
        """A setting that the original does not have; None: ours is the default as it is."""
        self.entries.append(_entry("default", (), place, note, comment=comment))
        if value is not None:
            self.write(place, value)

    def leave(self, source: Place, reason: str) -> None:
        """A setting of the original that has no place here."""
        self.entries.append(_entry("no place", source, (), reason))

    def rest(self, original: Original, reasons: Mapping[str, str] | None = None) -> None:
        """What nobody took: each has no place here, for the reason told for its name."""
        for setting in original.rest():
            known = (reasons or {}).get(".".join(setting.path), UNKNOWN)
            self.leave(setting.place, known)

    def refer(self, place: Place, found: Setting | None, secret: str | None, note: str) -> None:
        """A reference in this place, for what is secret, or what the file does not hold."""
        self.write(place, self.references.add(place, secret))
        kind: Kind = "default" if found is None else "mapped"
        self.entries.append(_entry(kind, () if found is None else found.place, place, note))

    def block(self, group: str, kind: str, wanted: Setting | None, fallback: str) -> Place:
        """A new input or output, called as in the original as far as its name is one here."""
        text = wanted.value if wanted is not None and isinstance(wanted.value, str) else fallback
        name = self._free(group, named(text) or fallback)
        place: Place = (group, name)
        self.write((*place, "type"), kind)
        if wanted is None:
            self.entries.append(_entry("default", (), place, "the file has no name for it"))
        else:
            note = "" if name == wanted.value else "changed: letters, digits, - and _, each once"
            self.entries.append(_entry("mapped", wanted.place, place, note))
        return place

    def write(self, place: Place, value: Any) -> None:
        """Set a value, with the blocks on the way to it."""
        block: Any = self.settings
        for step in place[:-1]:
            block = block.setdefault(step, {})
        block[place[-1]] = value

    def take_back(self, path: str, reason: str) -> bool:
        """Undo what was put at, below or nearest above this path; whether there was anything."""
        places, note = self._at(path), on_one_line(f"{shown(path)} {reason}")
        for place in places:
            for index in self._written.pop(place):
                entry = self.entries[index]
                undone = msgspec.structs.replace(entry, kind="no place", to="", note=note)
                self.entries[index] = undone
            self._remove(place)
        return bool(places)

    def drop(self, path: str, reason: str) -> bool:
        """Give up the input, output or pipeline that this path lies in; whether it is in one."""
        for group in ("outputs", "inputs", "pipelines"):
            for name in self.settings.get(group, {}):
                if within(path, f"{group}.{name}"):
                    self._give_up((group, name), on_one_line(f"{shown(path)} {reason}"))
                    return True
        return False

    def _give_up(self, place: Place, reason: str) -> None:
        above = spell(place)
        self._remove(place)
        self._written = {each: at for each, at in self._written.items() if each[:2] != place}
        self.entries = [_given_up(each, above, reason) for each in self.entries]

    def _at(self, path: str) -> list[Place]:
        if "." not in path:  # a whole group: nothing in it is more at fault than the rest
            return []
        below = [place for place in self._written if within(spell(place), path)]
        above = [place for place in self._written if within(path, spell(place))]
        return below or sorted(above, key=len)[-1:]

    def _remove(self, place: Place) -> None:
        self.references.forget(place)
        block: Any = self.settings
        for step in place[:-1]:
            block = block[step]
        del block[place[-1]]

    def _free(self, group: str, name: str) -> str:
        taken = self.settings.get(group, {})
        names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
        return next(each for each in names if each not in taken)


KEY_PASSWORD = ("tls", "key_password")
"""The secret that is put; the others are references from the first (``refer``)."""


def named(text: str) -> str:
    """A name of the original as far as it can be one here; empty when nothing of it can."""
    return _NO_NAME.sub("_", text).strip("_")[:_NAME_LENGTH]


def within(path: str, above: str) -> bool:
    """Whether a path is another one, or lies below it."""
    return path == above or path.startswith((f"{above}.", f"{above}["))


def shown(text: str) -> str:
    """A name of the original as it may be printed, or stand in a comment: short, one line."""
    plain = on_one_line(text)
    return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}..."


def on_one_line(text: str) -> str:
    """The text less line ends and all else that cannot be seen."""
    return "".join(each if each.isprintable() else "?" for each in text)


def is_called(setting: Setting | None, *names: str) -> bool:
    """Whether a setting's value is one of these names, whatever its case and blanks."""
    return setting is not None and normal(str(setting.value)) in {normal(name) for name in names}


def _given_up(entry: Entry, above: str, reason: str) -> Entry:
    if not within(entry.to, above):
        return entry
    return msgspec.structs.replace(entry, kind="no place", to="", note=reason)


def _entry(kind: Kind, source: Place, to: Place, note: str, *, comment: bool = True) -> Entry:
    return Entry(
        kind=kind,
        source=shown(spell(source)),
        to=on_one_line(spell(to)),
        note=on_one_line(note),
        comment=comment,
    )
