"""Turns a page of CASB alerts into flat records by json and a merge of dicts.

python -m bench.workers.pages_peer ALERTS CHILDREN TIMES
"""

from __future__ import annotations

import json
import sys

from bench.meter import spent, tell
from bench.records import casb_page


def flat(page: bytes) -> list[str]:
    """One record for each related event, with all fields of its alert."""
    records = []
    for alert in json.loads(page)["alerts"]:
        children = alert.pop("related_events")
        records += [
            json.dumps({**alert, "related_events": child, "related_events_index": index})
            for index, child in enumerate(children)
        ]
    return records


def main(alerts: int, children: int, times: int) -> None:
    """Flatten the same page again and again."""
    page = casb_page(alerts, children)
    made = 0
    with spent() as took:
        for _ in range(times):
            made += len(flat(page))
    tell(records=made, seconds=took.seconds, cpu=took.cpu)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
