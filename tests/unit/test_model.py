"""The values refuse nonsense."""

from __future__ import annotations

import pytest

from collector.core.auth import Token
from collector.core.model import Counts, Window
from tests.fakes.batches import batch_of


@pytest.mark.parametrize("end", [4, 5])
def test_window_ends_after_it_starts(end: int) -> None:
    """An empty or inverted window cannot be made."""
    with pytest.raises(ValueError, match="ends after it starts"):
        Window(5, end)


def test_counts_add_up() -> None:
    """Counts are added field by field, and balance exactly."""
    some = Counts(received=10, spooled=4, duplicate=3, filtered=2, dead_lettered=1)
    assert some.balanced()
    assert some + some == Counts(received=20, spooled=8, duplicate=6, filtered=4, dead_lettered=2)
    assert not (some + Counts(received=1)).balanced()


def test_lines_of_a_batch() -> None:
    """A batch gives back its records without their line ends."""
    assert batch_of([b'{"a":1}', b"{}"]).lines() == [b'{"a":1}', b"{}"]


def test_token_is_not_printed() -> None:
    """A token's text form hides its value."""
    assert "hunter2" not in repr(Token("hunter2"))
