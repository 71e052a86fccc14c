"""The table of a connection test, and the page that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.probe.products import OF_TYPE, table
from collector.probe.verdicts import TABLE, Side, Trouble, of_status

PAGE = (Path(__file__).parents[2] / "docs" / "testing-connections.md").read_text(encoding="utf-8")
ROWS = [(side, trouble) for side in Side for trouble in TABLE[side]]
OWN_ROWS = [(kind, trouble) for kind, rows in OF_TYPE.items() for trouble in rows]


@pytest.mark.parametrize(("side", "trouble"), ROWS, ids=str)
def test_page_shows_each_row(side: Side, trouble: Trouble) -> None:
    """The operator's page has every row of the table, word for word."""
    explanation, recommendation = TABLE[side][trouble]
    assert f"| {trouble} | {explanation} | {recommendation} |" in PAGE


@pytest.mark.parametrize(("kind", "trouble"), OWN_ROWS, ids=str)
def test_page_shows_each_row_of_a_type(kind: str, trouble: Trouble) -> None:
    """The same under the heading of each type of output."""
    section = PAGE.partition(f"### `{kind}`")[2].partition("###")[0]
    explanation, recommendation = OF_TYPE[kind][trouble]
    assert f"| {trouble} | {explanation} | {recommendation} |" in section


@pytest.mark.parametrize("kind", OF_TYPE)
def test_rows_of_a_type_go_first(kind: str) -> None:
    """A type's own row stands in place of the general one, which stands for all others."""
    rows = table(Side.DESTINATION, kind)
    assert OF_TYPE[kind].items() <= rows.items()
    assert rows.keys() >= TABLE[Side.DESTINATION].keys()


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (302, Trouble.REDIRECTED),
        (400, Trouble.BAD_REQUEST),
        (401, Trouble.UNAUTHORIZED),
        (403, Trouble.FORBIDDEN),
        (404, Trouble.NOT_FOUND),
        (405, Trouble.METHOD_REFUSED),
        (407, Trouble.PROXY_LOGIN),
        (409, Trouble.CONFLICT),
        (418, Trouble.BAD_REQUEST),
        (429, Trouble.TOO_MANY),
        (503, Trouble.SERVER),
        (204, Trouble.UNREADABLE),
    ],
)
def test_statuses(status: int, trouble: Trouble) -> None:
    """Each status of the vendor has its row, and an unknown one that of its kind."""
    assert of_status(status) is trouble
    assert trouble in TABLE[Side.VENDOR]


def test_taken_session_accuses_nobody() -> None:
    """409 says that nothing is wrong with the token."""
    verdict = TABLE[Side.VENDOR][Trouble.CONFLICT]
    assert "exists already: nothing is wrong with the token" in verdict.explanation
