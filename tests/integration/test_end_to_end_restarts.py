"""What a restart takes up again, and what makes it start anew."""

from __future__ import annotations

from pathlib import Path

from collector.clock import SystemClock
from collector.core import times
from collector.core.times import HOUR, SECOND
from collector.demo.judge import judge
from collector.simulator import QUIET, Simulator
from tests.fakes.processes import Site, document, history


def test_changed_start_collects_again(tmp_path: Path) -> None:
    """A changed initial_start_time_in_utc is told, old and new, and that service starts anew."""
    options = history(4, 200, QUIET)
    later = options.history_start + HOUR
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        assert site.run("--once") == 0, site.log
        services = site.document["inputs"]["pod"]["services"]
        services["message"]["initial_start_time_in_utc"] = times.isoformat(later)
        assert site.run("--once") == 0, site.log
        again = len(simulator.truth.emitted("message", since=later))
        repeated = {each.service: each.duplicates for each in judge(simulator.truth, site.out)}
    assert {name: count for name, count in repeated.items() if count} == {"message": again}
    (told,) = [line for line in site.log.splitlines() if "Detected initial start time" in line]
    assert "pod,message" in told
    assert times.isoformat(options.history_start) in told
    assert times.isoformat(later) in told


def test_quota_survives(tmp_path: Path) -> None:
    """The day's calls are counted over restarts: when they are used up, no call is made."""
    options = history(2, 400, QUIET)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        site.document["inputs"]["casb"]["rate"]["calls_per_day"] = 4
        assert site.run("--once", "--input", "casb") == 5, site.log
        assert len(simulator.truth.requests) == 4
        assert site.run("--once", "--input", "casb") == 5, site.log
        assert len(simulator.truth.requests) == 4
        site.document["inputs"]["casb"]["rate"]["calls_per_day"] = 1000
        assert site.run("--once", "--input", "casb") == 0, site.log
        verdicts = judge(simulator.truth, site.out)[:2]
    assert [(each.lost, each.duplicates) for each in verdicts] == [(0, 0), (0, 0)]


def test_spacing_survives(tmp_path: Path) -> None:
    """The first call of a start keeps its distance from the last call of the one before."""
    spacing = 2.0
    options = history(2, 60, QUIET)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        site.document["inputs"]["casb"]["rate"]["min_interval_in_seconds"] = spacing
        site.document["inputs"]["casb"]["credentials"]["api_key"] = "another-key"
        for _ in range(2):
            assert site.run("--once", "--service", "alerts") == 4, site.log
        first, second = (each.time for each in simulator.truth.requests)
    assert second - first > (spacing - 0.2) * SECOND  # less what the first call was under way
