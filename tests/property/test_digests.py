"""The packed set of digests, against a plain set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.core.digests import SIZE, DigestSet

# Of two letters, so that a digest often stands across two neighbours in a bucket.
DIGESTS = st.lists(st.sampled_from([0, 1]), min_size=SIZE, max_size=SIZE).map(bytes)
PAGES = st.lists(st.sets(DIGESTS, max_size=60), max_size=8)


@given(PAGES, st.sets(DIGESTS, max_size=30))
def test_like_a_set(pages: list[set[bytes]], asked: set[bytes]) -> None:
    """Whatever comes in whatever portions, it holds just that."""
    digests, plain = DigestSet(), set[bytes]()
    for page in pages:
        assert digests.held(page) == page & plain
        digests.update(page - plain)
        plain |= page
    assert digests.held(asked) == asked & plain
    assert len(digests) == len(plain)
    assert sorted(digests) == sorted(plain)


@given(st.integers(1, 20_000), st.integers(0, 1 << 32))
def test_many(count: int, seed: int) -> None:
    """However often it grows, each digest stays where it is looked for."""
    many = [
        ((seed + number) * 0x9E3779B97F4A7C15 % (1 << 128)).to_bytes(SIZE)
        for number in range(count)
    ]
    digests = DigestSet(many)
    assert digests.held(many) == set(many)
    assert digests.held(each[::-1] for each in many) <= set(many)
