"""The short way to read a time answers as the long way does."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from collector.core import times

FORMS = st.sampled_from(
    [
        "2026-05-01T10:00:00.532614+0000",
        "2026-05-01T10:00:00.532614",
        "2026-05-01 23:59:59.999999-07:00",
        "2026-05-01T10:00:00.5326141",
        "2026-05-01T10-00:00.532614",
        "2026-W18-5T10:00:00.532614Z",
    ]
)
ODD = st.characters(codec="utf-8", categories=("Nd", "Zs", "Po", "Pd", "Lu"))


def plainly(text: str) -> int | None:
    """What the standard library makes of it."""
    try:
        return times.from_datetime(datetime.fromisoformat(text))
    except ValueError:
        return None


@given(FORMS, st.lists(st.tuples(st.integers(0, 32), ODD), max_size=2), st.integers(19, 40))
def test_short_way(form: str, odd: list[tuple[int, str]], length: int) -> None:
    """Whatever stands in the text, cut wherever: the same instant, or no time for both."""
    letters = list(form)
    for place, letter in odd:
        letters[place % len(letters)] = letter
    text = "".join(letters)[:length]
    try:
        read = times.parse(text)
    except ValueError:
        read = None
    assert read == plainly(text)
