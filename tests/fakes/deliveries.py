"""What stands at a destination: which records, how often, and how late the live ones were."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec

from collector.core import times
from collector.core.model import Micros
from collector.core.times import SECOND
from collector.demo.judge import TAGS, Verdict
from collector.simulator import identity


class Deliveries:
    """The records of one output, counted line by line.

    ``arrivals`` and ``lags`` are those of live records, side by side: when each arrived,
    and how many seconds of the clock after its own time.
    """

    def __init__(self) -> None:
        self.arrivals = array("q")
        self.lags = array("d")
        self._lines: dict[str, Counter[tuple[str, int]]] = {name: Counter() for name in TAGS}

    def add(self, line: bytes, received: Micros | None = None) -> None:
        """Count one line; without ``received`` it arrived when it was observed."""
        record = msgspec.json.decode(line)
        about = record.get("@collector")
        if about is None:
            return  # the collector's own metrics
        service = about["service"]
        self._lines[service][identity(service, record), about.get("record_index", 0)] += 1
        if about["mode"] == "live" and "event_time" in about:
            arrived = times.parse(about["observed_time"]) if received is None else received
            self.arrivals.append(arrived)
            self.lags.append((arrived - times.parse(about["event_time"])) / SECOND)

    def total(self) -> int:
        """All lines."""
        return sum(lines.total() for lines in self._lines.values())

    def verdict(self, service: str, emitted: AbstractSet[str]) -> Verdict:
        """What was emitted against what is here."""
        lines = self._lines[service]
        delivered = {name for name, _index in lines}
        return Verdict(
            service=service,
            emitted=len(emitted),
            delivered=len(delivered),
            lost=len(emitted - delivered),
            duplicates=lines.total() - len(lines),
        )


def in_files(folder: Path) -> Deliveries:
    """What stands in the NDJSON files of a folder, rotated ones included."""
    found = Deliveries()
    for tag in TAGS.values():
        for path in sorted(folder.glob(f"{tag}*.ndjson")):
            with path.open("rb") as file:
                for line in file:
                    found.add(line)
    return found
