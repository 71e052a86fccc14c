"""Which events are new."""

from __future__ import annotations

from collections import Counter

import pytest

from collector.core import digests
from collector.core.dedup import TIMELESS_SLOT, Fresh, digest, forgotten
from collector.core.digests import pack, unpack
from collector.core.known import Known
from collector.core.ledger import Account
from collector.core.model import NO_TIME, Counts, Event, Window
from collector.core.times import HOUR
from tests.fakes.pulls import START, event


class Stored:
    """The stored digests, and how often each slot was asked for."""

    def __init__(self) -> None:
        """Nothing is stored."""
        self.slots: dict[int, list[bytes]] = {}
        self.loads: Counter[int] = Counter()

    def load(self, slot: int) -> list[bytes]:
        """The blobs of a slot."""
        self.loads[slot] += 1
        return self.slots.get(slot, [])


def test_digest() -> None:
    """Id and time make an event, whatever its bytes."""
    one = event(1, START)
    assert len(digest(one)) == digests.SIZE
    assert digest(one) == digest(Event("id-1", START, b"other bytes"))
    assert digest(one) != digest(event(1, START + 1))
    assert digest(one) != digest(event(2, START))
    assert digest(Event("1\x002", 3, b"")) != digest(Event("2", 31, b""))


def test_digests_are_those_of_earlier_releases() -> None:
    """They are stored: another digest would make every known event new."""
    assert digest(Event("id-1", 1, b"")).hex() == "b191d5580caeb348e33858b533a3169b"


def test_slots() -> None:
    """A digest lies in the UTC hour of its event, or in a slot of its own."""
    events = [event(1, START + HOUR - 1), event(2, NO_TIME), event(3, START + HOUR)]
    slots = Known(Stored().load).fresh(events).slots
    assert list(slots) == [START // HOUR, TIMELESS_SLOT, START // HOUR + 1]


def test_fresh_and_duplicates() -> None:
    """What is stored, or comes twice in a page, is a duplicate; order is kept."""
    stored = Stored()
    stored.slots[START // HOUR] = [digest(event(2))]
    fresh = Known(stored.load).fresh([event(3), event(2), event(1), event(3)])
    assert [each.id for each in fresh.events] == ["id-3", "id-1"]
    assert fresh.digests == [digest(event(3)), digest(event(1))]
    assert fresh.slots == {START // HOUR: fresh.digests}
    assert fresh.duplicates == 2


def test_nothing_is_known_before_it_is_durable() -> None:
    """A page whose commit failed is fresh again; one that was committed is not."""
    known = Known(Stored().load)
    page = [event(1), event(2)]
    fresh = known.fresh(page)
    assert known.fresh(page) == fresh
    known.remember(fresh.slots)
    assert known.fresh(page).events == []


def test_slots_are_loaded_once() -> None:
    """While a slot stays in memory, the store is not asked again."""
    stored = Stored()
    known = Known(stored.load)
    for _ in range(3):
        known.fresh([event(1), event(2, START + HOUR)])
    assert set(stored.loads.values()) == {1}


def test_least_recently_used_slot_goes_first() -> None:
    """Beyond its bound, the index lets go of the slot that was not used for longest."""
    stored = Stored()
    known = Known(stored.load, max_slots=2)
    first, second, third = (START // HOUR + n for n in range(3))
    for each in (first, second, first, third, first, second):
        known.fresh([event(1, each * HOUR)])
    assert stored.loads == {first: 1, second: 2, third: 1}


def test_a_slot_that_was_let_go_is_remembered_by_the_store() -> None:
    """Remembering a slot that is not in memory does not make it look complete."""
    stored = Stored()
    known = Known(stored.load, max_slots=1)
    one = known.fresh([event(1)])
    known.fresh([event(2, START + HOUR)])
    stored.slots = {each: [pack(found)] for each, found in one.slots.items()}
    known.remember(one.slots)
    assert known.fresh([event(1), event(3)]).duplicates == 1


def test_forget() -> None:
    """After the stored digests were replaced, they are loaded anew."""
    stored = Stored()
    known = Known(stored.load)
    known.remember(known.fresh([event(1)]).slots)
    known.forget()
    assert len(known.fresh([event(1)]).events) == 1


def test_what_is_wanted_again() -> None:
    """It is new though it is known, by the digest it had, which is not stored a second time."""
    known = Known(Stored().load)
    known.remember(known.fresh([event(1), event(2)]).slots)
    found = known.fresh([event(1)], digest(event(2)))
    assert found == Fresh([event(1)], [digest(event(2))], {}, 0)


def row(*, spooled: int, first: int, last: int) -> Account:
    """A row that took so many events, between these slots."""
    return Account(
        span=Window(0, HOUR),
        counts=Counts(received=spooled, spooled=spooled),
        digest=1,
        first=first * HOUR,
        last=last * HOUR,
    )


@pytest.mark.parametrize(
    ("kept", "gone"),
    [
        ({3: 5}, True),  # the last hour is gone
        ({4: 9}, True),  # the first hour is gone, whatever its neighbour holds
        ({3: 2, 4: 2}, True),  # some are gone
        ({3: 4, 4: 1}, False),
        ({3: 2, 4: 2, TIMELESS_SLOT: 1}, False),
        ({3: 900, 4: 900}, False),
        ({}, True),
    ],
)
def test_forgotten(kept: dict[int, int], *, gone: bool) -> None:
    """A row is forgotten when fewer ids are kept than it took, or none at one of its ends."""
    assert forgotten(row(spooled=5, first=3, last=4), kept) is gone


def test_a_row_that_took_nothing_is_not_forgotten() -> None:
    """There is nothing to forget."""
    assert not forgotten(Account(span=Window(0, HOUR)), {})


def test_pack() -> None:
    """Blobs of any number of digests come back as a set."""
    found = [digest(event(n)) for n in range(5)]
    assert unpack([pack(found[:3]), pack(found[3:]), pack([])]) == set(found)
