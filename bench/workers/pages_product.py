"""Turns a page of CASB alerts into flat records, and those into batches, as the product does.

    python -m bench.workers.pages_product ALERTS CHILDREN TIMES BATCHED

BATCHED 1: up to the batch, each record a line with the collector's metadata.
"""

from __future__ import annotations

import sys

from bench.meter import spent, tell
from bench.records import casb_page
from collector.app.casb import casb_source
from collector.config.casb import CasbInput
from collector.core.batching import Limits, Origin, batches
from collector.core.model import Request, Response
from collector.pullers.base import whole

_SECRETS = dict.fromkeys(("api_key", "client_id", "client_secret"), "invented")


def main(alerts: int, children: int, times: int, batched: int) -> None:
    """Read and flatten (and batch) the same page again and again."""
    found = CasbInput.model_validate({"credentials": _SECRETS, "services": {"alerts": {}}})
    assert found.services.alerts is not None  # noqa: S101 - it is in the document
    source = casb_source(found, found.services.alerts)
    request = Request(method="POST", url="https://casb.example.com", json={"page": 0})
    page = Response(request=request, status=200, body=casb_page(alerts, children))
    origin = Origin(
        input="casb",
        service="alerts",
        source="casb#alerts",
        tag=source.tag,
        mode="window",
        pulling_id="1",
        observed=1_767_225_600_000_000,
        outputs=("out",),
    )
    records = whole(source.records)
    made = 0
    with spent() as took:
        for _ in range(times):
            lines = [(event, records(event)) for event in source.read(page).events]
            if batched:
                made += sum(each.count for each in batches(origin, lines, Limits()))
            else:
                made += sum(len(flat) for _event, flat in lines)
    tell(records=made, seconds=took.seconds, cpu=took.cpu)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
