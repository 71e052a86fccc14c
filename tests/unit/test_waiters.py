"""Each service that waits for the token of its input hears why it waits."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from collector.core.model import Request, Response
from collector.core.times import SECOND
from collector.errors import VendorUnavailable
from collector.setup.keeper import Keeper
from collector.setup.waiters import ServiceTokens, Waiters
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import START
from tests.unit.test_keeper import Exchange, Numbered

DOWN = VendorUnavailable(500, "down", "wait")
Heard = list[tuple[VendorUnavailable, float]]


class Ear:
    """Notes what it is told; ``gives_up``: it wants to wait no longer."""

    def __init__(self, *, gives_up: bool = False) -> None:
        self.heard: Heard = []
        self._gives_up = gives_up

    def __call__(self, error: VendorUnavailable, seconds: float) -> None:
        """Take note."""
        self.heard.append((error, seconds))
        if self._gives_up:
            raise error


@pytest.fixture
def clock() -> ManualClock:
    """By hand."""
    return ManualClock(START)


@pytest.fixture
def waiters(clock: ManualClock) -> Waiters:
    """Of one input."""
    return Waiters(clock)


def beside(waiters: Waiters, other: Ear, own: Ear, seconds: float = 4.0) -> None:
    """One thread waits, and the call of this one fails."""
    waits, done = threading.Event(), threading.Event()

    def wait() -> None:
        with waiters.joined(other):
            waits.set()
            done.wait(10)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(wait)
        waits.wait(10)
        try:
            with waiters.joined(own):
                waiters.tell(DOWN, seconds)
        finally:
            done.set()


def test_all_who_wait_hear_of_a_failed_try(waiters: Waiters) -> None:
    """Whose call it is, and who waits for its answer."""
    own, other = Ear(), Ear()
    beside(waiters, other, own)
    assert own.heard == other.heard == [(DOWN, 4.0)]


def test_who_comes_before_the_next_try_hears_of_the_last_one(
    waiters: Waiters, clock: ManualClock
) -> None:
    """With the seconds that are left; after the next try there is nothing to tell."""
    beside(waiters, Ear(), Ear())
    late, later = Ear(), Ear()
    clock.advance(1)
    with waiters.joined(late):
        clock.advance(3)
    with waiters.joined(later):
        pass
    assert late.heard == [(DOWN, 3.0)]
    assert later.heard == []


def test_one_that_gives_up_ends_its_own_call_alone(waiters: Waiters) -> None:
    """The call of another goes on."""
    own = Ear()
    beside(waiters, Ear(gives_up=True), own)
    assert len(own.heard) == 1
    with pytest.raises(VendorUnavailable):
        beside(waiters, Ear(), Ear(gives_up=True))
    with waiters.joined(Ear(gives_up=True)):  # to come late ends nothing either
        pass


def test_a_token_is_asked_for_among_those_who_wait(waiters: Waiters, clock: ManualClock) -> None:
    """The first one and one in the place of another."""
    ear, exchange = Ear(), Exchange()

    def failing_once(request: Request) -> Response:
        if not ear.heard:
            waiters.tell(DOWN, 1.0)
        return exchange(request)

    tokens = ServiceTokens(Keeper(Numbered(SECOND * 600), failing_once, clock), waiters, ear)
    first = tokens.token()
    assert ear.heard == [(DOWN, 1.0)]
    ear.heard.clear()
    assert tokens.refresh(first).value == "2"
    assert ear.heard == [(DOWN, 1.0)]
