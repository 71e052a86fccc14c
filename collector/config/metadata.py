"""Settings of what goes with the records of an input besides their content."""

import re
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field

from collector.config.fields import Section, Text, refuse

MAX_FIELDS = 30
"""Sumo Logic takes no more in one header."""

_LABEL = re.compile(r"[!-+\--~]([ -+\--~]{0,126}[!-+\--~])?")
_FIELD_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_FIELD_VALUE = re.compile(r"[!-+\--<>-~]([ -+\--<>-~]{0,198}[!-+\--<>-~])?")


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        reason = "is empty, longer than 128, or has a comma or a character that is not ASCII"
        raise refuse(reason, "write it in printable ASCII: it may become part of a header")
    return text


def _field_name(text: str) -> str:
    if not _FIELD_NAME.fullmatch(text):
        reason = "is no name of a field: letters, digits, dots, - and _, at most 64"
        raise refuse(reason, "rename it, for example cost_centre")
    return text


def _field_value(text: str) -> str:
    if not _FIELD_VALUE.fullmatch(text):
        reason = "is empty, longer than 200, or has a comma, = or a character that is not ASCII"
        raise refuse(reason, "write it in printable ASCII: it may become part of a header")
    return text


Label: TypeAlias = Annotated[str, AfterValidator(_label)]
FieldName: TypeAlias = Annotated[str, AfterValidator(_field_name)]
FieldValue: TypeAlias = Annotated[str, AfterValidator(_field_value)]


class Described(Section):
    """What an operator may say about an input, and otherwise about one of its services."""

    description: Text | None = Field(
        default=None,
        description="What this is, for people. It goes with every record in `@collector`, so keep "
        "it short. A service without one has its input's.",
    )
    tags: Annotated[tuple[Label, ...], Field(strict=False, max_length=32)] | None = Field(
        default=None,
        description="Labels, in `@collector`. A service without them has its input's.",
    )
    tenant: Label | None = Field(
        default=None,
        description="Whose records these are: in `@collector`, a field for Sumo Logic, and "
        "`{tenant}` in the `tag` of a service. A service without one has its input's.",
    )
    category: Label | None = Field(
        default=None,
        description="Category of the records: in `@collector`, and Sumo Logic's source category. "
        "A service without one has its input's.",
    )
    fields: Annotated[dict[FieldName, FieldValue], Field(max_length=MAX_FIELDS)] | None = Field(
        default=None,
        description="More names and values of yours: in `@collector`, and fields for Sumo Logic. "
        "A service has those of its input, and its own over them.",
    )
    forward_to_siem: bool | None = Field(
        default=None,
        description="Add the fields `_siemForward`, `_siemVendor`, `_siemProduct`, `_siemFormat` "
        "and `_siemEventID`, by which Sumo Logic forwards records to its Cloud SIEM. A service "
        "without it does as its input. Default: no.",
    )


def tagged(name: str, settings: Any) -> Any:
    """One input's settings with ``{input}`` and ``{tenant}`` filled into its services' tags.

    In small letters, as tags are.  Any shape is tolerated: the models judge it later.
    """
    services = settings.get("services") if isinstance(settings, dict) else None
    if not isinstance(services, dict):
        return settings
    filled = {
        field: _filled(service, name, settings.get("tenant")) for field, service in services.items()
    }
    return {**settings, "services": filled}


def _filled(service: Any, name: str, tenant: Any) -> Any:
    if not isinstance(service, dict) or not isinstance(service.get("tag"), str):
        return service
    own = service.get("tenant", tenant)
    tag = service["tag"].replace("{input}", name.lower())
    return {**service, "tag": tag.replace("{tenant}", own.lower()) if isinstance(own, str) else tag}
