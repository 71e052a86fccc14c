"""The verdict: what the vendor emitted against what stands in the files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from collector.simulator import Truth, identity

TAGS = {
    "alerts": "casb.proofpoint.alert",
    "events": "casb.proofpoint.event",
    "message": "mail.proofpoint.pod.message",
    "maillog": "mail.proofpoint.pod.maillog",
    "audit": "mail.proofpoint.pod.audit",
}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One service: vendor records emitted and delivered, lost, and lines delivered twice."""

    service: str
    emitted: int
    delivered: int
    lost: int
    duplicates: int


def judge(truth: Truth, folder: Path) -> list[Verdict]:
    """The verdict on every service."""
    return [_service(service, truth, folder / f"{tag}.ndjson") for service, tag in TAGS.items()]


def good(verdicts: list[Verdict]) -> bool:
    """Whether nothing was lost and nothing doubled."""
    return all(not verdict.lost and not verdict.duplicates for verdict in verdicts)


def _service(service: str, truth: Truth, path: Path) -> Verdict:
    lines = Counter(_records(service, path))
    delivered = {name for name, _index in lines}
    emitted = truth.emitted(service)
    return Verdict(
        service=service,
        emitted=len(emitted),
        delivered=len(delivered),
        lost=len(emitted - delivered),
        duplicates=sum(count - 1 for count in lines.values()),
    )


def _records(service: str, path: Path) -> list[tuple[str, int]]:
    """Each line's vendor record and, where one record became several, its number.

    What follows the last line end is no record: a killed run may leave half a line, which
    the next run cuts off and writes anew.
    """
    if not path.exists():
        return []
    found = []
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            record = msgspec.json.decode(line)
            index = record.get("@collector", {}).get("record_index", 0)
            found.append((identity(service, record), index))
    return found
