"""From the settings of an input to its services, each ready to be run."""

from __future__ import annotations

from collector.app.casb import casb_services
from collector.app.pod import pod_services
from collector.app.services import ServiceJob, Wiring
from collector.config.casb import CasbInput
from collector.config.pod import PodInput


def services(wiring: Wiring, name: str) -> list[ServiceJob]:
    """The wanted services of one input; reads and mends their state (``pre_pull``)."""
    match wiring.settings.inputs[name]:
        case CasbInput() as casb:
            return casb_services(wiring, name, casb)
        case PodInput() as pod:
            return pod_services(wiring, name, pod)
