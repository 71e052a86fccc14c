"""The packed set of digests, against a plain set."""

from __future__ import annotations

from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from collector.core.digest_set import DigestSet
from collector.core.digests import SIZE

# Few of them, so that they meet again, and with few first bytes, so that they want the same slots.
DIGESTS = st.tuples(st.integers(1, 3), st.integers(0, 40)).map(
    lambda parts: bytes([parts[0]]) + bytes(7) + parts[1].to_bytes(8)
)
PAGES = st.lists(st.sets(DIGESTS, max_size=60), max_size=8)


@given(PAGES, st.sets(DIGESTS, max_size=30))
def test_like_a_set(pages: list[set[bytes]], asked: set[bytes]) -> None:
    """Whatever comes in whatever portions, it holds just that."""
    digests, plain = DigestSet(), set[bytes]()
    for page in pages:
        assert digests.held(list(page)) == page & plain
        digests.update(b"".join(page - plain))
        plain |= page
    assert digests.held(list(asked)) == asked & plain
    assert len(digests) == len(plain)
    assert sorted(digests) == sorted(plain)


@given(st.integers(1, 20_000), st.integers(0, 1 << 32))
def test_many(count: int, seed: int) -> None:
    """However often it grows, each digest stays where it is looked for."""
    many = [blake2b(b"%d" % (seed + n), digest_size=SIZE).digest() for n in range(count)]
    digests = DigestSet([b"".join(many[: count // 2]), b"".join(many[count // 2 :])])
    assert digests.held(many) == set(many)
    assert len(digests) == count
    assert sorted(digests) == sorted(many)
    assert digests.held([each[::-1] for each in many]) <= set(many)


def test_a_digest_that_begins_with_zeros() -> None:
    """Its first half is what marks a free slot: it is held all the same."""
    zeros = bytes(8) + b"\1" * 8
    digests = DigestSet([zeros])
    assert digests.held([zeros, bytes(8) + b"\2" * 8]) == {zeros}
