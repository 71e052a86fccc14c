"""The simulator's history: which records exist, and when."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from collector.core.times import HOUR, SECOND
from collector.simulator import QUIET, SimulatorOptions
from collector.simulator.history import History, Timeline
from collector.simulator.options import SERVICES
from tests.fakes.vendor import START, quiet_options


@pytest.mark.parametrize("service", SERVICES)
def test_same_seed_same_history(service: str) -> None:
    """Two histories of one seed agree; another seed gives another."""
    one, same, other = (History(quiet_options(seed=seed))[service] for seed in (1, 1, 2))
    assert list(one.times) == list(same.times)
    assert list(one.ready) == list(same.ready)
    assert list(one.times) != list(other.times)


def test_longer_history_begins_with_the_shorter() -> None:
    """A later end changes nothing about the records before it."""

    def timeline(hours: int) -> Timeline:
        end = START + hours * HOUR
        return History(SimulatorOptions(history_start=START, history_end=end))["message"]

    short, long = timeline(1), timeline(3)
    count = len(short.times)
    assert list(long.times[:count]) == list(short.times)
    assert list(long.ready[:count]) == list(short.ready)
    assert long.oddities[:count] == short.oddities
    assert long.traits[:count] == short.traits


def test_times_fill_the_history_in_order() -> None:
    """There are rate times hours records, dated inside the history, ascending."""
    timeline = History(quiet_options(hours=2))["message"]
    assert len(timeline.times) == 1200
    assert START <= timeline.times[0] <= timeline.times[-1] < START + 2 * HOUR
    assert list(timeline.times) == sorted(timeline.times)


def test_records_appear_after_their_time_and_out_of_its_order() -> None:
    """Completion lags by up to the jitter, so the order of appearance is another."""
    timeline = History(quiet_options())["message"]
    lags = [ready - time for ready, time in zip(timeline.ready, timeline.times, strict=True)]
    assert min(lags) >= 0
    assert max(lags) <= 5 * SECOND
    assert list(timeline.order) != sorted(timeline.order)
    assert sorted(timeline.order) == list(range(len(timeline.times)))


def test_appeared_counts_by_the_moment_of_appearance() -> None:
    """Just before its moment a record is not there, at its moment it is."""
    timeline = History(quiet_options())["audit"]
    moment = timeline.ready[timeline.order[5]]
    assert timeline.appeared(moment - 1) == 5
    assert timeline.appeared(moment) == 6
    assert timeline.first_since(moment) == 5


def test_burst_puts_alerts_into_one_millisecond() -> None:
    """More alerts than a page holds share one time, and the order by time is kept."""
    timeline = History(quiet_options(alert_burst=60))["alerts"]
    assert Counter(timeline.times).most_common(1)[0][1] == 60
    assert list(timeline.times) == sorted(timeline.times)


def test_late_alerts_appear_in_an_old_window() -> None:
    """A late alert is dated long before it can be seen."""
    options = quiet_options(late_alert_rate=1.0, late_alert_seconds=100.0)
    timeline = History(options)["alerts"]
    first = timeline.times[0]
    assert list(timeline.newest_first(first, first + 1, first + 99 * SECOND)) == []
    assert list(timeline.newest_first(first, first + 1, first + 106 * SECOND)) == [0]


def test_rates_are_shares_of_the_records() -> None:
    """An oddity's rate is about the share of records that have it."""
    options = quiet_options(rates={"message": 2000}, missing_id_rate=0.1, duplicate_rate=0.3)
    timeline = History(options)["message"]
    assert sum(map(bool, timeline.oddities)) / len(timeline.oddities) == pytest.approx(0.1, rel=0.2)
    assert sum(map(bool, timeline.traits)) / len(timeline.traits) == pytest.approx(0.3, rel=0.2)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"history_end": START - 1}, "before history_start"),
        ({"rates": {"mail": 1}}, "no service"),
        ({"rates": {"message": 1e9}}, "rates.message"),
        ({"rates": {"message": -1}}, "rates.message"),
    ],
)
def test_nonsense_options_are_refused(changed: dict[str, Any], reason: str) -> None:
    """Options that no history can be made of raise, with the field's name."""
    with pytest.raises(ValueError, match=reason):
        quiet_options(**changed)


def test_quiet_switches_every_rate_off() -> None:
    """A vendor made with QUIET has no odd record at all."""
    history = History(quiet_options())
    assert all(value == 0 for value in QUIET.values())
    assert not any(any(history[service].oddities) for service in SERVICES)
    assert not any(any(history[service].traits) for service in SERVICES)
