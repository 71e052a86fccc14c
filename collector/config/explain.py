"""pydantic's findings as problems: where, what, and what to do.

A value is shown only when it is a number, a short word that one of our own rules
judged, or one that is nearly what may stand there; never among credentials, and never
when a reference brought it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from difflib import get_close_matches
from typing import Any, TypeAlias

from pydantic_core import ErrorDetails

from collector.config.problems import Place, Problem, spell
from collector.config.schema import settings_at

NAMED = ("inputs", "outputs")

RENAMED = {
    "override_base_url": "endpoints, or endpoint",
    "override_tag": "tag",
    "requests_limits": "rate",
    "requests_per_second": "rate.min_interval_in_seconds",
    "sender_stats_period_in_sec": "statistics_period_in_seconds",
}
"""Names that users of other collectors know, and what they are called here."""

BLOCK = ("must hold settings", "write them below it, indented, or {} for all defaults")
LIST = ("must be a list", "write it in brackets: [a, b]")
TEXT = ("must be text", "put the value in quotes")
WHOLE = ("must be a whole number", "write digits, without quotes")
NUMBER = ("must be a number", "write digits, without quotes")

FIXED: dict[str, tuple[str, str]] = {
    "missing": ("is required", "add it; docs/configuration.md describes it"),
    "string_type": TEXT,
    "int_type": WHOLE,
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "finite_number": NUMBER,
    "bool_type": ("must be true or false", "write true or false; yes, no, on and off are text"),
    "model_type": BLOCK,
    "model_attributes_type": BLOCK,
    "dict_type": BLOCK,
    "tuple_type": LIST,
    "path_type": ("must be a path", "write the path of a file or folder as text"),
    "union_tag_not_found": ("has no type, and its name is none", "add type: ..."),
    "too_short": ("must not be empty", "add at least one entry"),
    "too_long": ("has too many entries", "remove some"),
    "string_too_long": ("is too long", "shorten it"),
    "string_pattern_mismatch": ("has the wrong form", "docs/configuration.md shows the right one"),
}

NUMBERS = frozenset(
    {"int_type", "bool_type", "greater_than", "greater_than_equal", "less_than", "less_than_equal"}
)
TOO_SHORT = 3
"""Characters of which nobody makes a secret."""
IN_QUOTES = re.compile(r"'([^']*)'")
SHORT_WORD = re.compile(r"[A-Za-z0-9_.:+-]{1,32}")

Explanation: TypeAlias = tuple[str, str]


def speaks_for_itself(error: ErrorDetails) -> bool:
    """False for a list that is short only because its entries were refused."""
    return error["type"] != "too_short" or len(error["input"]) < error["ctx"]["min_length"]


def problem(error: ErrorDetails, referenced: Container[Place]) -> Problem:
    """One finding of pydantic; ``referenced`` are the places that a reference filled."""
    place = place_of(error["loc"])
    if error["type"].startswith("union_tag"):
        place = (*place, "type")
    reason, fix = _explanation(error)
    shown = None if place in referenced else _harmless(error)
    return Problem(path=spell(place), reason=reason, fix=fix, value=shown)


def place_of(loc: tuple[int | str, ...]) -> Place:
    """Where a finding stands in the file: less pydantic's marks for kinds and keys."""
    if loc and loc[0] in NAMED:
        loc = (*loc[:2], *loc[3:])
    elif loc[:1] == ("pipelines",):
        loc = (*loc[:4], *loc[5:])
    return loc[:-1] if loc[-1:] == ("[key]",) else loc


def _explanation(error: ErrorDetails) -> Explanation:
    context = error.get("ctx", {})
    if "fix" in context:
        return context["reason"], context["fix"]
    if error["type"] in RULES:
        return RULES[error["type"]](error, context)
    return FIXED.get(error["type"], ("is not valid", "docs/configuration.md describes it"))


def _unknown(error: ErrorDetails, _: dict[str, Any]) -> Explanation:
    name = str(error["loc"][-1])
    if name in RENAMED:
        return "is no setting here", f"it is called {RENAMED[name]}"
    known = settings_at(error["loc"][:-1])
    close = get_close_matches(name, known, n=1)
    fix = f"did you mean {close[0]}?" if close else f"choose from: {', '.join(known)}"
    return "is no setting here", fix


def _choice(error: ErrorDetails, context: dict[str, Any]) -> Explanation:
    close = None if "credentials" in error["loc"] else nearest(error["input"], context["expected"])
    fix = "write one of these words" if close is None else f"did you mean {close}?"
    return f"must be {context['expected']}", fix


def _kind(_: ErrorDetails, context: dict[str, Any]) -> Explanation:
    close = nearest(context["tag"], context["expected_tags"])
    meant = "" if close is None else f"did you mean {close}? "
    return "is no known type", f"{meant}choose from: {context['expected_tags']}"


def nearest(word: object, known: str) -> str | None:
    """The one of the known words, as pydantic lists them in quotes, that is nearly this one."""
    if not isinstance(word, str) or not word[:1].isalpha():  # 1.1 is no slip of the pen for 1.3
        return None
    close = get_close_matches(word, IN_QUOTES.findall(known), n=1)
    return close[0] if close else None


def _bound(words: str, key: str) -> Callable[[ErrorDetails, dict[str, Any]], Explanation]:
    def explain(_: ErrorDetails, context: dict[str, Any]) -> Explanation:
        return f"must be {words} {context[key]:.15g}", "write a number in that range"

    return explain


RULES: dict[str, Callable[[ErrorDetails, dict[str, Any]], Explanation]] = {
    "extra_forbidden": _unknown,
    "literal_error": _choice,
    "union_tag_invalid": _kind,
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
}


def _harmless(error: ErrorDetails) -> str | None:
    """The refused value, where it is a number or a short word and no secret belongs."""
    context = error.get("ctx", {})
    value = context.get("tag", error["input"])
    if "credentials" in error["loc"]:
        return None
    if isinstance(value, str):
        known = context.get("expected_tags") or context.get("expected")
        word = error["type"] == "setting" if known is None else _no_secret(value, known)
        return repr(value) if word and SHORT_WORD.fullmatch(value) else None
    number = error["type"] in NUMBERS and isinstance(value, bool | int | float)
    return str(value) if number else None


def _no_secret(word: str, known: str) -> bool:
    """Whether what stands in place of one of the known words can be no secret."""
    return len(word) <= TOO_SHORT or nearest(word, known) is not None
