"""Strict JSON, with the line of each setting, under the rules of ``source``.

It is read twice: the standard library says whether it is JSON at all, the reader of
``source`` builds the values, so that repeated names are refused with their place.
No message repeats a value.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from collector.config import source
from collector.config.problems import MALFORMED_FILE, InvalidConfig, Problem
from collector.config.source import Document

SUFFIX = ".json"
FIX = "correct the JSON here, or name the file .yaml"


def parse(raw: bytes) -> Document:
    """Read one JSON document; raises ``InvalidConfig`` as ``source.parse`` does."""
    text = source.decode(raw)
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        # Its words quote a single character at most, after a colon.
        reason = f"it is not JSON: {error.msg.partition(':')[0]}"
        problem = _at(reason, error.lineno, error.colno)
    except RecursionError:
        problem = _at(source.TOO_DEEP[0], 1, None)
    except ValueError:
        problem = _at("it is not JSON: a number is too long, or is none", 1, None)
    else:
        # A tab of valid JSON is a blank: inside texts it is written \t.
        return source.read(text.replace("\t", " "), _plain)
    raise InvalidConfig(MALFORMED_FILE, [problem])


def _plain(text: str) -> Any:
    """What stands without quotes: true, false, null, or any number that JSON knows."""
    return json.loads(text)


def _refuse(_word: str) -> NoReturn:
    raise ValueError


def _at(reason: str, line: int, column: int | None) -> Problem:
    return Problem(path="", reason=reason, fix=FIX, line=line, column=column)
