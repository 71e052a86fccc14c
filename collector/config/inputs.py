"""What the settings of all inputs and services have in common."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from collector.config.fields import (
    MIB,
    Bytes,
    OutputName,
    PipelineNames,
    Seconds,
    SecondsOrOff,
    Section,
    StartTime,
    Tag,
    refuse,
)
from collector.config.metadata import Described
from collector.config.proxies import Proxy
from collector.config.tls import Tls


class HttpLimits(Section):
    """What one HTTP call may take."""

    connect_timeout_in_seconds: Seconds = Field(
        default=10.0, description="Seconds to reach the vendor."
    )
    read_timeout_in_seconds: Seconds = Field(
        default=30.0, description="Seconds without a byte after which a call is given up."
    )
    total_timeout_in_seconds: Seconds = Field(
        default=60.0, description="Seconds that one call may take in all."
    )
    max_body_bytes: Bytes = Field(
        default=64 * MIB, description="Largest answer in bytes, counted after decompression."
    )


class JsonLimits(Section):
    """What one record may hold; one that holds more is kept aside.

    Looked for in records over 64 KiB; the depth of smaller ones is bounded by the decoder.
    """

    max_depth: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=64, description="Levels of nesting."
    )
    max_keys: Annotated[int, Field(ge=1)] = Field(default=10_000, description="Keys in all.")
    max_string_bytes: Bytes = Field(default=8 * MIB, description="Length of one string in bytes.")


SILENCE = (
    "Seconds without a new record, though the vendor answers, after which a source that used to "
    "bring records is in error; 0 is never."
)


class Service(Described):
    """What every service has."""

    enabled: bool = Field(default=True, description="Whether this service is collected.")
    tag: Tag = Field(description="Tag (table) of the records.")
    request_period_in_seconds: Seconds = Field(
        default=600.0, description="Seconds between the starts of two pulls."
    )
    initial_start_time_in_utc: StartTime | None = Field(
        default=None,
        description='Where the first pull begins, as `"2026-01-31T00:00:00Z"`. Default: 7 days '
        "before the first start. Changing it resets this service's state: records from the new "
        "time on are collected again.",
    )
    silence_limit_in_seconds: SecondsOrOff = Field(
        default=0.0, description=f"{SILENCE} Default: never, for this service may be silent."
    )
    metadata: bool = Field(
        default=True,
        description="Add the key `@collector` to each record: input, service, tag, mode, pulling "
        "id, event id, event time, observed time. Without it records are the vendor's bytes; only "
        "those that hold this key themselves get ours all the same.",
    )
    pipelines: PipelineNames | None = Field(
        default=None,
        description="Names of the pipelines that its records go through, in order; `[]` is none. "
        "Default: its input's.",
    )


class Input(Described):
    """What every input has."""

    enabled: bool = Field(default=True, description="Whether this input is collected.")
    outputs: Annotated[tuple[OutputName, ...], Field(strict=False, min_length=1)] | None = Field(
        default=None, description="Names of the outputs that get its records. Default: all."
    )
    tls: Tls = Field(default=Tls(), description="How the vendor is verified.")
    proxy: Proxy = Field(default=Proxy(), description="The HTTP proxy on the way to the vendor.")
    allow_private_addresses: bool = Field(
        default=False,
        description="Talk to the vendor even where its name leads to an address that is not "
        "public: this machine, a private network, a cloud's metadata. Without this such an "
        "answer of the resolver is refused, unless the URL itself holds an address or "
        "`localhost`. It does not matter with a proxy.",
    )
    pipelines: PipelineNames = Field(
        default=(),
        description="Names of the pipelines that its records go through, in order. Default: none; "
        "records then stay the vendor's bytes.",
    )

    json_limits: JsonLimits = Field(
        default=JsonLimits(), description="What one record may hold; one with more is kept aside."
    )

    def whole_tls(self) -> Tls:
        """The settings of TLS."""
        return self.tls


class Services(Section):
    """The services of an input; one that is not named is not collected."""

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not self.model_fields_set:
            raise refuse("names no service", "name at least one, for example alerts: {}")
        return self

    def configured(self) -> dict[str, Service]:
        """Those that are configured, by name."""
        found: dict[str, Service | None] = {
            field: getattr(self, field) for field in type(self).model_fields
        }
        return {field: service for field, service in found.items() if service is not None}

    def enabled(self) -> dict[str, Service]:
        """Those that are configured and enabled, by name."""
        return {field: each for field, each in self.configured().items() if each.enabled}
