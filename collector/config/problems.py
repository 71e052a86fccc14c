"""What is wrong with a configuration: every problem at once, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from collector.core.model import Frozen
from collector.errors import ConfigError

Place: TypeAlias = tuple[str | int, ...]
"""Where a value stands: setting names, and positions in lists from 0."""

UNREADABLE_FILE = 1
"""The number of the error that the file itself cannot be read."""
MALFORMED_FILE = 2
"""... that what it holds is not the form that we take."""
WRONG_SETTINGS = 3
"""... that its settings are wrong."""
WRONG_FILES = 4
"""... that only files which the settings name cannot be used."""
SHOWN = 20
"""How many problems the one-line text of the error names; ``problems`` has them all."""


class Problem(Frozen, frozen=True):
    """One thing to correct.

    ``path`` is the setting (empty: the file itself), ``value`` what stands there
    where that can be no secret, ``line`` and ``column`` count from 1.
    """

    path: str
    reason: str
    fix: str
    value: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        found = "" if self.value is None else f" (found {self.value})"
        where = "" if self.line is None else f" [line {self.line}]"
        return f"{self.path or 'the file'}{where}: {self.reason}{found} -> {self.fix}"


class InvalidConfig(ConfigError):
    """The configuration cannot be used; ``problems`` says everything that is wrong.

    The number says how far the reading came (``UNREADABLE_FILE`` to ``WRONG_FILES``).
    """

    problems: tuple[Problem, ...]

    def __init__(self, number: int, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_position))
        shown = "; ".join(str(problem) for problem in self.problems[:SHOWN])
        rest = len(self.problems) - SHOWN
        more = f"; and {rest} more" if rest > 0 else ""
        super().__init__(
            number,
            f"the configuration has {len(self.problems)} problem(s): {shown}{more}",
            "correct them and run: collector check",
        )


def spell(place: Place) -> str:
    """``("inputs", "casb", "outputs", 0)`` as ``inputs.casb.outputs[0]``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def _position(problem: Problem) -> tuple[int, int, str]:
    return problem.line or 0, problem.column or 0, problem.path
