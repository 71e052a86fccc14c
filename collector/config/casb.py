"""Settings of a Proofpoint CASB input.

The API is not documented in public: what is unsure (docs/vendor-notes.md, CASB A1 to
A8) is a setting here, with the default named there.
"""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from collector.config.casb_services import CasbServices
from collector.config.fields import (
    UNSURE,
    Count,
    CountOrOff,
    HeaderName,
    HeaderSecret,
    Seconds,
    SecondsOrOff,
    Secret,
    Section,
    Statuses,
    Text,
    UrlPath,
    refuse,
)
from collector.config.inputs import HttpLimits, Input
from collector.config.secured import Secured
from collector.config.urls import BaseUrl

Region: TypeAlias = Literal["us", "eu", "au", "stg"]

HOST_SUFFIX: dict[Region, str] = {"us": "-us1", "eu": "", "au": "-au1", "stg": "-stg"}
"""What a data centre appends to the first label of its hosts (docs/vendor-notes.md, CASB A1)."""


class CasbCredentials(Secured):
    """The three secrets that the vendor's representative hands out."""

    api_key: HeaderSecret = Field(description="API key; goes with every call.")
    client_id: Secret = Field(description="Client id of the token call.")
    client_secret: Secret = Field(description="Client secret of the token call.")


class CasbEndpoints(Section):
    """Hosts other than the region's: scheme, host and port, without a path."""

    auth: BaseUrl | None = Field(
        default=None, description="Base URL of the token call. Default: the region's API host."
    )
    alerts: BaseUrl | None = Field(
        default=None, description="Base URL of alerts. Default: the region's API host."
    )
    events: BaseUrl | None = Field(
        default=None, description="Base URL of events. Default: the region's SIEM host."
    )


class CasbAuth(Section):
    """The token call and how the token is used."""

    path: UrlPath = Field(default="/v1/auth", description="Path of the token call.")
    body_format: Literal["json", "form"] = Field(
        default="json", description=f"Body of the token call. {UNSURE}"
    )
    extra_fields: dict[Text, Secret] = Field(
        default={},
        max_length=16,
        description="More fields for that body, for example `grant_type`. Values are kept secret. "
        f"{UNSURE}",
    )
    token_field: Text = Field(
        default="auth_token", description=f"Field of the answer that holds the token. {UNSURE}"
    )
    header_prefix: Annotated[str, Field(max_length=32, pattern=r"^[!-~ ]*$")] = Field(
        default="",
        description="What stands before the token in the Authorization header, with its blank, "
        f'for example `"Bearer "`. {UNSURE}',
    )
    api_key_header: HeaderName = Field(
        default="x-api-key", description=f"Header that carries the API key. {UNSURE}"
    )
    assumed_lifetime_in_seconds: Seconds = Field(
        default=3600.0,
        description=f"Seconds that a token lives when its answer does not say. {UNSURE}",
    )
    refresh_margin_in_seconds: SecondsOrOff = Field(
        default=60.0, description="Seconds before its end at which a token is replaced."
    )

    @model_validator(mode="after")
    def _margin(self) -> Self:
        if self.refresh_margin_in_seconds >= self.assumed_lifetime_in_seconds:
            reason = "refresh_margin_in_seconds is not below assumed_lifetime_in_seconds"
            raise refuse(reason, "lower the margin: each call would fetch a token")
        return self


class CasbRate(Section):
    """How often the vendor is called; one budget for all services of the input."""

    calls_per_day: CountOrOff = Field(
        default=1000,
        description="Calls a day, token calls included; 0 is no limit. The count survives a "
        f"restart. 1000 is the one figure made public; what it covers is not. {UNSURE}",
    )
    min_interval_in_seconds: SecondsOrOff = Field(
        default=3.0, description=f"Least seconds between two calls. {UNSURE}"
    )
    retry_statuses: Statuses = Field(
        default=(429, 500, 502, 503, 504),
        description=f"HTTP statuses after which a call is repeated. {UNSURE}",
    )
    retry_base_in_seconds: Seconds = Field(
        default=1.0, description="First wait in seconds; each further one is twice as long."
    )
    retry_cap_in_seconds: Seconds = Field(default=300.0, description="Longest wait in seconds.")
    retry_attempts: Count = Field(
        default=8, description="Tries of one call before it is left for the next pull."
    )
    honour_retry_after: bool = Field(
        default=True, description=f"Wait as long as the answer's Retry-After asks. {UNSURE}"
    )

    @model_validator(mode="after")
    def _waits(self) -> Self:
        if self.retry_cap_in_seconds < self.retry_base_in_seconds:
            reason = "retry_cap_in_seconds is below retry_base_in_seconds"
            raise refuse(reason, "raise the cap or lower the base")
        return self


class CasbInput(Input):
    """One Proofpoint CASB tenant."""

    type: Literal["proofpoint_casb"] = Field(
        default="proofpoint_casb",
        description="This kind of input. Default: the input's own name, when that is a type.",
    )
    region: Region = Field(
        default="us", description="Data centre of the tenant; `stg` is the vendor's own staging."
    )
    endpoints: CasbEndpoints = Field(
        default=CasbEndpoints(), description="Hosts other than the region's."
    )
    credentials: CasbCredentials = Field(description="The tenant's secrets.")
    auth: CasbAuth = Field(default=CasbAuth(), description="The token call.")
    rate: CasbRate = Field(default=CasbRate(), description="How often the vendor is called.")
    limits: HttpLimits = Field(default=HttpLimits(), description="What one call may take.")
    services: CasbServices = Field(
        description="What is collected; a service that is not named is not."
    )

    def bases(self) -> dict[str, str]:
        """The base URLs of ``auth``, ``alerts`` and ``events``, without a path."""
        suffix = HOST_SUFFIX[self.region]
        api = f"https://api{suffix}.protect.proofpoint.com"
        siem = f"https://api-siem{suffix}.protect.proofpoint.com"
        return {
            "auth": self.endpoints.auth or api,
            "alerts": self.endpoints.alerts or api,
            "events": self.endpoints.events or siem,
        }
