"""The brake before each call, over any clock."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core import policy
from collector.core.model import Micros
from collector.core.policy import Quota, Usage
from collector.core.times import DAY, HOUR, SECOND
from tests.fakes.pulls import START

STEPS = st.sampled_from([0, 1, SECOND, 2 * SECOND, 7 * HOUR, 13 * HOUR, DAY, 3 * DAY])
BACKWARDS = st.sampled_from([-1, -SECOND, -HOUR, -13 * HOUR, -DAY, -400 * DAY, 400 * DAY])
QUOTAS = st.builds(Quota, st.integers(1, 4), st.sampled_from([0, SECOND, 3 * SECOND, HOUR]))


@settings(max_examples=200)
@given(QUOTAS, st.lists(STEPS, max_size=40))
def test_never_more_than_allowed(quota: Quota, steps: list[Micros]) -> None:
    """Over a clock that runs forwards, no day has more calls and no two are closer."""
    now, usage = START, Usage()
    calls: list[Micros] = []
    for step in steps:
        now += step
        admission = policy.admit(quota, usage, now)
        if admission.wait is None:
            # What is refused was used up, and the promise is kept.
            assert admission.usage == usage
            assert now < admission.again <= now + 2 * DAY
            assert admission.again % DAY == 0
            assert policy.admit(quota, usage, admission.again).wait is not None
            continue
        usage = admission.usage
        calls.append(now + round(admission.wait * SECOND))
    assert all(count <= quota.per_day for count in Counter(c // DAY for c in calls).values())
    assert all(b - a >= quota.min_interval for a, b in pairwise(calls))


@settings(max_examples=200)
@given(QUOTAS, st.lists(STEPS | BACKWARDS, max_size=30))
def test_a_jumping_clock_never_blocks_for_long(quota: Quota, steps: list[Micros]) -> None:
    """Wherever the clock jumped from, a call is possible within two days and its spacing."""
    now, usage = 3 * START, Usage()
    for step in steps:
        now += step
        admission = policy.admit(quota, usage, now)
        usage = admission.usage
        if admission.wait is None:
            assert admission.again <= now + 3 * DAY
        else:
            assert 0 <= admission.wait <= DAY / SECOND


@settings(max_examples=300)
@given(
    st.text(max_size=40)
    | st.text("0123456789:, -+.JanFebThuGMTUC", max_size=40)
    | st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
    st.floats(0, 10**6),
)
def test_any_retry_after(value: str, cap: float) -> None:
    """Whatever a header says, the wait is none or within its cap."""
    seconds = policy.retry_after(value, START, cap)
    assert seconds is None or 0 <= seconds <= cap


@settings(max_examples=100)
@given(st.integers(0, 10**6), st.floats(0.001, 100), st.floats(0.001, 10**4), st.integers())
def test_any_backoff(attempt: int, base: float, cap: float, seed: int) -> None:
    """A wait lies between half of its ceiling and all of it, and the ceiling never falls."""
    wait = policy.backoff(attempt, base, cap, random.Random(seed))
    ceiling = min(cap, base * 2.0 ** min(attempt, 32))
    assert ceiling / 2 <= wait <= ceiling <= cap
