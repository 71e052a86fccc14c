"""Strict YAML: what is written is what is read, or it is refused with line and column.

A subset of YAML 1.2, read from ruamel's parser events so that nothing is built
before it was checked:

- keys are text; each may stand once in its mapping;
- plain ``true``, ``false``, ``null``, ``12`` and ``1.5`` are what they look like;
  everything else (``no``, ``on``, ``08``, ``0x1F``, ``1e3``, ``1:30``, dates) is text;
- no anchors, aliases, tags or second document;
- at most ``MAX_BYTES`` of UTF-8, ``MAX_VALUES`` values, ``MAX_DEPTH`` levels.

No message repeats a value, because a value may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from collector.config.problems import MALFORMED_FILE, InvalidConfig, Place, Problem, spell
from collector.core.model import Frozen

MAX_BYTES = 1024 * 1024
MAX_VALUES = 100_000
MAX_DEPTH = 16

WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
SURROGATE = re.compile(r"[\ud800-\udfff]")
QUOTES = frozenset("'\"|>")
QUOTED = re.compile(r"""(['"])(?!<)[^'"]{2,}\1""")

BRACKETS = {"while parsing a flow mapping": "}", "while parsing a flow sequence": "]"}
"""What closes the bracket in which the parser stumbled, by its words for where it was."""
QUOTING = "quote text with : # { [ & * !"

ANCHORS = ("anchors (&name) and aliases (*name) are not read", "write the value out in full")
TAGS = ("tags (!name) are not read", "remove the tag; put text that starts with ! in quotes")


class Document(Frozen, frozen=True):
    """The settings as plain values, the line of each, and what had to be refused."""

    data: Any
    lines: Mapping[Place, int]
    problems: tuple[Problem, ...]


def parse(raw: bytes) -> Document:
    """Read one YAML document.

    A file that cannot be followed to its end raises ``InvalidConfig``; refusals
    that leave the rest readable come back in ``problems``.
    """
    return read(decode(raw), scalar)


def read(text: str, plain: Callable[[str], Any]) -> Document:
    """Like ``parse``, from text; ``plain`` says what a scalar without quotes means."""
    try:
        return _Reader(YAML(typ="safe", pure=True).parse(text), plain).document()
    except MarkedYAMLError as error:
        problem = _syntax(error, text)
    except ReaderError as error:
        problem = _character(error, text)
    raise InvalidConfig(MALFORMED_FILE, [problem])


def scalar(text: str) -> bool | int | float | str | None:
    """What a plain (unquoted) scalar means; text unless it is exactly something else."""
    if text in NULLS:
        return None
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if DECIMAL.fullmatch(text) else text


class _Reader:
    """Builds plain values from parser events, noting lines and refusals."""

    def __init__(self, events: Iterator[Event], plain: Callable[[str], Any]) -> None:
        self.events = events
        self.plain = plain
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self.values = 0

    def document(self) -> Document:
        next(self.events)
        if isinstance(next(self.events), StreamEndEvent):
            raise InvalidConfig(MALFORMED_FILE, [EMPTY])
        data = self.value(next(self.events), ())
        next(self.events)
        second = next(self.events)
        if isinstance(second, DocumentStartEvent):
            reason, fix = "a second document starts here", "keep one document: remove the ---"
            self.refuse(second, (), reason, fix)
        return Document(data=data, lines=self.lines, problems=tuple(self.problems))

    def value(self, event: Event, place: Place) -> Any:
        self.count(event, place)
        if isinstance(event, NodeEvent) and event.anchor is not None:
            self.refuse(event, place, *ANCHORS)
        if getattr(event, "ctag", None) is not None:
            self.refuse(event, place, *TAGS)
        if isinstance(event, MappingStartEvent):
            return self.mapping(place)
        if isinstance(event, SequenceStartEvent):
            return self.sequence(place)
        return self.scalar(event) if isinstance(event, ScalarEvent) else None

    def scalar(self, event: ScalarEvent) -> Any:
        text = str(event.value)
        return _paired(text) if event.style in QUOTES else self.plain(text)

    def count(self, event: Event, place: Place) -> None:
        self.values += 1
        if self.values > MAX_VALUES:
            raise InvalidConfig(MALFORMED_FILE, [_at(event, place, *TOO_MANY)])
        if len(place) > MAX_DEPTH:
            raise InvalidConfig(MALFORMED_FILE, [_at(event, place[:1], *TOO_DEEP)])

    def mapping(self, place: Place) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.key(event, place)
            if key in settings:
                reason = f"{key!r} stands here twice (first on line {self.lines[(*place, key)]})"
                self.refuse(event, place, reason, "keep one of the two")
            else:
                self.lines[(*place, key)] = _line(event)
            value = self.value(next(self.events), (*place, key))
            settings.setdefault(key, value)
        return settings

    def key(self, event: Event, place: Place) -> str:
        if isinstance(event, ScalarEvent):
            if event.anchor is not None:
                self.refuse(event, place, *ANCHORS)
            return _paired(str(event.value))
        reason, fix = "a setting's name is not plain text", "write name: value"
        raise InvalidConfig(MALFORMED_FILE, [_at(event, place, reason, fix)])

    def sequence(self, place: Place) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            here = (*place, len(items))
            self.lines[here] = _line(event)
            items.append(self.value(event, here))
        return items

    def refuse(self, event: Event, place: Place, reason: str, fix: str) -> None:
        self.problems.append(_at(event, place, reason, fix))


EMPTY = Problem(
    path="",
    reason="it is empty",
    fix="start from config.yaml.example",
    line=1,
    column=1,
)
TOO_MANY = (f"it holds more than {MAX_VALUES} values", "split it into several configurations")
TOO_DEEP = (f"it is nested more than {MAX_DEPTH} levels deep", "see config.yaml.example")


def decode(raw: bytes) -> str:
    """A configuration's bytes as text; raises ``InvalidConfig``."""
    if len(raw) > MAX_BYTES:
        fix = "check that this is the configuration, and shorten it"
        raise InvalidConfig(
            MALFORMED_FILE, [Problem(path="", reason="it is larger than 1 MiB", fix=fix)]
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
    line = before.count(b"\n") + 1
    fix = "save the file as UTF-8"
    problem = Problem(path="", reason="it is not UTF-8", fix=fix, line=line)
    raise InvalidConfig(MALFORMED_FILE, [problem])


def _paired(text: str) -> str:
    """The text with each pair of surrogates, as JSON escapes them, made the character it means."""
    if not SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _at(event: Event, place: Place, reason: str, fix: str) -> Problem:
    line, column = _line(event), int(event.start_mark.column) + 1
    return Problem(path=spell(place), reason=reason, fix=fix, line=line, column=column)


def _syntax(error: MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = int(mark.line), int(mark.column)
    if "\t" in "".join(text.split("\n")[line : line + 1])[: column + 1]:
        reason, fix = "a tab stands where YAML wants blanks", "indent with blanks"
    elif error.context in BRACKETS:
        opened, closing = error.context_mark, BRACKETS[error.context]
        place = f"line {opened.line + 1}, column {opened.column + 1}"
        sign = text[opened.index]
        reason = f"the {sign} of {place} is not closed, or a comma is missing before this"
        fix = f"close it with {closing}, put commas between what it holds, and {QUOTING}"
    else:
        reason, fix = _without_values(str(error.problem)), f"correct the YAML here; {QUOTING}"
    return Problem(
        path="",
        reason=f"{reason} (line {line + 1}, column {column + 1})",
        fix=fix,
        line=line + 1,
        column=column + 1,
    )


def _character(error: ReaderError, text: str) -> Problem:
    before = text[: int(error.position)]
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    return Problem(
        path="",
        reason=f"a control character stands here (line {line}, column {column})",
        fix="remove it",
        line=line,
        column=column,
    )


def _without_values(problem: str) -> str:
    """The parser's words, less whatever it quotes from the file."""
    return QUOTED.sub("...", problem)
