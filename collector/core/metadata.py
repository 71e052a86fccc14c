"""What an operator says about a source, and how it goes with the records.

It is part of ``@collector`` on every record, and Sumo Logic takes it as headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.core.model import Frozen


class Metadata(Frozen, frozen=True):
    """What is known of a source besides its records; ``input`` is its input's own name."""

    input: str
    description: str = ""
    tags: tuple[str, ...] = ()
    tenant: str = ""
    category: str = ""
    fields: Mapping[str, str] = {}


def siem_fields(product: str, service: str) -> dict[str, str]:
    """The fields that make Sumo Logic forward records to its Cloud SIEM.

    Its page on the Proofpoint on Demand source names them: ``_siemForward`` asks for it,
    and ``_siemEventID`` is the type of the record in capitals, ``MESSAGE`` or ``MAILLOG``.
    """
    return {
        "_siemForward": "true",
        "_siemVendor": "Proofpoint",
        "_siemProduct": product,
        "_siemFormat": "JSON",
        "_siemEventID": service.upper(),
    }


def described(metadata: Metadata) -> dict[str, Any]:
    """What goes into ``@collector`` of every record: what is set, under the settings' names.

    The input's name is not in it: ``@collector`` has it already.
    """
    told: dict[str, Any] = {
        "description": metadata.description,
        "tags": list(metadata.tags),
        "tenant": metadata.tenant,
        "category": metadata.category,
        "fields": dict(metadata.fields),
    }
    return {name: value for name, value in told.items() if value}


def sumo_headers(metadata: Metadata) -> dict[str, str]:
    """The headers by which Sumo Logic's HTTP source learns metadata.

    Name, category, and fields as ``a=b,c=d``, the tenant among them.  Sumo Logic
    drops fields that its Fields schema does not hold, and has no tags.
    """
    tenant = {"tenant": metadata.tenant} if metadata.tenant else {}
    fields = {**tenant, **metadata.fields}
    headers = {
        "X-Sumo-Name": metadata.input,
        "X-Sumo-Category": metadata.category,
        "X-Sumo-Fields": ",".join(f"{name}={value}" for name, value in fields.items()),
    }
    return {name: value for name, value in headers.items() if value}
