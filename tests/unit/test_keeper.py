"""One token for all services of an input."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from collector.core.auth import NEVER, Token
from collector.core.model import Micros, Request, Response
from collector.core.times import SECOND
from collector.errors import VendorUnavailable
from collector.setup.keeper import Keeper
from collector.setup.pod import PodSetup
from tests.fakes.clock import ManualClock
from tests.fakes.pulls import START

ASK = Request(method="POST", url="https://auth.example.com")


class Numbered:
    """Grants tokens 1, 2, 3 that live for ``life`` microseconds."""

    def __init__(self, life: Micros) -> None:
        """Begin at 1."""
        self._life = life
        self._granted = 0

    def ask(self) -> Request:
        """The call."""
        return ASK

    def grant(self, response: Response | None, now: Micros) -> Token:
        """The next token."""
        assert response is not None
        self._granted += 1
        return Token(str(self._granted), now + self._life)

    def sign(self, request: Request, token: Token) -> Request:  # noqa: ARG002 - a protocol
        """The request as it is."""
        return request


class Exchange:
    """Answers the authentication call, and counts."""

    def __init__(self) -> None:
        """No call yet."""
        self.calls = 0
        self.failure: Exception | None = None

    def __call__(self, request: Request) -> Response:
        """Answer one call."""
        self.calls += 1
        if self.failure:
            raise self.failure
        return Response(request=request, status=200)


def keeper(life: Micros = 3600 * SECOND) -> tuple[Keeper, Exchange, ManualClock]:
    """A keeper with its exchange and its clock; the margin is a minute."""
    exchange, clock = Exchange(), ManualClock(START)
    return Keeper(Numbered(life), exchange, clock), exchange, clock


def test_kept_until_shortly_before_its_end() -> None:
    """A token serves until a minute before it expires."""
    keep, exchange, clock = keeper()
    clock.advance(0)
    assert keep.token().value == "1"
    clock.advance(3539.9)
    assert keep.token().value == "1"
    clock.advance(0.1)
    assert keep.token().value == "2"
    assert exchange.calls == 2


def test_short_lived() -> None:
    """A life shorter than the margin does not mean a new token for every call."""
    keep, _, clock = keeper(10 * SECOND)
    assert keep.token().value == "1"
    clock.advance(4.9)
    assert keep.token().value == "1"
    clock.advance(0.1)
    assert keep.token().value == "2"


def test_rejected_once() -> None:
    """The first to be rejected refreshes; who comes later with the same token gets that one."""
    keep, exchange, _ = keeper()
    old = keep.token()
    assert keep.refresh(old).value == "2"
    assert keep.refresh(old).value == "2"
    assert keep.token().value == "2"
    assert exchange.calls == 2


def test_refresh_before_any_token() -> None:
    """A rejected token of a former run leads to the first of this one."""
    keep, _, _ = keeper()
    assert keep.refresh(Token("stale")).value == "1"


def test_single_flight() -> None:
    """Threads that are rejected together cause one call."""
    keep, exchange, _ = keeper()
    old = keep.token()
    gate = threading.Barrier(8)

    def rejected() -> str:
        gate.wait()
        return keep.refresh(old).value

    with ThreadPoolExecutor(8) as threads:
        found = [threads.submit(rejected) for _ in range(8)]
    assert {each.result() for each in found} == {"2"}
    assert exchange.calls == 2


def test_failure_comes_out_and_is_not_kept() -> None:
    """A failed exchange raises; the next caller tries again."""
    keep, exchange, _ = keeper()
    exchange.failure = VendorUnavailable(500, "down", "wait")
    with pytest.raises(VendorUnavailable):
        keep.token()
    exchange.failure = None
    assert keep.token().value == "1"


def test_configured_token_needs_no_call() -> None:
    """Without a question nothing is sent, and nothing expires."""
    exchange, clock = Exchange(), ManualClock(START)
    keep = Keeper(PodSetup("t"), exchange, clock)
    assert keep.token() == Token("t", NEVER)
    clock.advance(10**9)
    keep.token()
    assert exchange.calls == 0


def test_each_granted_token_is_made_known() -> None:
    """Whoever strikes secrets out of the log hears of a token before anybody uses it."""
    heard: list[str] = []
    clock = ManualClock(START)
    keeper = Keeper(Numbered(SECOND * 600), Exchange(), clock, granted=heard.append)
    first = keeper.token()
    keeper.refresh(first)
    assert heard == ["1", "2"]
