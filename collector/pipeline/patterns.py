r"""Regular expressions that take linear time, whatever the text (RE2).

An operator's pattern meets the vendor's bytes: with the standard library's engine a
hostile record could make one match take for ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

MAX_TEXT = 1024
_MAX_PROGRAM_BYTES = 8 * 1024 * 1024
_GROUP = re.compile(r"\\(\d)", re.ASCII)

Match: TypeAlias = Callable[[int], str | None]
"""The text of a group of one match; 0 is the whole match."""


class Pattern:
    """A compiled pattern.  Raises ``ValueError`` with what is wrong with its text."""

    groups: int

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEXT:
            raise ValueError(f"is longer than {MAX_TEXT} characters")
        self._compiled = _compiled(text)
        self.groups = self._compiled.groups
        if self._compiled.search("") is not None:
            raise ValueError("matches the empty text")

    def replace(self, text: str, make: Callable[[Match], str]) -> str:
        """The text with what ``make`` gives in place of each match."""
        found: str = self._compiled.sub(lambda match: make(match.group), text)
        return found


def template(text: str, groups: int) -> Callable[[Match], str]:
    r"""A text in which ``\1`` stands for the first group; raises ``ValueError``."""
    parts = _GROUP.split(text)
    numbers = [int(number) for number in parts[1::2]]
    if numbers and max(numbers) > groups:
        raise ValueError(f"names group {max(numbers)} of a pattern with {groups}")

    def filled(match: Match) -> str:
        return "".join((match(int(part)) or "") if n % 2 else part for n, part in enumerate(parts))

    return filled if numbers else lambda _: text


def _compiled(text: str) -> Any:
    # Imported late: a collector without patterns does not need it.
    import re2  # noqa: PLC0415

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_PROGRAM_BYTES
    try:
        return re2.compile(text, options=options)
    except re2.error as error:
        (reason,) = error.args
        raise ValueError(f"cannot be read: {reason.decode(errors='replace')}") from None
