"""``collector run --once``: everything that is due, once, and nothing new the second time."""

from __future__ import annotations

from pathlib import Path

from collector.clock import SystemClock
from collector.demo.judge import judge
from collector.simulator import Simulator
from tests.fakes.processes import Site, document, history, unfinished


def test_second_run_delivers_nothing_new(tmp_path: Path) -> None:
    """Two runs in a row: the first delivers all five services, the second changes no file."""
    options = history(hours=6, records=1_200)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        assert site.run("--once") == 0, site.log
        first = site.records()
        assert unfinished(judge(simulator.truth, site.out)) == []
        assert site.run("--once") == 0, site.log
    assert site.records() == first
    assert site.report().waiting == []
