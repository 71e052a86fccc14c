"""Fills the product's index of known events, a thousand a page.

    python -m bench.workers.dedup EVENTS

All lie in one hour, the most that the index holds in one piece.
"""

from __future__ import annotations

import gc
import sys

from bench.meter import resident, spent, tell
from bench.records import guids
from collector.core.known import Known
from collector.core.model import Event

_PAGE = 1000
_HOUR = 3_600_000_000


def _page(number: int) -> list[Event]:
    return [
        Event(guid, number * _PAGE * 7 % _HOUR + place, b"")
        for place, guid in enumerate(guids(_PAGE, number))
    ]


def main(events: int) -> None:
    """Take in so many events, then meet some of them again."""
    known = Known(lambda _slot: ())
    gc.collect()
    before = resident()
    taking = sum(_taken(known, _page(number), new=True) for number in range(events // _PAGE))
    size = resident() - before
    again = min(events // _PAGE, 100)
    meeting = sum(_taken(known, _page(number), new=False) for number in range(again))
    tell(cpu=taking, bytes=size, met_again=again * _PAGE, met_cpu=meeting)


def _taken(known: Known, page: list[Event], *, new: bool) -> float:
    """Processor seconds of a page in the index alone; raises when it errs."""
    with spent() as took:
        fresh = known.fresh(page)
        if new:
            known.remember(fresh.slots)
    if len(fresh.events) != (len(page) if new else 0):
        raise AssertionError(f"{len(fresh.events)} of {len(page)} events were called new")
    return took.cpu


if __name__ == "__main__":
    main(int(sys.argv[1]))
