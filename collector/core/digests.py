"""A set of 16-byte digests in few bytes each.

A Python set costs 91 bytes a digest (measured at ten million); this costs about
20, in buckets that hold their digests end to end.  The table grows by linear
hashing, a few buckets at a time, so that no insertion waits for all of it to be
moved (Litwin, "Linear hashing", VLDB 1980).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

SIZE = 16
"""Bytes of a digest."""

_PER_BUCKET = 24
"""Digests a bucket holds on average: more take fewer bytes each, but longer to search."""


class DigestSet:
    """Digests that only come; they are evenly distributed by their nature."""

    def __init__(self, digests: Collection[bytes] = ()) -> None:
        self._buckets = [bytearray()]
        self._mask = 0
        self._count = 0
        self.update(digests)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        for bucket in self._buckets:
            yield from cut(bytes(bucket))

    def held(self, digests: Iterable[bytes]) -> set[bytes]:
        """Those of the digests that are in the set."""
        buckets, mask, size = self._buckets, self._mask, len(self._buckets)
        found = set()
        for digest in digests:
            place = hash(digest) & mask
            bucket = buckets[place if place < size else place & (mask >> 1)]
            if bucket.find(digest) >= 0 and _whole(bucket, digest):
                found.add(digest)
        return found

    def update(self, digests: Collection[bytes]) -> None:
        """Take in digests, none of which is in the set."""
        self._count += len(digests)
        while self._count > _PER_BUCKET * len(self._buckets):
            self._split()
        buckets, mask, size = self._buckets, self._mask, len(self._buckets)
        for digest in digests:
            place = hash(digest) & mask
            buckets[place if place < size else place & (mask >> 1)] += digest

    def _split(self) -> None:
        """Add a bucket, which takes its share of the one that it was part of."""
        added = len(self._buckets)
        if added > self._mask:
            self._mask = self._mask << 1 | 1
        parted = added & (self._mask >> 1)
        bit = added ^ parted
        stay: list[bytes] = []
        go: list[bytes] = []
        for digest in cut(bytes(self._buckets[parted])):
            (go if hash(digest) & bit else stay).append(digest)
        self._buckets[parted] = bytearray().join(stay)
        self._buckets.append(bytearray().join(go))


def cut(packed: bytes) -> list[bytes]:
    """The digests that stand end to end."""
    return [packed[at : at + SIZE] for at in range(0, len(packed), SIZE)]


def _whole(bucket: bytearray, digest: bytes) -> bool:
    """Whether the bytes are one of the bucket's digests, not parts of two neighbours."""
    at = bucket.find(digest)
    while at > 0 and at % SIZE:
        at = bucket.find(digest, at + 1)
    return at >= 0
