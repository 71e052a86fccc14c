"""CASB records of true shape, with holes for what differs from record to record.

The shapes follow docs/vendor-notes.md, CASB A5; all values are made up.  A hole
is a name between ``@`` signs, filled in by ``records``.
"""

from __future__ import annotations

from random import Random
from typing import Any

from collector.simulator.options import SimulatorOptions
from collector.simulator.pod_samples import PEOPLE, Record, address, ip_address

PLACES = (
    ("Netherlands", "North Holland", "Amsterdam"),
    ("United States of America", "Virginia", "Ashburn"),
    ("Germany", "Bavaria", "München"),
)
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64)"


def alert(rng: Random, _options: SimulatorOptions) -> Record:
    """An alert with none to three related events, or without the list at all."""
    record: Record = {
        "id": "@id@",
        "tenant_id": "tenant_00000000000000000000000000000001",
        "timestamp": "@millis@",
        "severity": rng.choice(("LOW", "MID", "HIGH", "CRITICAL")),
        "title": "Suspicious login to Example Apps",
        "description": "Line one.\nLine two with a\ttab.",
        "type": "Footprint",
        "sub_type": rng.choice(("Suspicious Login", "Suspicious Activity", "Data Leakage")),
    }
    if rng.random() < 0.95:
        children = rng.choice((0, 1, 1, 1, 2, 3))
        record["related_events"] = [_related_event(rng, number) for number in range(children)]
    return record


def event(rng: Random, _options: SimulatorOptions) -> Record:
    """An activity with none to four additional properties, or without the list at all."""
    country, state, city = rng.choice(PLACES)
    record: Record = {
        "eventId": "flevent_@id@",
        "cloudService": rng.choice(("Salesforce", "Office365", "Box")),
        "timestamp": "@zulu@",
        "resource": "Login Service",
        "action": rng.choice(("Successful Login", "Failed Login", "File Share", "File Upload")),
        "userEmail": address(rng),
        "requestIp": ip_address(rng),
        "geographicalContextCountry": country,
        "geographicalContextState": state,
        "geographicalContextCity": city,
        "userAgent": USER_AGENT,
        "systemEvent": rng.random() < 0.1,
    }
    if rng.random() < 0.95:
        record["additionalProperties"] = _properties(rng)
    return record


def _properties(rng: Random) -> list[dict[str, Any]]:
    keys = ("userIsVAP", "fileName", "fileName", "shareLevel")  # keys do repeat
    return [{"key": key, "value": "false"} for key in keys[: rng.choice((0, 1, 1, 2, 4))]]


def _related_event(rng: Random, number: int) -> Record:
    return {
        "event_id": f"flevent_@id@{number}",
        "cloud_service": "Google Apps",
        "timestamp": "@millis_before@",
        "user_id": "user_00000000000000000000000000000001",
        "user_email": address(rng),
        "full_name": f"{rng.choice(PEOPLE).title()} Example",
        "user_agent": USER_AGENT,
        "event_classification": {
            "id": "29",
            "category": "Authorize",
            "sub_category": "Authorize 3rd Party App Access",
            "threat": "Authorization",
        },
        "intelligence": [{"ip_address": ip_address(rng), "location": "Amsterdam, NL"}],
        "meta_data": {"extracted_fields": [{"128042": '["Example App"]'}]},
    }
