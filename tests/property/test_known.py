"""The index of known events, against a plain set."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collector.core.digests import pack
from collector.core.known import Known
from collector.core.model import NO_TIME, Event
from collector.core.times import HOUR
from tests.fakes.pulls import START

EVENTS = st.builds(
    lambda number, hour: Event(f"{number}", NO_TIME if hour < 0 else START + hour * HOUR, b"{}"),
    st.integers(0, 5),
    st.integers(-1, 4),
)


class Index(RuleBasedStateMachine):
    """Pages, some of which are lost before they are durable, over few slots in memory."""

    def __init__(self) -> None:
        """Know nothing."""
        super().__init__()
        self.stored: dict[int, list[bytes]] = {}
        self.plain: set[tuple[str, int]] = set()
        self.loaded = 0
        self.begin(2)

    @rule(max_slots=st.integers(1, 3))
    def begin(self, max_slots: int) -> None:
        """A new process: only what was stored is known."""
        self.known = Known(self.load, max_slots)

    def load(self, slot: int) -> list[bytes]:
        """The stored blobs of a slot."""
        self.loaded += 1
        return list(self.stored.get(slot, ()))

    @rule(page=st.lists(EVENTS, max_size=8), durable=st.booleans())
    def page(self, page: list[Event], durable: bool) -> None:  # noqa: FBT001 - drawn
        """A page comes, and is committed or lost."""
        fresh = self.known.fresh(page)
        ids = [(event.id, event.time) for event in page]
        assert [(event.id, event.time) for event in fresh.events] == [
            each for each in dict.fromkeys(ids) if each not in self.plain
        ]
        assert fresh.duplicates == len(page) - len(fresh.events)
        if durable:
            for slot, digests in fresh.slots.items():
                self.stored.setdefault(slot, []).append(pack(digests))
            self.known.remember(fresh.slots)
            self.plain |= set(ids)

    @invariant()
    def one_digest_for_each_event(self) -> None:
        """What is stored never holds an event twice."""
        assert sum(len(blob) for blobs in self.stored.values() for blob in blobs) == 16 * len(
            self.plain
        )


TestIndex = Index.TestCase
TestIndex.settings = settings(max_examples=60, stateful_step_count=20)
