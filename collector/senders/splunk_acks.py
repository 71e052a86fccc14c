"""Indexer acknowledgement: which posts wait to be indexed, and which never will be.

Splunk numbers the posts of a channel from 0 and says true once for each that is
indexed.  After a restart it knows none of the old numbers and begins anew, so a
number that comes again tells that what had it before is lost.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from collector.senders.http_parts import Part


class _Pending(NamedTuple):
    part: Part
    since: float


class Acknowledgements:
    """The posts that were taken and are not known to be indexed; ``since`` is monotonic seconds."""

    def __init__(self) -> None:
        self._pending: dict[int, _Pending] = {}
        self._lost: list[Part] = []

    def expect(self, number: int, part: Part, since: float) -> None:
        """Wait for this number; who waited for it before is lost."""
        former = self._pending.pop(number, None)
        if former is not None:
            self._lost.append(former.part)
        self._pending[number] = _Pending(part, since)

    def settle(self, numbers: Collection[int]) -> None:
        """These are indexed."""
        for number in numbers:
            self._pending.pop(number, None)

    def waiting(self, most: int) -> list[int]:
        """The numbers to ask for, the oldest first."""
        return [*self._pending][:most]

    def take_lost(self, before: float) -> list[Part]:
        """The lost ones, with those that have waited since then or longer; they are forgotten."""
        late = [number for number, each in self._pending.items() if each.since <= before]
        lost = self._lost + [self._pending.pop(number).part for number in late]
        self._lost = []
        return lost
