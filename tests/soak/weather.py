"""Random faults of the vendor: every kind of the simulator's, wherever it can happen."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from collector.simulator import Fault
from collector.simulator.faults import BODY_ACTIONS, STREAM_ACTIONS
from collector.simulator.options import CASB_SERVICES, POD_SERVICES

EVERY_SECONDS = 300.0
"""Seconds of the virtual clock from one fault to the next, on average."""

_STATUSES = (400, 401, 403, 404, 409, 429, 500, 502, 503, 504)
_CLOSE_CODES = (1000, 1001, 1002, 1008, 1011, 1012, 1013, 4000)
_ORDERLY = (1000, 1001)
"""In the archive these say that an hour is whole (docs/vendor-notes.md, PoD 2 and 8)."""


def storm(rng: Random, seconds: float) -> list[Fault]:
    """Faults over so many seconds of the virtual clock."""
    faults = []
    at = rng.expovariate(1 / EVERY_SECONDS)
    while at < seconds:
        faults.append(_fault(rng, at))
        at += rng.expovariate(1 / EVERY_SECONDS)
    return faults


def _fault(rng: Random, at: float) -> Fault:
    service = rng.choice(("auth", *CASB_SERVICES, *POD_SERVICES))
    streams = service in POD_SERVICES
    action = rng.choice(("status", "slow", *(STREAM_ACTIONS if streams else BODY_ACTIONS)))
    if action == "refuse_cursor":
        service = "events"
    mode = rng.choice(("live", "archive", None)) if streams else None
    fields = {"service": service, "action": action, "mode": mode, "after_seconds": at}
    return msgspec.convert(fields | _details(rng, action, mode), Fault)


def _details(rng: Random, action: str, mode: str | None) -> dict[str, Any]:
    match action:
        case "status":
            return {
                "status": rng.choice(_STATUSES),
                "count": rng.randint(1, 4),
                "retry_after": rng.choice((None, rng.uniform(0.0, 300.0))),
                "retry_after_form": rng.choice(("seconds", "date")),
            }
        case "slow" | "stall":
            return {"seconds": rng.uniform(1.0, 900.0)}
        case "close":
            codes = _CLOSE_CODES if mode == "live" else sorted({*_CLOSE_CODES} - {*_ORDERLY})
            return {"close_code": rng.choice(codes), "after_records": rng.randint(0, 200)}
        case "reset" | "eof":
            return {"after_records": rng.randint(0, 200)}
        case _:
            return {"count": rng.randint(1, 2)}
