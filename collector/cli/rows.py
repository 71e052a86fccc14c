"""Tables that stay readable on a narrow terminal, by one rule for all of them.

No column is ever narrower than what stands in it, so that no identifier, number or time
is broken; only prose is, between words.  Where the terminal is too narrow for that, prose
stands below its row; and where the rest of a row does not fit either, each row is a block
with a line for every column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_BETWEEN = 2
"""Columns of the terminal between two of a table."""
_CLOSE = 1
"""The same where prose has no room beside them."""
_PROSE = 24
"""The narrowest in which prose reads well beside other columns."""
_INDENT = 4
_HEADING = "table.header"


class Column(msgspec.Struct, frozen=True):
    """A column; ``justify`` is as rich has it, and ``prose`` may be broken between words."""

    heading: str
    justify: Literal["left", "right"]
    prose: bool

    @classmethod
    def of(cls, text: str) -> Column:
        """``#`` before the heading stands for numbers, ``~`` for prose."""
        justify: Literal["left", "right"] = "right" if text.startswith("#") else "left"
        return cls(text.lstrip("#~"), justify, text.startswith("~"))


class Rows:
    """A table, which chooses its form when it is printed, by the width that there is."""

    def __init__(self, columns: Sequence[str], title: str | None) -> None:
        self._columns = [Column.of(each) for each in columns]
        self._title = title
        self._rows: list[list[Text]] = []

    def add_row(self, *cells: str | Text) -> None:
        """Add a row, a cell for each column; a ``str`` is markup."""
        self._rows.append(
            [Text.from_markup(each) if isinstance(each, str) else each for each in cells]
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines of the widest form that fits."""
        if self._title is not None:
            yield Text(self._title, style="table.title")
        widths = self._widths()
        short = [n for n, column in enumerate(self._columns) if not column.prose]
        if self._beside(widths) <= options.max_width:
            yield self._side_by_side()
        elif _together([widths[n] for n in short], _CLOSE) <= options.max_width:
            yield from self._prose_below(short, widths)
        else:
            yield from self._blocks()

    def _beside(self, widths: list[int]) -> int:
        """The width of the table with prose as narrow as it may be."""
        least = [
            min(width, _PROSE) if column.prose else width
            for column, width in zip(self._columns, widths, strict=True)
        ]
        return _together(least, _BETWEEN)

    def _widths(self) -> list[int]:
        """How wide each column is where nothing of it is broken."""
        return [
            max([len(column.heading), *(_width(row[n]) for row in self._rows)])
            for n, column in enumerate(self._columns)
        ]

    def _side_by_side(self) -> Table:
        made = Table(box=None, pad_edge=False, padding=(0, _BETWEEN, 0, 0))
        for each in self._columns:
            made.add_column(
                each.heading, justify=each.justify, no_wrap=not each.prose, overflow="fold"
            )
        for row in self._rows:
            made.add_row(*row)
        return made

    def _prose_below(self, short: list[int], widths: list[int]) -> Iterator[Text | Padding]:
        yield self._line([Text(each.heading, _HEADING) for each in self._columns], short, widths)
        for row in self._rows:
            yield self._line(row, short, widths)
            for column, cell in zip(self._columns, row, strict=True):
                if column.prose and not _silent(column, cell):
                    text = Text.assemble((f"{column.heading}: ", _HEADING), cell)
                    yield Padding(text, (0, 0, 0, _INDENT), expand=False)

    def _line(self, cells: list[Text], short: list[int], widths: list[int]) -> Text:
        placed = [cells[n].copy() for n in short]
        for n, cell in zip(short, placed, strict=True):
            cell.align(self._columns[n].justify, widths[n])
        return Text(" " * _CLOSE).join(placed)

    def _blocks(self) -> Iterator[Text | Table]:
        width = max(len(each.heading) for each in self._columns)
        for number, row in enumerate(self._rows):
            block = Table.grid(padding=(0, _BETWEEN, 0, 0))
            block.add_column(style=_HEADING, width=width)
            block.add_column(overflow="fold")
            for column, cell in zip(self._columns, row, strict=True):
                if not _silent(column, cell):
                    block.add_row(column.heading, cell)
            if number:
                yield Text()
            yield block


def _together(widths: Sequence[int], between: int) -> int:
    return sum(widths) + between * (len(widths) - 1)


def _width(cell: Text) -> int:
    return max((line.cell_len for line in cell.split("\n")), default=0)


def _silent(column: Column, cell: Text) -> bool:
    """Whether a line for it would say nothing."""
    return not cell.plain or (column.prose and cell.plain == "-")
