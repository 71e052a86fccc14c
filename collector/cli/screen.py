"""What commands print: records and results to standard output, all else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from collector.cli.rows import Rows
from collector.config.problems import InvalidConfig, Problem
from collector.errors import CollectorError

_WIDE = 160
"""Columns where there is no terminal to ask: a log file or a pipe."""


def _columns(stream: TextIO | None) -> int | None:
    """None: as many as the terminal has.  Python has no stream where one was closed."""
    return None if stream is not None and stream.isatty() else _WIDE


out = Console(width=_columns(sys.stdout))
err = Console(stderr=True, width=_columns(sys.stderr))


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    out.print(
        json.dumps(value, ensure_ascii=False, indent=2),
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def fail(error: CollectorError) -> None:
    """Say what went wrong and what to do."""
    if isinstance(error, InvalidConfig):
        problems(error)
        return
    err.print(f"[red]{error.kind} {error.number}[/]: {escape(error.cause)}", soft_wrap=True)
    err.print(f"  [bold]what to do[/]: {escape(error.remedy)}", soft_wrap=True)


def problems(error: InvalidConfig) -> None:
    """Everything that is wrong with a configuration."""
    count = len(error.problems)
    err.print(f"[red]ConfigError {error.number}[/]: {count} problem{'s' if count > 1 else ''}")
    for problem in error.problems:
        _print(problem)


def warnings(cautions: Sequence[Problem]) -> None:
    """What a valid configuration had better not say."""
    if cautions:
        count = len(cautions)
        err.print(f"[yellow]{count} warning{'s' if count > 1 else ''}[/]")
    for caution in cautions:
        _print(caution)


def plain(text: str) -> Text:
    """Text that is printed as it stands: no markup, no colours."""
    return Text(text)


def table(*columns: str, title: str | None = None) -> Rows:
    """An empty table in the house style; ``#`` before a heading: numbers, ``~``: prose."""
    return Rows(columns, title)


def _print(problem: Problem) -> None:
    err.print(f"  {_where(problem)}: {escape(_what(problem))}", soft_wrap=True)
    err.print(f"    [bold]fix[/]: {escape(problem.fix)}", soft_wrap=True)


def _where(problem: Problem) -> str:
    line = "" if problem.line is None else f" [dim](line {problem.line})[/]"
    return f"[cyan]{escape(problem.path or 'the file')}[/]{line}"


def _what(problem: Problem) -> str:
    return problem.reason + ("" if problem.value is None else f" (found {problem.value})")
