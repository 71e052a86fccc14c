"""Patterns of names that a destination files records under."""

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from collector.config.fields import MAX_TEXT, refuse

_PLACE = re.compile(r"\{(?:input|service|SERVICE|tag)\}")
_DATE = re.compile(r"%[YmdH]")
# What Elasticsearch forbids in the name of an index ("Create an index", path parameters).
_NO_INDEX = re.compile(r"[\\/*?\"<>|,#:\s]|^[-_+.]")
FILLED = (
    "`{input}`, `{service}` (`{SERVICE}` in capitals) and `{tag}` stand for those of the records."
)
"""What every description of a pattern says."""


def _pattern(text: str) -> str:
    plain = _PLACE.sub("", text)
    if not text.isascii() or not text.isprintable() or text != text.strip() or not text:
        raise refuse("is empty, not ASCII, or has blanks at its ends", "write a short ASCII text")
    if "{" in plain or "}" in plain or len(text) > MAX_TEXT:
        reason = "has braces around something unknown, or is longer than 1024 characters"
        raise refuse(reason, "use {input}, {service}, {SERVICE} and {tag} only")
    return text


def _index(text: str) -> str:
    plain = _DATE.sub("", _PLACE.sub("", text))
    if _NO_INDEX.search(plain) or "%" in plain:
        reason = 'has % before another letter than Y, m, d or H, or one of \\ / * ? " < > | , # :'
        raise refuse(reason, "write one like logs-proofpoint.{service}-default")
    return text


def _field_value(text: str) -> str:
    if "," in text or "=" in text:
        raise refuse("has a comma or =, which separate fields", "write it without")
    return text


Pattern: TypeAlias = Annotated[str, AfterValidator(_pattern)]
IndexPattern: TypeAlias = Annotated[Pattern, AfterValidator(_index)]
FieldValue: TypeAlias = Annotated[Pattern, AfterValidator(_field_value)]
