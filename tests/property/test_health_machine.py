"""Health under any order of signals, faults and progress."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.core import health as rules
from collector.core.allowance import Hourly
from collector.core.health import MAX_EVENTS, Fault, Health, Kind, Signal, State
from tests.fakes.pulls import START

PARTS = st.sampled_from(["live", "pull", "data"])
FAULTS = st.builds(
    Fault,
    kind=st.sampled_from(Kind),
    number=st.integers(1, 40),
    cause=st.text(max_size=20),
    remedy=st.text(max_size=20),
)
SIGNALS = st.sampled_from([each for each in Signal if each.name not in {"PROGRESSED", "FAILED"}])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("signal"), SIGNALS, st.none()),
        st.tuples(st.just("failed"), PARTS, FAULTS),
        st.tuples(st.just("progressed"), PARTS, st.none()),
    ),
    max_size=60,
)


def stepped(health: Health, step: tuple[str, object, Fault | None], now: int) -> Health:
    """The health after one step."""
    match step:
        case ("signal", Signal() as signal, _):
            return rules.signalled(health, signal, now)
        case ("failed", str(part), Fault() as fault):
            return rules.failed(health, part, fault, now)
        case (_, part, _):
            return rules.progressed(health, str(part), now)


@given(STEPS)
def test_any_history(steps: list[tuple[str, object, Fault | None]]) -> None:
    """A source that collects has nothing against it; its time moves with its state alone."""
    health = rules.begun(None, START)
    for now, step in enumerate(steps, START + 1):
        after = stepped(health, step, now)
        assert (after.since == now) == (after.state is not health.state)
        assert len(after.events) <= MAX_EVENTS
        assert len({event.key for event in after.events}) == len(after.events)
        assert all(each.first_seen <= each.last_seen <= now for each in after.events)
        if after.state not in {State.STOPPING, State.STOPPED}:
            assert (after.state is State.ERROR) == bool(after.events)
        if health.state is State.STOPPED:
            assert after.state is State.STOPPED
        told = list(rules.news("pod#audit", health, after, now))
        assert bool(told) or (after.state is health.state)
        health = after


@given(st.integers(1, 20), st.lists(st.floats(0, 1000), max_size=200))
def test_sessions_an_hour(limit: int, pauses: list[float]) -> None:
    """Whoever waits as told never opens more than the limit in any hour, and never in vain."""
    hourly, now, opened = Hourly(limit), 0.0, list[float]()
    for pause in pauses:
        now += pause
        waited = hourly.admit(now)
        assert (waited > 0) == (len(opened) >= limit and opened[-limit] + 3600.0 > now)
        now += waited
        opened.append(now)
    assert all(
        later - earlier >= 3600.0 - 1e-6
        for earlier, later in zip(opened, opened[limit:], strict=False)
    )


@given(st.lists(st.floats(0, 10), max_size=50))
def test_no_limit_is_no_wait(pauses: list[float]) -> None:
    """With 0 nobody waits."""
    hourly = Hourly(0)
    assert all(hourly.admit(now) == 0 for now in pauses)
