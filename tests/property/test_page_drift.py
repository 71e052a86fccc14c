"""Alerts that appear late, out of order, and while a window is being read (row 19)."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.model import Micros, Request
from collector.core.times import HOUR, SECOND
from tests.fakes.pulls import MINUTE, START, Bench, as_json
from tests.fakes.sources import alerts
from tests.fakes.wire import AnsweringFetch

LATEST = 50
"""Minutes by which an alert may be late: less than the second look waits."""

moments = st.tuples(st.integers(0, 150), st.integers(0, LATEST))
histories = st.lists(moments, max_size=40)


class Vendor:
    """Newest first, three a page; time passes with every page, and alerts appear meanwhile."""

    def __init__(self, bench: Bench, history: list[tuple[int, int]], drift: int) -> None:
        self._bench = bench
        self._drift = drift
        self._alerts = [
            (START + minute * MINUTE, START + (minute + late) * MINUTE, f"a-{n}")
            for n, (minute, late) in enumerate(history)
        ]
        self.fetch = AnsweringFetch(self._answer)

    def _answer(self, request: Request) -> bytes:
        self._bench.clock.advance(self._drift)
        now, span = self._bench.clock.now(), request.json["time_range"]
        found = sorted(
            (
                (time, name)
                for time, appears, name in self._alerts
                if appears <= now and span["from"] * 1000 <= time <= span["to"] * 1000
            ),
            reverse=True,
        )
        first = 3 * request.json["page"]
        page = found[first : first + 3]
        return as_json({"alerts": [{"id": name, "timestamp": time // 1000} for time, name in page]})


@settings(max_examples=400)
@given(histories, st.sampled_from([0, 1, 30, 240]), st.sampled_from([1, 2, 200]))
def test_each_alert_once(history: list[tuple[int, int]], drift: int, max_pages: int) -> None:
    """Whatever order they appear in, and however pages shift: all arrive, none twice."""
    bench = Bench(alerts(page_size=3, max_pages=max_pages), START)
    vendor = Vendor(bench, history, drift)
    end: Micros = START + 6 * HOUR
    while bench.clock.now() < end:
        bench.clock.advance(600)
        bench.puller(vendor.fetch).pull()
    assert Counter(bench.delivered()) == Counter(f"a-{n}" for n in range(len(history)))
    assert bench.checkpoint.since >= end - 900 * SECOND
