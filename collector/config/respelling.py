"""Blocks with a misspelt type, as they were meant: so that all their mistakes are told at once."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from pydantic_core import ErrorDetails

from collector.config import explain


def respelt(
    document: dict[str, Any], found: Sequence[ErrorDetails]
) -> tuple[dict[str, Any], list[ErrorDetails]]:
    """The document with each misspelt type put right, and the findings of those types.

    One that is nearly none of the known types stays.
    """
    meant, misspelt = deepcopy(document), []
    for each in found:
        if each["type"] == "union_tag_invalid":
            close = explain.nearest(each["ctx"]["tag"], each["ctx"]["expected_tags"])
            if close is not None:
                _block(meant, explain.place_of(each["loc"]))["type"] = close
                misspelt.append(each)
    return meant, misspelt


def _block(document: Any, place: Sequence[str | int]) -> dict[str, Any]:
    for step in place:
        document = document[step]
    found: dict[str, Any] = document
    return found
