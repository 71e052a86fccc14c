"""From the settings of an input to its services, each ready to be run."""

from __future__ import annotations

from collector.app.casb import casb_services, casb_source
from collector.app.pod import pod_services, pod_source
from collector.app.services import ServiceJob, Wiring, destination
from collector.app.websocket import websocket_services, websocket_source
from collector.config.casb import CasbInput
from collector.config.models import Settings
from collector.config.pod import PodInput
from collector.config.websocket import WebSocketInput
from collector.core.log import Log
from collector.persistence.report import sources
from collector.pullers.base import Source
from collector.pullers.intake import Destination


def services(wiring: Wiring, name: str) -> list[ServiceJob]:
    """The wanted services of one input; reads and mends their state (``pre_pull``)."""
    match wiring.settings.inputs[name]:
        case CasbInput() as casb:
            return casb_services(wiring, name, casb)
        case PodInput() as pod:
            return pod_services(wiring, name, pod)
        case WebSocketInput() as websocket:
            return websocket_services(wiring, name, websocket)


def reader(settings: Settings, source_id: str) -> tuple[Source, Destination] | None:
    """How a configured source reads, and where its records go; None when there is no such."""
    name, _, field = source_id.partition("#")
    chosen = settings.inputs.get(name)
    service = getattr(chosen.services, field, None) if chosen is not None else None
    match chosen:
        case CasbInput() if service is not None:
            source = casb_source(chosen, service)
        case PodInput() if service is not None:
            source = pod_source(chosen, field, service)
        case WebSocketInput() if service is not None:
            source = websocket_source(chosen, service)
        case _:
            return None
    return source, destination(settings, name, source, service)


def warn_of_renamed_inputs(settings: Settings, log: Log) -> None:
    """Tell of services that begin while one of the same kind lies in the state, and is gone.

    Its input was renamed, perhaps: then all of its records come twice.
    """
    configured = {
        f"{name}#{field}"
        for name, each in settings.inputs.items()
        for field in each.services.configured()
    }
    stored = sources(settings.state_folder)
    for source in sorted(configured - stored):
        _, _, field = source.partition("#")
        gone = [each for each in sorted(stored - configured) if each.endswith(f"#{field}")]
        if gone:
            log.warning(
                "%s begins anew; the state has %s, which is configured no more -> if the input was "
                "renamed, give it its former name back, or its records come twice",
                *(source, ", ".join(gone)),
            )
