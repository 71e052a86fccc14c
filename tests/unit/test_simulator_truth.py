"""The simulator's truth: what a complete collector must deliver."""

from __future__ import annotations

from collector.core.times import HOUR, SECOND
from collector.simulator import Truth
from collector.simulator.history import History
from collector.simulator.options import SimulatorOptions
from collector.simulator.records import Records
from collector.simulator.truth import LOG_LENGTH, Call
from tests.fakes.clock import ManualClock
from tests.fakes.vendor import START, quiet_options


def truth_at(clock: ManualClock, options: SimulatorOptions | None = None) -> tuple[Truth, History]:
    """The truth of a vendor whose clock is given."""
    options = options or quiet_options()
    history = History(options)
    return Truth(clock, history, Records(options, history)), history


def test_emitted_grows_with_the_clock() -> None:
    """Nothing before the start, everything some seconds after the end."""
    clock = ManualClock(START)
    truth, _ = truth_at(clock)
    assert truth.emitted("message") == set()
    clock.advance(3600)
    assert 590 < len(truth.emitted("message")) <= 600
    clock.advance(6 * 3600)
    assert len(truth.emitted("message")) == 3600


def test_before_goes_by_appearance_and_since_by_the_records_time() -> None:
    """A record dated before ``before`` that appears after it is not due yet."""
    clock = ManualClock(START + 7 * HOUR)
    truth, history = truth_at(clock)
    timeline = history["message"]
    slow = max(range(100), key=lambda n: timeline.ready[n] - timeline.times[n])
    early = truth.emitted("message", before=timeline.ready[slow] - 1)
    assert truth.emitted("message", before=timeline.ready[slow]) - early
    since = timeline.times[slow]
    assert len(truth.emitted("message", since=since)) == len(timeline.times) - slow
    assert len(truth.emitted("message", since=since + 1)) == len(timeline.times) - slow - 1


def test_unparsable_records_are_counted_apart() -> None:
    """They can only be kept aside, so they are not among the emitted."""
    clock = ManualClock(START + 7 * HOUR)
    truth, _ = truth_at(clock, quiet_options(unparsable_rate=0.1))
    unparsable = truth.unparsable("maillog")
    assert 250 < unparsable < 470
    assert len(truth.emitted("maillog")) == 3600 - unparsable


def test_logs_are_bounded_and_in_order() -> None:
    """Only the latest calls are remembered."""
    truth, _ = truth_at(ManualClock(START))
    for number in range(LOG_LENGTH + 2):
        truth.note_request(Call(time=START + number * SECOND, service="auth", status=200))
    assert len(truth.requests) == LOG_LENGTH
    assert truth.requests[0].time == START + 2 * SECOND
