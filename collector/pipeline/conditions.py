"""Conditions over one record, in CEL (Common Expression Language, https://cel.dev).

The record is the variable ``record``.  The language has no loops, no clock and no way
out: a condition ends, and says the same of the same record.  Regular expressions take
linear time.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import cache
from typing import Any

from collector.pipeline.document import Record
from collector.pipeline.step import Failed

MAX_TEXT = 4096
MAX_REASON = 200

_LARGEST = 2**64 - 1
_SMALLEST = -(2**63)
_ERROR = re.compile(r"ERROR: <input>:(?P<line>\d+):(?P<column>\d+): (?P<what>.*)")
_STATUS = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$| \(in container ''\)")


class Condition:
    """A compiled condition.  Raises ``ValueError`` with what is wrong with its text."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEXT:
            raise ValueError(f"is longer than {MAX_TEXT} characters")
        environment = _environment()
        try:
            self._program = environment.compile(text)
        except RuntimeError as error:
            raise ValueError(_complaint(str(error))) from None
        kind = self._program.return_type().name()
        if kind not in ("BOOL", "DYN"):
            raise ValueError(f"gives {kind}, not true or false")

    def __call__(self, record: Record) -> bool:
        """Whether it holds for a record; raises ``Failed`` when that cannot be told."""
        answer = self._answer(record)
        if isinstance(answer, str) and _has_large(record):
            # The library refuses a record with such a number in it, wherever it stands.
            answer = self._answer(_bounded(record))
        if isinstance(answer, str):
            raise Failed(answer[:MAX_REASON])
        return answer

    def _answer(self, record: Record) -> bool | str:
        """The truth, or why there is none."""
        try:
            found = self._program.eval(data={"record": record})
        except RuntimeError as error:
            return _plain(str(error))
        kind = found.type().name()
        if kind == "BOOL":
            return bool(found.value())
        return _plain(found.value()) if kind == "ERROR" else f"it gives {kind}, not true or false"


@cache
def _environment() -> Any:
    # Imported late: 14 MB that a collector without conditions does not need.
    from cel_expr_python import cel  # noqa: PLC0415
    from cel_expr_python.ext import ext_optional, ext_strings  # noqa: PLC0415

    return cel.NewEnv(
        variables={"record": cel.Type.DYN},
        extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional()],
    )


def _complaint(text: str) -> str:
    """The library's message on one line, without the drawing below it."""
    found = _ERROR.search(text)
    if found is None:
        return f"cannot be read: {_plain(text.partition(chr(10))[0])}"
    place = f"character {found['column']} of line {found['line']}"
    return f"cannot be read at {place}: {_plain(found['what'])}"


def _plain(text: str) -> str:
    return _STATUS.sub("", text)


def _has_large(value: Any) -> bool:
    """Whether there is a number in the value that 64 bits do not hold."""
    if isinstance(value, dict):
        return any(map(_has_large, value.values()))
    return any(map(_has_large, value)) if isinstance(value, list) else _is_large(value)


def _is_large(value: Any) -> bool:
    if isinstance(value, int):
        return not _SMALLEST <= value <= _LARGEST
    return isinstance(value, Decimal)


def _bounded(value: Any) -> Any:
    """The value with each such number as the nearest float."""
    if isinstance(value, dict):
        return {name: _bounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_bounded(each) for each in value]
    return _float(value) if _is_large(value) else value


def _float(value: Decimal | int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
