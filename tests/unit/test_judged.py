"""The hours that ``collector ledger show --gaps`` prints as one row."""

from __future__ import annotations

import io

from rich.console import Console

from collector.cli.judged import Judged, alike, hourly
from collector.cli.rows import Rows
from collector.core import times
from collector.core.ledger import PARTIAL, UNRECOVERABLE, Account
from collector.core.model import Counts, Window
from collector.core.standing import GAP, Standing
from collector.core.times import HOUR
from collector.persistence.hours import MISSING, Hour

START = times.parse("2026-01-01T00:00:00Z")


def gap(
    number: int, source: str = "pod#audit", state: str = MISSING, reason: str | None = None
) -> Judged:
    """The gap that is so many hours after the start, with one event of which a file has it."""
    at = START + number * HOUR
    account = Account(
        span=Window(at, at + HOUR), state=state, reason=reason, counts=Counts(spooled=1)
    )
    kind = UNRECOVERABLE if state == UNRECOVERABLE else GAP
    return Judged(
        Hour(source=source, account=account, delivered={"files": 1}),
        Standing(kind=kind, due=at + 2 * HOUR, overdue=at + 4 * HOUR),
    )


def lines(rows: Rows) -> list[list[str]]:
    """The cells of each printed row."""
    text = io.StringIO()
    Console(file=text, width=200).print(rows)
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()]
        for line in text.getvalue().splitlines()[1:]
    ]


def test_hours_in_a_row_are_one() -> None:
    """From the start of the first to the end of the last, with sums, and both moments due."""
    (row,) = lines(alike([gap(0), gap(1), gap(2)]))
    assert row[:5] == [
        "pod#audit",
        "2026-01-01T00:00Z",
        "2026-01-01T03:00Z",
        "3",
        "missing: gap",
    ]
    assert row[5:9] == ["3", "0", "0", "0"]
    assert row[9:] == ["files 3", "was due 2026-01-01T02:00Z to 2026-01-01T04:00Z"]


def test_one_hour_is_a_row_of_its_own() -> None:
    """It was due at one moment."""
    (row,) = lines(alike([gap(5)]))
    assert row[1:4] == ["2026-01-01T05:00Z", "2026-01-01T06:00Z", "1"]
    assert row[-1] == "was due 2026-01-01T07:00Z"


def test_what_differs_is_told_apart() -> None:
    """A pause, another service, another state and another reason each begin a row."""
    judged = [
        gap(0),
        gap(2),
        gap(3, "pod#message"),
        gap(4, "pod#message", PARTIAL),
        gap(5, "pod#message", UNRECOVERABLE, "too old"),
        gap(6, "pod#message", UNRECOVERABLE, "[denied]"),
        gap(7, "pod#message", UNRECOVERABLE, "[denied]"),
    ]
    told = lines(alike(judged))
    assert [row[3] for row in told] == ["1", "1", "1", "1", "1", "2"]
    assert told[-1][-1] == "[denied]"


def test_without_gaps_each_hour_is_a_row() -> None:
    """Its counts are its own."""
    assert [row[1] for row in lines(hourly([gap(0), gap(1)]))] == [
        "2026-01-01T00:00Z",
        "2026-01-01T01:00Z",
    ]


def test_nothing_is_no_row() -> None:
    """The headings alone."""
    assert lines(alike([])) == []
