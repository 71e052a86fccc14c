"""Settings of a Proofpoint on Demand (PoD) input: the log stream of one cluster.

Defaults come from docs/vendor-notes.md, PoD 2, 3, 4 and 8.
"""

from typing import Annotated, Literal

from pydantic import Field

from collector.config.fields import (
    MIB,
    UNSURE,
    Bytes,
    CountOrOff,
    HeaderSecret,
    Hours,
    Seconds,
    SecondsOrOff,
    Section,
    Tag,
    Text,
)
from collector.config.inputs import SILENCE, Input, Service, Services
from collector.config.secured import Secured
from collector.config.urls import StreamUrl


class PodCredentials(Secured):
    """Who asks: cluster and token."""

    cluster_id: Text = Field(
        description="Cluster id, shown at the top right of the admin console, for example "
        "`acme_hosted`."
    )
    token: HeaderSecret = Field(
        description="Token of the cluster, from Settings > API Key Management > PoD Logging. The "
        "vendor allows one session per token and service: give each consumer its own."
    )
    archive_token: HeaderSecret | None = Field(
        default=None,
        description="A second token, for archive hours. With it they are fetched beside the live "
        "stream; without it the live stream is closed while a missing hour is fetched.",
    )


class PodRate(Section):
    """How often the vendor is asked for a session; one budget for all services of the input."""

    sessions_per_hour: CountOrOff = Field(
        default=1000,
        description="Handshakes in any hour, failed ones included; 0 is no limit. An archive hour "
        f"costs one. The vendor speaks of limits without a number. {UNSURE}",
    )


class PodService(Service):
    """What the three PoD services have."""

    mode: Literal["hybrid", "live", "archive"] = Field(
        default="hybrid",
        description="`hybrid`: live stream, plus archive hours wherever it has gaps. `live`: the "
        "stream alone; a gap of more than an hour is lost. `archive`: whole hours only, complete "
        "but late.",
    )
    archive_delay_in_seconds: SecondsOrOff = Field(
        default=3600.0,
        description="Seconds after an hour's end before it is fetched; the archive is at least "
        f"half an hour behind. {UNSURE}",
    )
    retention_in_hours: Hours = Field(
        default=718.0,
        description="Hours that the vendor's archive reaches back; a start before that is moved "
        "up. 30 days less two hours, because the vendor rounds down to the hour.",
    )
    server_memory_in_seconds: Seconds = Field(
        default=3000.0,
        description="Seconds for which the vendor resumes a dropped live stream where it stopped. "
        "It says an hour; a longer gap than this makes its hours owed to the archive. A stream "
        "that breaks off owes the hours from this much before it was last heard, too.",
    )
    late_arrival_in_seconds: SecondsOrOff = Field(
        default=900.0,
        description="Seconds by which a record can arrive after its own time; a gap owes the "
        f"archive hours from that much before it. {UNSURE}",
    )
    recheck_delay_in_seconds: SecondsOrOff = Field(
        default=3600.0,
        description="Seconds after which an hour that held no records, or far fewer than usual, is "
        f"read again, before it counts as complete; 0 is never. {UNSURE}",
    )
    few_records_ratio: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.1,
        description="Share of the usual records of an hour below which an hour is read again. The "
        "usual is the median of up to 24 complete hours before it.",
    )
    verify_live_hours: bool | None = Field(
        default=None,
        description="Compare each hour that live was heard through with the archive, and deliver "
        "what it lacks. Default: only with an `archive_token`; `true` with one token closes the "
        "live stream, in order, for one fetch an hour.",
    )
    ping_interval_in_seconds: Seconds = Field(
        default=90.0,
        description="Seconds between two pings. The vendor is taken to close a connection that "
        f"is silent for 300. {UNSURE}",
    )
    idle_limit_in_seconds: SecondsOrOff = Field(
        default=600.0,
        description="Seconds without a byte from the vendor (pongs count) after which the "
        f"connection is made anew; 0 is never. {UNSURE}",
    )
    archive_idle_limit_in_seconds: Seconds = Field(
        default=600.0,
        description="Seconds without a whole record (nothing else counts) after which the session "
        "of an archive hour is given up; the hour stays owed, and is asked for again. Such a "
        f"session has an end, so this has no value for never, not for audit either. {UNSURE}",
    )
    max_message_bytes: Bytes = Field(
        default=64 * MIB,
        description="Largest message in bytes. Records above 1 MiB are real: too low a limit "
        "loses them.",
    )
    compression: bool = Field(
        default=True, description="Offer permessage-deflate; the vendor may decline it."
    )
    connect_timeout_in_seconds: Seconds = Field(
        default=30.0, description="Seconds to reach the vendor and finish the handshake."
    )
    session_taken_limit_in_seconds: Seconds = Field(
        default=360.0,
        description="Seconds for which 409 (the token has a session already) is normal after a "
        f"drop; later it is an alarm that another consumer uses the token. {UNSURE}",
    )


class PodMessage(PodService):
    """One record per mail that the gateway handled."""

    tag: Tag = Field(
        default="mail.proofpoint.pod.message", description="Tag (table) of the records."
    )
    silence_limit_in_seconds: SecondsOrOff = Field(default=14_400.0, description=SILENCE)


class PodMaillog(PodService):
    """One record per line of the mail transfer agent's log."""

    tag: Tag = Field(
        default="mail.proofpoint.pod.maillog", description="Tag (table) of the records."
    )
    silence_limit_in_seconds: SecondsOrOff = Field(default=14_400.0, description=SILENCE)


class PodAudit(PodService):
    """One record per action of an administrator."""

    tag: Tag = Field(default="mail.proofpoint.pod.audit", description="Tag (table) of the records.")
    idle_limit_in_seconds: SecondsOrOff = Field(
        default=0.0,
        description="Seconds without a byte from the vendor (pongs count) after which the "
        f"connection is made anew; 0 is never, because audit is silent for days. {UNSURE}",
    )


class PodServices(Services):
    """The services of PoD."""

    message: PodMessage | None = Field(default=None, description="Collect messages.")
    maillog: PodMaillog | None = Field(default=None, description="Collect the mail log.")
    audit: PodAudit | None = Field(default=None, description="Collect administrators' actions.")


class PodInput(Input):
    """One Proofpoint on Demand cluster."""

    type: Literal["proofpoint_pod"] = Field(
        default="proofpoint_pod",
        description="This kind of input. Default: the input's own name, when that is a type.",
    )
    endpoint: StreamUrl = Field(
        default="wss://logstream.proofpoint.com:443/v1/stream",
        description="URL of the stream, without a query.",
    )
    credentials: PodCredentials = Field(description="Who asks.")
    rate: PodRate = Field(default=PodRate(), description="How often the vendor is asked.")
    services: PodServices = Field(
        description="What is collected; a service that is not named is not."
    )
