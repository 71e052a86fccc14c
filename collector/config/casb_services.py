"""Settings of the CASB services (docs/vendor-notes.md, CASB A3, A4, A6 and A8)."""

from typing import Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from collector.config.fields import (
    UNSURE,
    Count,
    CountOrOff,
    FieldName,
    Hours,
    SecondsOrOff,
    Statuses,
    Tag,
    Text,
    UrlPath,
    refuse,
)
from collector.config.inputs import SILENCE, Service, Services
from collector.core.flatten import Mode

TimeFormat: TypeAlias = Literal["epoch_ms", "epoch_s", "iso"]


class CasbService(Service):
    """What both CASB services have."""

    flatten: Mode = Field(
        default="split",
        description="What becomes of a record's list of children. `split`: one record per child, "
        "with all fields of the parent and the child in place of the list. `pivot`: each child's "
        "key becomes a field (events only). `path`: each child's fields become numbered fields. "
        "`none`: the record as it came.",
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if getattr(self, "flatten_index_field", "") == getattr(self, "flatten_count_field", None):
            reason = "flatten_index_field and flatten_count_field are the same"
            raise refuse(reason, "give them different names")
        return self


class CasbAlerts(CasbService):
    """Alerts: fixed windows of event time, each read to its end."""

    tag: Tag = Field(default="casb.proofpoint.alert", description="Tag (table) of the records.")
    flatten_index_field: Text = Field(
        default="related_events_index",
        description="Field with the child's position, from 0; split only.",
    )
    flatten_count_field: Text = Field(
        default="related_events_count", description="Field with the number of children; split only."
    )
    path: UrlPath = Field(default="/v1/alerts", description="Path of the call.")
    method: Literal["POST", "GET"] = Field(
        default="POST", description=f"HTTP method of the call. {UNSURE}"
    )
    page_field: Text = Field(
        default="page", description=f"Field of the request with the page's number. {UNSURE}"
    )
    first_page: CountOrOff = Field(default=0, description=f"Number of the first page. {UNSURE}")
    page_size: Count = Field(
        default=50,
        description=f"Alerts on a full page; a smaller page is the window's last. {UNSURE}",
    )
    time_format: TimeFormat = Field(
        default="epoch_ms", description=f"Form of the window's bounds in the request. {UNSURE}"
    )
    max_window_in_hours: Hours = Field(
        default=24.0, description=f"Longest window in hours that one request asks for. {UNSURE}"
    )
    settle_delay_in_seconds: SecondsOrOff = Field(
        default=60.0,
        description="Seconds before now at which a window ends, so that alerts which appear a "
        f"little late are in it. {UNSURE}",
    )
    second_look_in_seconds: SecondsOrOff = Field(
        default=3600.0,
        description="Seconds after the end of an hour at which its alerts are asked for once more, "
        "for those that the vendor added late; 0 is never. Costs at least one call an hour. "
        f"{UNSURE}",
    )
    max_pages_per_window: Count = Field(
        default=200,
        description="Pages after which a window is halved and read again; never cut off.",
    )

    @field_validator("flatten")
    @classmethod
    def _no_pivot(cls, mode: str) -> str:
        if mode == "pivot":
            reason = "cannot pivot alerts: related_events holds no key and value pairs"
            raise refuse(reason, "write split, path or none")
        return mode


class CasbEvents(CasbService):
    """Events: a cursor of the vendor, which survives restarts."""

    tag: Tag = Field(default="casb.proofpoint.event", description="Tag (table) of the records.")
    silence_limit_in_seconds: SecondsOrOff = Field(
        default=259_200.0, description=f"{SILENCE} Three days are longer than a weekend."
    )
    flatten_index_field: Text = Field(
        default="additionalProperties_index",
        description="Field with the child's position, from 0; split only.",
    )
    flatten_count_field: Text = Field(
        default="additionalProperties_count",
        description="Field with the number of children; split only.",
    )
    path: UrlPath = Field(default="/v2/events", description="Path of the call.")
    method: Literal["GET", "POST"] = Field(
        default="GET", description=f"HTTP method of the call. {UNSURE}"
    )
    start_param: Text = Field(
        default="startTime",
        description=f"Parameter with the start time, used while there is no cursor. {UNSURE}",
    )
    start_format: Literal["minute", "iso", "epoch_ms", "epoch_s"] = Field(
        default="minute",
        description=f"Form of the start time; `minute` is `YYYY-MM-DDTHH:MM`. {UNSURE}",
    )
    cursor_param: Text = Field(
        default="nextPage", description=f"Parameter with the cursor. {UNSURE}"
    )
    cursor_field: FieldName = Field(
        default="nextPageToken",
        description=f"Field of the answer with the next cursor. {UNSURE}",
    )
    list_field: FieldName = Field(
        default="content", description=f"Field of the answer with the events. {UNSURE}"
    )
    cursor_refused_statuses: Statuses = Field(
        default=(400, 404, 410),
        description="HTTP statuses that mean the cursor is dead; the pull then goes on by time, "
        f"from `cursor_lookback_in_seconds` before the last complete moment. {UNSURE}",
    )
    cursor_lookback_in_seconds: SecondsOrOff = Field(
        default=3600.0,
        description="Seconds before the last complete moment from which events are asked for when "
        "there is no cursor any more: by so much an event may appear after its own time and still "
        f"be found. What is known already is dropped. {UNSURE}",
    )
    max_pages_per_pull: CountOrOff = Field(
        default=0,
        description="Pages after which a pull stops until the next; 0 is no limit. Nothing is "
        "lost by stopping: the cursor is kept.",
    )


class CasbServices(Services):
    """The services of CASB."""

    alerts: CasbAlerts | None = Field(default=None, description="Collect alerts.")
    events: CasbEvents | None = Field(default=None, description="Collect events.")
