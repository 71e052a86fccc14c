"""The one retry loop."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_never

from collector.core.model import Clock
from collector.core.policy import backoff
from collector.errors import QuotaExhausted, SessionTaken, Stopped, VendorUnavailable

T = TypeVar("T")


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long to wait; ``attempts`` 0: for ever.  All waits in seconds."""

    attempts: int = 8
    base: float = 1.0
    cap: float = 300.0
    taken_base: float = 2.0
    taken_cap: float = 60.0


def patiently(
    call: Callable[[], T],
    patience: Patience,
    clock: Clock,
    rng: random.Random,
    waiting: Callable[[VendorUnavailable, float], None] = lambda _error, _seconds: None,
) -> T:
    """Make the call until it succeeds, while the vendor is merely unavailable.

    ``waiting`` hears of each wait, with the error and the seconds.  Raises the
    last error when the attempts are used up, ``QuotaExhausted`` at once, and
    ``Stopped`` when the program stops meanwhile.
    """

    def wait(state: RetryCallState) -> float:
        error = _error(state)
        if isinstance(error, SessionTaken):
            return backoff(state.attempt_number - 1, patience.taken_base, patience.taken_cap, rng)
        own = backoff(state.attempt_number - 1, patience.base, patience.cap, rng)
        return own if error.retry_after is None else max(own, error.retry_after)

    def announce(state: RetryCallState) -> None:
        waiting(_error(state), state.upcoming_sleep)

    def sleep(seconds: float) -> None:
        if clock.sleep(seconds):
            raise Stopped

    retrying = Retrying(
        stop=stop_after_attempt(patience.attempts) if patience.attempts else stop_never,
        wait=wait,
        retry=retry_if_exception(_passing),
        before_sleep=announce,
        sleep=sleep,
        reraise=True,
    )
    return retrying(call)


def _passing(error: BaseException) -> bool:
    return isinstance(error, VendorUnavailable) and not isinstance(error, QuotaExhausted)


def _error(state: RetryCallState) -> VendorUnavailable:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, VendorUnavailable)  # noqa: S101 - only these are retried
    return error
