"""``collector import``: a configuration of another product becomes one of ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from collector.cli.options import JsonOption
from collector.cli.screen import err, out, plain, print_json, table
from collector.clock import SystemClock
from collector.config.atomic import replace_file
from collector.config.source import MAX_BYTES
from collector.errors import ConfigError
from collector.importers.draft import Entry
from collector.importers.products import PRODUCTS, Imported, convert

_OWNER_ONLY = 0o600
_STDIN = "-"

ProductName = Enum("ProductName", {name: name for name in PRODUCTS})  # type: ignore[misc]
KINDS = (("mapped", "green"), ("default", "yellow"), ("no place", "red"))


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
    for kind, colour in KINDS:
        entries = [each for each in found.entries if each.kind == kind]
        if entries:
            _show(kind, colour, entries, console)
    if found.references:
        secrets = table("reference", "for", title="to be had before collector run")
        for reference, places in found.references.items():
            secrets.add_row(plain(reference), plain(", ".join(places)))
        console.print(secrets)
        console.print()
    if output is not None:
        console.print(plain(f"{output} is written. Next: collector check --config {output}"))


def _show(kind: str, colour: str, entries: Sequence[Entry], console: Console) -> None:
    title, *columns = TABLES[kind]
    shown = table(*columns, title=f"[{colour}]{title}[/]")
    for each in entries:
        source = [] if kind == "default" else [each.source or "the file"]
        to = [] if kind == "no place" else [each.to]
        shown.add_row(*(plain(cell) for cell in (*source, *to, each.note)))
    console.print(shown)
    console.print()


TABLES = {
    "mapped": ("mapped", "setting", "is here", "note"),
    "default": ("set to our default", "setting here", "why"),
    "no place": ("no place here", "setting", "why"),
}
"""Title and columns of each part of the report."""


def _as_dict(found: Imported, product: str, output: Path | None) -> dict[str, Any]:
    entries = {
        kind.replace(" ", "_"): [
            {"setting": each.source, "to": each.to, "note": each.note}
            for each in found.entries
            if each.kind == kind
        ]
        for kind, _ in KINDS
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
