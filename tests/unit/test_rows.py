"""The form that a table takes, by the width that there is."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from collector.cli.screen import plain, table

SERVICE, HOUR, WHY = "pod#audit", "2026-01-01T18:00Z", "the archive broke off and is asked again"


def printed(width: int, *, title: str | None = None) -> list[str]:
    """The lines of a small table on a terminal of that width."""
    rows = table("service", "hour", "#events", "~why", title=title)
    rows.add_row(SERVICE, HOUR, "7", WHY)
    rows.add_row(SERVICE, f"[red]{HOUR}[/]", "1,234", plain("-"))
    text = io.StringIO()
    Console(file=text, width=width).print(rows)
    return [line.rstrip() for line in text.getvalue().splitlines()]


@pytest.mark.parametrize("width", range(30, 121))
def test_nothing_but_prose_is_broken(width: int) -> None:
    """At any width identifiers, times, numbers and every word stand whole, and lines fit."""
    lines = printed(width)
    text = "\n".join(lines)
    assert text.count(SERVICE) == text.count(HOUR) == 2
    assert "1,234" in text
    assert set(WHY.split()) <= set(text.split())
    assert max(map(len, lines)) <= width


def test_side_by_side_where_there_is_room() -> None:
    """A line for each row, numbers to the right."""
    assert printed(120) == [
        "service    hour               events  why",
        f"{SERVICE}  {HOUR}       7  {WHY}",
        f"{SERVICE}  {HOUR}   1,234  -",
    ]


def test_prose_wraps_before_it_moves() -> None:
    """It keeps its column while that has a readable width."""
    assert printed(66) == [
        "service    hour               events  why",
        f"{SERVICE}  {HOUR}       7  the archive broke off and is",
        f"{' ' * 38}asked again",
        f"{SERVICE}  {HOUR}   1,234  -",
    ]


def test_prose_below_its_row_where_it_has_no_room() -> None:
    """With its heading; what says nothing takes no line."""
    assert printed(50) == [
        "service   hour              events",
        f"{SERVICE} {HOUR}      7",
        f"    why: {WHY}",
        f"{SERVICE} {HOUR}  1,234",
    ]


def test_blocks_where_the_row_has_no_room() -> None:
    """A line for each column, an empty line between two rows."""
    assert printed(30) == [
        f"service  {SERVICE}",
        f"hour     {HOUR}",
        "events   7",
        "why      the archive broke off",
        "         and is asked again",
        "",
        f"service  {SERVICE}",
        f"hour     {HOUR}",
        "events   1,234",
    ]


@pytest.mark.parametrize("width", [30, 50, 120])
def test_a_title_comes_first(width: int) -> None:
    """In each form."""
    assert printed(width, title="Verdict") == ["Verdict", *printed(width)]
