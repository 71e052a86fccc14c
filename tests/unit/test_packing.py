"""Bodies of batches as the file holds them: smaller, and never anything else than they were."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.persistence.database import PAGE_SIZE
from collector.persistence.packing import PLAIN, ZSTD, Packed, pack, unpack
from tests.fakes.batches import numbered
from tests.fakes.noise import noise

RECORDS = b"\n".join(numbered(1, 1000)) + b"\n"


@given(
    piece=st.binary(min_size=1, max_size=200),
    times=st.integers(min_value=0, max_value=2 * PAGE_SIZE),
    rest=st.binary(max_size=50),
)
def test_a_body_comes_back_as_it_was(piece: bytes, times: int, rest: bytes) -> None:
    """Every byte of it, whatever they are and however many."""
    body = piece * min(times, 1_000_000 // len(piece)) + rest
    packed = pack(body)
    assert unpack(packed, len(body)) == body
    assert len(packed.body) <= len(body)


def test_records_shrink() -> None:
    """To less than a quarter, for they repeat each other."""
    packed = pack(RECORDS)
    assert packed.codec == ZSTD
    assert len(packed.body) < len(RECORDS) / 4


@pytest.mark.parametrize("body", [b"", b"{}\n", b"x" * PAGE_SIZE, noise(3 * PAGE_SIZE)], ids=len)
def test_what_gains_nothing_stays(body: bytes) -> None:
    """What fits a page, and what does not shrink."""
    assert pack(body) == Packed(PLAIN, body)


def test_the_same_body_is_stored_alike() -> None:
    """The id of a batch holds the checksum of what is stored."""
    assert pack(RECORDS) == pack(bytes(bytearray(RECORDS)))


@pytest.mark.parametrize(
    ("packed", "size"),
    [
        (Packed(PLAIN, pack(RECORDS).body), len(RECORDS)),
        (Packed(ZSTD, RECORDS), len(RECORDS)),
        (Packed("lz4", pack(RECORDS).body), len(RECORDS)),
        (pack(RECORDS), len(RECORDS) - 1),
        (Packed(ZSTD, pack(RECORDS).body[:-100]), len(RECORDS)),
        (Packed(ZSTD, b""), 1),
    ],
    ids=["plain", "not compressed", "another form", "another size", "cut", "empty"],
)
def test_anything_else_is_damage(packed: Packed, size: int) -> None:
    """It is told as such, and never delivered."""
    with pytest.raises(sqlite3.DatabaseError):
        unpack(packed, size)
