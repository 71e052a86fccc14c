"""The bytes of another product's configuration as plain values: JSON, YAML or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from collector.config import json_source, source
from collector.config.problems import MALFORMED_FILE, InvalidConfig, Problem
from collector.errors import ConfigError

UNREADABLE = 35
"""Number of the error that a file is none of these forms."""

REMEDY = "export it again, or write its settings down as docs/moving-in.md shows"
SHOWN = 5
"""Problems that the error names."""


def read(raw: bytes, suffix: str) -> Any:
    """The values of a file, by the end of its name and else by how it begins.

    ``.json``, and what begins with a brace or bracket, is JSON; ``.csv`` has one block
    a row; all else is YAML.  The bounds are those of our own configuration.  Raises
    ``ConfigError``, which repeats no value.
    """
    try:
        return _values(raw, suffix.lower())
    except InvalidConfig as error:
        problems = error.problems
    raise _unreadable(problems)


def _values(raw: bytes, suffix: str) -> Any:
    if suffix == ".csv":
        return _rows(source.decode(raw))
    opened = raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    is_json = suffix == json_source.SUFFIX or (opened in {b"{", b"["} and suffix not in YAML)
    document = json_source.parse(raw) if is_json else source.parse(raw)
    if document.problems:
        raise InvalidConfig(MALFORMED_FILE, document.problems)
    return document.data


YAML = frozenset({".yaml", ".yml"})


def _rows(text: str) -> list[dict[str, str]]:
    """A block for each row, named by the first; or one block, of rows of a name and a value."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head, *rows = [row for row in lines if any(row)]
    except csv.Error:
        raise InvalidConfig(MALFORMED_FILE, [_csv("it is not CSV")]) from None
    except ValueError:
        raise InvalidConfig(MALFORMED_FILE, [_csv("it is empty")]) from None
    if len(head) * len(rows) > source.MAX_VALUES:
        raise InvalidConfig(MALFORMED_FILE, [_csv(source.TOO_MANY[0])])
    if any(len(row) != len(head) for row in rows):
        reason = "a row has another number of cells than the first"
        raise InvalidConfig(MALFORMED_FILE, [_csv(reason)])
    if len(head) == 2 and head[1].strip().lower() == "value":
        return [_named([row[0] for row in rows], [row[1] for row in rows])]
    return [_named(head, row) for row in rows]


def _named(names: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    if len(set(names)) < len(names):
        raise InvalidConfig(MALFORMED_FILE, [_csv("a name stands there twice")])
    return dict(zip(names, values, strict=True))


def _csv(reason: str) -> Problem:
    return Problem(path="", reason=reason, fix=REMEDY)


def _unreadable(problems: Iterable[Problem]) -> ConfigError:
    told = [
        each.reason + ("" if each.line is None else f" [line {each.line}]") for each in problems
    ]
    more = "" if len(told) <= SHOWN else f"; and {len(told) - SHOWN} more"
    return ConfigError(
        UNREADABLE, f"the file cannot be read: {'; '.join(told[:SHOWN])}{more}", REMEDY
    )
