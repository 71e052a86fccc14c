"""What every destination relies on: a record is one line of standard JSON."""

from __future__ import annotations

import json


def refuse(constant: str) -> float:
    """NaN and Infinity are no JSON."""
    raise ValueError(constant)


def is_one_line_of_json(raw: bytes) -> bool:
    """Whether the bytes are a JSON object; raises when they are not one line of JSON in UTF-8."""
    assert b"\n" not in raw
    assert b"\r" not in raw
    return isinstance(json.loads(raw.decode(), parse_constant=refuse), dict)
