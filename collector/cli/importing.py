"""``collector import``: a configuration of another product becomes one of ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from collector.cli.options import JsonOption
from collector.cli.screen import err, out, plain, print_json
from collector.clock import SystemClock
from collector.config.atomic import replace_file
from collector.config.source import MAX_BYTES
from collector.errors import ConfigError
from collector.importers.draft import Entry
from collector.importers.products import PRODUCTS, Imported, convert

_OWNER_ONLY = 0o600
_STDIN = "-"

ProductName = Enum("ProductName", {name: name for name in PRODUCTS})  # type: ignore[misc]


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Its configuration; - is stdin.")],
    product: Annotated[ProductName, typer.Option("--from", help="The product it is from.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it here, mode 0600, not to the screen."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace that file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a configuration from that of another product, with a report.

    The report has each setting: where it went, what is ours by default, and what
    has no place here, with the reason. Secrets are not copied: the configuration
    refers to them, and the report names what to set. docs/moving-in.md shows what
    each product's file looks like.
    """
    found = convert(product.value, _content(file), Path(file).suffix, SystemClock().now())
    if output is not None:
        _write(output, found.text, force=force)
    if as_json:
        print_json(_as_dict(found, product.value, output))
        return
    if output is None:
        print(found.text, end="")  # noqa: T201 - exactly this text, for a pipe
    report(found, output, err if output is None else out)


def report(found: Imported, output: Path | None, console: Console) -> None:
    """What became of each setting, what to set, and what to do next."""
    for kind, (title, colour) in PARTS.items():
        entries = [each for each in found.entries if each.kind == kind]
        _list(title, colour, [_line(each) for each in entries], console)
    references = [f"{name}: for {', '.join(places)}" for name, places in found.references.items()]
    _list("to be set before collector run (docs/secrets.md)", "cyan", references, console)
    if output is not None:
        console.print(plain(f"{output} is written. Next: collector check --config {output}"))


def _line(entry: Entry) -> str:
    """An entry as it is read: ``there -> here (note)``, or ``setting: why``."""
    if entry.kind == "default":
        return f"{entry.to}: {entry.note}"
    source = entry.source or "the file"
    if entry.kind == "no place":
        return f"{source}: {entry.note}"
    return f"{source} -> {entry.to}" + (f" ({entry.note})" if entry.note else "")


def _list(title: str, colour: str, lines: Sequence[str], console: Console) -> None:
    """A part of the report, where it has anything; without a terminal no line is broken."""
    if not lines:
        return
    console.print(Text(f"{title}: {len(lines)}", style=f"bold {colour}"))
    for line in lines:
        shown = _broken(line, console.width) if console.is_terminal else f"  {line}"
        console.print(plain(shown), soft_wrap=True)
    console.print()


def _broken(line: str, width: int) -> str:
    """The line in so many columns, broken between words only: a path stays whole."""
    return fill(
        line,
        width,
        initial_indent="  ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )


PARTS = {
    "mapped": ("mapped", "green"),
    "default": ("set to our default", "yellow"),
    "no place": ("no place here", "red"),
}
"""Title and colour of each part of the report, by kind of entry."""


def _as_dict(found: Imported, product: str, output: Path | None) -> dict[str, Any]:
    entries = {
        kind.replace(" ", "_"): [
            {"setting": each.source, "to": each.to, "note": each.note}
            for each in found.entries
            if each.kind == kind
        ]
        for kind in PARTS
    }
    whole = {"config": found.text} if output is None else {"output": str(output)}
    return {"from": product, **entries, "references": found.references, **whole}


def _content(file: str) -> bytes:
    """The bytes of a file, one more than allowed at most."""
    if file == _STDIN:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(file).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else "no file has such a name"
        remedy = "name the file that was exported, or - for standard input"
        raise ConfigError(38, f"{file} cannot be read: {problem}", remedy) from None


def _write(path: Path, text: str, *, force: bool) -> None:
    """Put the text there at once, for nobody but its owner."""
    try:
        exclusive = 0 if force else os.O_EXCL
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | exclusive, _OWNER_ONLY))
        path.chmod(_OWNER_ONLY)
        replace_file(path, text.encode())
    except FileExistsError:
        remedy = "name another one, or replace it with --force"
        raise ConfigError(39, f"there is a file {path} already", remedy) from None
    except OSError as error:
        cause = f"{path} cannot be written: {error.strerror}"
        raise ConfigError(39, cause, "check that its folder exists and may be written") from None
