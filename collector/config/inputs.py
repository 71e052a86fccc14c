"""What the settings of all inputs and services have in common."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from collector.config.fields import (
    MIB,
    Bytes,
    FilePath,
    OutputName,
    Seconds,
    Section,
    StartTime,
    refuse,
)


class Tls(Section):
    """How the vendor's certificate is checked; it always is."""

    ca: FilePath | None = Field(
        default=None,
        description="PEM file of authorities to trust instead of the system's, for a proxy that "
        "opens TLS.",
    )


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


class Service(Section):
    """What every service has."""

    enabled: bool = Field(default=True, description="Whether this service is collected.")
    request_period_in_seconds: Seconds = Field(
        default=600.0, description="Seconds between the starts of two pulls."
    )
    initial_start_time_in_utc: StartTime | None = Field(
        default=None,
        description='Where the first pull begins, as `"2026-01-31T00:00:00Z"`. Default: 7 days '
        "before the first start. Changing it resets this service's state: records from the new "
        "time on are collected again.",
    )
    metadata: bool = Field(
        default=True,
        description="Add the key `@collector` to each record: input, service, tag, mode, pulling "
        "id, event id, event time, observed time. Without it records are the vendor's bytes.",
    )


class Input(Section):
    """What every input has."""

    enabled: bool = Field(default=True, description="Whether this input is collected.")
    outputs: Annotated[tuple[OutputName, ...], Field(strict=False, min_length=1)] | None = Field(
        default=None, description="Names of the outputs that get its records. Default: all."
    )
    tls: Tls = Field(default=Tls(), description="How the vendor's certificate is checked.")


class Services(Section):
    """The services of an input; one that is not named is not collected."""

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not self.model_fields_set:
            raise refuse("names no service", "name at least one, for example alerts: {}")
        return self
