"""The sources with the settings that tests use."""

from __future__ import annotations

from typing import Any

from collector.core.flatten import flattener
from collector.pullers.base import Source
from collector.pullers.casb_alerts import AlertsSettings, casb_alerts
from collector.pullers.casb_events import EventsSettings, casb_events
from collector.pullers.pod import PodSettings
from collector.pullers.pod_message import pod_message

UNFLATTENED = flattener("none", "")


def alerts(**changed: Any) -> Source:
    """The alerts of a tenant, not flattened."""
    defaults = {"url": "https://alerts.example.com/v1/alerts", "tag": "casb.proofpoint.alert"}
    return casb_alerts(AlertsSettings(**{**defaults, "records": UNFLATTENED, **changed}))


def events(**changed: Any) -> Source:
    """The events of a tenant, not flattened."""
    defaults = {"url": "https://events.example.com/v2/events", "tag": "casb.proofpoint.event"}
    return casb_events(EventsSettings(**{**defaults, "records": UNFLATTENED, **changed}))


def pod_settings(**changed: Any) -> PodSettings:
    """The settings of a cluster."""
    defaults = {"url": "wss://stream.example.com/v1/stream", "cluster_id": "example_hosted"}
    tag = "mail.proofpoint.pod.message"
    return PodSettings(**{**defaults, "tag": tag, "records": UNFLATTENED, **changed})


def messages(**changed: Any) -> Source:
    """The messages of a cluster."""
    return pod_message(pod_settings(**changed))
