"""When to ask again."""

from __future__ import annotations

import random

import pytest

from collector.core import policy
from collector.core.model import Window
from collector.core.policy import Quota, Usage
from collector.core.times import DAY, HOUR, SECOND
from tests.fakes.pulls import START


@pytest.mark.parametrize(
    ("now", "window"),
    [
        (START + 30 * SECOND, None),
        (START + 60 * SECOND, None),
        (START + 60 * SECOND + 1, Window(START, START + 1)),
        (START + HOUR, Window(START, START + HOUR - 60 * SECOND)),
        (START + 9 * DAY, Window(START, START + DAY)),
    ],
)
def test_next_window(now: int, window: Window | None) -> None:
    """A window leaves the newest events time to settle, and is no longer than allowed."""
    assert policy.next_window(START, now, 60 * SECOND, DAY) == window


def test_halves() -> None:
    """A window is cut at a whole step, and not at all when none lies inside."""
    assert policy.halves(Window(10, 31), 10) == (Window(10, 20), Window(20, 31))
    assert policy.halves(Window(11, 13), 10) is None
    assert policy.halves(Window(10, 20), 10) is None


def test_spacing() -> None:
    """A second call in the same moment waits its interval."""
    quota = Quota(per_day=10, min_interval=3 * SECOND)
    first = policy.admit(quota, Usage(), START)
    second = policy.admit(quota, first.usage, START)
    assert (first.wait, second.wait) == (0.0, 3.0)
    assert second.usage == Usage(START, 2, START + 6 * SECOND)


def test_quota_until_midnight() -> None:
    """The last call of a day is followed by the first of the next."""
    used_up = Usage(START, 10, START)
    refused = policy.admit(Quota(per_day=10), used_up, START + HOUR)
    assert (refused.wait, refused.again, refused.usage) == (None, START + DAY, used_up)
    assert policy.admit(Quota(per_day=10), used_up, START + DAY).usage.calls == 1


def test_no_quota() -> None:
    """Zero calls a day means no limit."""
    admission = policy.admit(Quota(per_day=0, min_interval=0), Usage(START, 10**6, 0), START)
    assert (admission.wait, admission.usage.calls) == (0.0, 10**6 + 1)


def test_a_wait_over_midnight_counts_on_the_day_it_ends() -> None:
    """A call that must wait until after midnight is one of the next day's."""
    late = Usage(START, 10, START + DAY + SECOND)
    admission = policy.admit(Quota(per_day=10), late, START + DAY - SECOND)
    assert (admission.wait, admission.usage.day, admission.usage.calls) == (2.0, START + DAY, 1)


def test_clock_set_back_over_midnight() -> None:
    """A clock set back to the day before does not give that day's calls anew."""
    today = Usage(START, 10, 0)
    refused = policy.admit(Quota(per_day=10), today, START - HOUR)
    assert (refused.wait, refused.again) == (None, START + DAY)


def test_clock_that_ran_years_ahead() -> None:
    """What was counted on a day that is years away does not block until then."""
    ahead = Usage(START + 365 * DAY, 10, START + 365 * DAY)
    admission = policy.admit(Quota(per_day=10), ahead, START)
    assert admission.wait is not None
    assert admission.usage.day <= START + DAY


def test_a_pause_left_by_a_clock_that_ran_ahead() -> None:
    """One that is longer than any of ours is not waited for; the longest of ours is."""
    quota = Quota(per_day=0, min_interval=SECOND, longest_pause=5 * SECOND)
    own = policy.admit(quota, Usage(START, 1, START + 5 * SECOND), START)
    ahead = policy.admit(quota, Usage(START, 1, START + 2 * HOUR), START)
    assert (own.wait, ahead.wait) == (5.0, 0.0)
    assert policy.admit(quota, ahead.usage, START).wait == 1.0


def test_hold_off() -> None:
    """A pause that the vendor asks for only ever lengthens the wait."""
    usage = Usage(START, 1, START + 10 * SECOND)
    assert policy.hold_off(usage, START, 5).not_before == START + 10 * SECOND
    assert policy.hold_off(usage, START, 30).not_before == START + 30 * SECOND


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("120", 120.0),
        ("9" * 500, 300.0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 00:00:30", 30.0),
        ("Thu, 01 Jan 2026 02:00:30 +0200", 30.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 300.0),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
        ("\u0663", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    """Seconds and HTTP dates are honoured up to a cap; anything else says nothing."""
    assert policy.retry_after(value, START, 300.0) == seconds


def test_backoff_bounds() -> None:
    """A wait doubles to its cap, half of it by chance."""
    rng = random.Random(1)
    for attempt in range(200):
        ceiling = min(60.0, 2.0**attempt)
        assert ceiling / 2 <= policy.backoff(attempt, 1.0, 60.0, rng) <= ceiling
