"""The demo's judge reads files that a killed run has left."""

from __future__ import annotations

from pathlib import Path

import msgspec

from collector.core.times import HOUR
from collector.demo.judge import TAGS, Verdict, judge
from collector.simulator import Truth
from collector.simulator.history import History
from collector.simulator.records import Records
from tests.fakes.clock import ManualClock
from tests.fakes.vendor import START, quiet_options


def test_half_a_line_at_the_end_is_no_record(tmp_path: Path) -> None:
    """A killed run may leave one; it is neither delivered nor an error."""
    options = quiet_options()
    history = History(options)
    truth = Truth(ManualClock(START + 7 * HOUR), history, Records(options, history))
    first, second = sorted(truth.emitted("audit"))[:2]
    lines = b"".join(msgspec.json.encode({"guid": guid}) + b"\n" for guid in (first, second))
    (tmp_path / f"{TAGS['audit']}.ndjson").write_bytes(lines[:-9])
    emitted = len(truth.emitted("audit"))
    assert judge(truth, tmp_path)[-1] == Verdict(
        service="audit", emitted=emitted, delivered=1, lost=emitted - 1, duplicates=0
    )
