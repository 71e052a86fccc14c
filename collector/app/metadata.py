"""From the settings of an input and a service to what goes with the service's records."""

from __future__ import annotations

from collector.config.inputs import Service
from collector.config.models import Settings
from collector.core.metadata import Metadata, siem_fields

_SIEM_PRODUCT = {"proofpoint_casb": "CASB", "proofpoint_pod": "POD"}
"""What Sumo Logic calls the product; CASB is ours, for it has no source for that."""


def metadata_by_source(settings: Settings) -> dict[str, Metadata]:
    """What is said about each service that is configured, by its source's id."""
    return {
        f"{name}#{field}": metadata_of(settings, name, field, service)
        for name, chosen in settings.inputs.items()
        for field, service in chosen.services.configured().items()
    }


def metadata_of(settings: Settings, name: str, field: str, service: Service) -> Metadata:
    """What is said about the service ``field`` of the input ``name``.

    Where the service itself says nothing, what is said about its input.
    """
    chosen = settings.inputs[name]
    siem = chosen.forward_to_siem if service.forward_to_siem is None else service.forward_to_siem
    return Metadata(
        input=name,
        description=service.description or chosen.description or "",
        tags=(chosen.tags if service.tags is None else service.tags) or (),
        tenant=service.tenant or chosen.tenant or "",
        category=service.category or chosen.category or "",
        fields={
            **(siem_fields(_SIEM_PRODUCT.get(chosen.type, chosen.type), field) if siem else {}),
            **(chosen.fields or {}),
            **(service.fields or {}),
        },
    )
