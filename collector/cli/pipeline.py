"""``collector pipeline try``: what pipelines make of records, before and after."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer

from collector.app.pipelines import pipeline
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.screen import err, out, plain, print_json, table
from collector.config.load import find
from collector.config.trial import chosen_pipelines
from collector.errors import ConfigError
from collector.logs import escape
from collector.pipeline import Outcome, Pipeline

app = typer.Typer(help="Try what pipelines make of records.", no_args_is_help=True)

_LONGEST = 64 * 1024 * 1024
"""Bytes of a line that are read; no vendor's record is longer."""

_SHOWN = 16 * 1024
"""Characters of a record that a terminal is shown; ``--json`` has them all."""

VERDICTS = ("unchanged", "changed", "split", "dropped", "dead")


class Tried(msgspec.Struct, frozen=True):
    """One record, from 1 by its line, and what became of it."""

    number: int
    before: bytes
    outcome: Outcome

    @property
    def verdict(self) -> str:
        """One of ``VERDICTS``."""
        records = self.outcome.records
        if self.outcome.dead is not None:
            return "dead"
        if len(records) == 1:
            return "unchanged" if records[0] == self.before else "changed"
        return "split" if records else "dropped"


@app.command("try")
def try_(
    name: Annotated[
        str, typer.Option("--input", "-i", metavar="NAME", help="Whose pipelines to try.")
    ],
    file: Annotated[
        str, typer.Option("--file", "-f", metavar="FILE", help="Records, one a line; - is stdin.")
    ],
    service: Annotated[
        str | None,
        typer.Option("--service", "-s", metavar="NAME", help="Its pipelines, if it has its own."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Try so many records.")] = 20,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the pipelines of an input make of records: before, after, and counts.

    Nothing is collected or delivered: it needs no network, no state, and no
    secret but those of the steps themselves.
    """
    chosen = chosen_pipelines(find(config, os.environ), os.environ, name, service)
    work = pipeline(chosen)
    if work is None:
        raise ConfigError(26, "no step of these pipelines is enabled", "enable one")
    with _opened(file) as stream:
        tried = list(islice(_tried(stream, work), limit))
    if as_json:
        print_json({"records": [_as_dict(each) for each in tried], "counts": _counts(tried)})
        return
    for each in tried:
        _show(each)
    told = ", ".join(f"{count:,} {name}" for name, count in _counts(tried).items())
    err.print(f"{len(tried):,} records read: {told}.", highlight=False)


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    if file == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise ConfigError(27, f"{file} cannot be read: {error.strerror}", "see --file") from None


def _tried(stream: BinaryIO, work: Pipeline) -> Iterator[Tried]:
    """The records of a stream, empty lines left out, each with its outcome."""
    number = 0
    while line := stream.readline(_LONGEST):
        number += 1
        if record := line.strip():
            yield Tried(number, record, work(record))


def _counts(tried: list[Tried]) -> dict[str, int]:
    """How many records had each verdict, and how many came out in all."""
    verdicts = Counter(each.verdict for each in tried)
    written = sum(len(each.outcome.records) for each in tried)
    return {**{name: verdicts[name] for name in VERDICTS}, "written": written}


def _as_dict(tried: Tried) -> dict[str, Any]:
    outcome = tried.outcome
    return {
        "line": tried.number,
        "verdict": tried.verdict,
        "before": _text(tried.before),
        "after": [_text(record) for record in outcome.records],
        "flags": list(outcome.flags),
        "dead": outcome.dead,
    }


def _show(tried: Tried) -> None:
    outcome = tried.outcome
    facts = [tried.verdict, *outcome.flags, *([] if outcome.dead is None else [outcome.dead])]
    out.print(plain(f"line {tried.number}: {escape(', '.join(facts))}"), style="bold")
    columns = table("~before", "~after")
    after = "\n\n".join(_pretty(record) for record in outcome.records) or "-"
    columns.add_row(plain(_pretty(tried.before)), plain(after))
    out.print(columns)
    out.print()


def _pretty(record: bytes) -> str:
    """The record over several lines, in which nothing can steer a terminal."""
    try:
        text = msgspec.json.format(record, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = _text(record)
    shown = [escape(line) for line in text[:_SHOWN].split("\n")]
    return "\n".join(shown if len(text) <= _SHOWN else [*shown, "..."])


def _text(record: bytes) -> str:
    return record.decode(errors="backslashreplace")
