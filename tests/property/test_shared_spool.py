"""By how much several workers may go over the bound of the spool that they share."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.app.backpressure import SpoolGate
from collector.core.gate import Marks
from tests.fakes.clock import ManualClock
from tests.fakes.log import MemoryLog

LIMIT = 100_000
PAGE = 100
COUNTED_EVERY = 1.0


class Shared:
    """The spool as it is."""

    def __init__(self, size: int) -> None:
        """So many bytes wait."""
        self.size = size
        self.most = size


class Worker:
    """One of those who fill it: it knows its own commits, and of the others what it counted."""

    def __init__(self, shared: Shared, rate: int, clock: ManualClock) -> None:
        """``rate``: bytes a second that it takes at most, after a page."""
        self._shared = shared
        self._rate = rate
        self._clock = clock
        self._seen = shared.size
        self._counted = self._took = clock.monotonic()
        self._ready = PAGE
        self._gate = SpoolGate(self._size, Marks(LIMIT), clock, MemoryLog())

    def _size(self) -> int:
        if self._clock.monotonic() - self._counted >= COUNTED_EVERY:
            self._seen, self._counted = self._shared.size, self._clock.monotonic()
        return self._seen

    def take(self) -> None:
        """Commit a page, if the vendor has given it and the gate lets it pass."""
        now = self._clock.monotonic()
        self._ready = min(self._ready + int((now - self._took) * self._rate), PAGE)
        self._took = now
        if self._ready < PAGE or not self._gate.wait(0):
            return
        with self._gate.admitted(PAGE) as fits:
            if fits:
                self._ready = 0
                self._seen += PAGE
                self._shared.size += PAGE
                self._shared.most = max(self._shared.most, self._shared.size)


@settings(max_examples=150)
@given(
    workers=st.integers(2, 6),
    rate=st.integers(100, 20_000),
    start=st.integers(80_000, 95_000),
    steps=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([0.0, 0.005, 0.05, 0.3]), st.booleans()),
        max_size=300,
    ),
)
def test_the_margin_is_that_of_the_documents(
    workers: int, rate: int, start: int, steps: list[tuple[int, float, bool]]
) -> None:
    """What all of them take between two counts, and a page each, less the twentieth."""
    clock = ManualClock(0)
    shared = Shared(start)
    crew = [Worker(shared, rate, clock) for _ in range(workers)]
    for number, seconds, delivered in steps:
        clock.advance(seconds)
        shared.size = max(shared.size - PAGE, 0) if delivered else shared.size
        crew[number % workers].take()
    between = workers * (rate * COUNTED_EVERY + PAGE)
    assert shared.most <= LIMIT * 0.95 + between
    if between <= LIMIT * 0.05:
        assert shared.most <= LIMIT
